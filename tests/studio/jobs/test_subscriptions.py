import asyncio
import selectors
import threading

from studio.jobs.subscriptions import BATCH_SECONDS, MOST_ITEMS, STATUS_SECONDS, Subscription, Subscriptions


async def here(call, *arguments):
    """Where time jumps, no thread can be waited for."""
    return call(*arguments)


def watching(owner="ann", everybody=None):
    views = {}
    subscription = Subscription(owner, views.get, lambda: {"running": 1}, aside=here)
    return (everybody or Subscriptions()).add(subscription), views


async def taken(subscription, seconds=0.05):
    events = []
    try:
        async with asyncio.timeout(seconds):
            async for event in subscription:
                events.append(event)
    except TimeoutError:
        pass
    return events


class Jumping(selectors.DefaultSelector):
    """Whoever waits for a time is there at once: `now` is the time of the event loop."""

    now = 0.0

    def select(self, timeout=None):
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout:
            self.now += timeout
        return ready


def at_once(main):
    """`asyncio.run` in a time of its own, which does not pass while somebody works."""
    selector = Jumping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)


def test_a_slow_reader_gets_the_newest_view_and_costs_bounded_memory():
    subscription, views = watching()
    for step in range(10_000):
        views[f"job {step % 5}"] = {"step": step}
        subscription.tell(f"job {step % 5}")
    assert len(subscription._changed) == 5
    events = at_once(taken(subscription))
    assert sorted(event["job"]["step"] for event in events) == [9995, 9996, 9997, 9998, 9999]


def test_status_comes_at_most_twice_a_second_and_the_last_one_is_not_lost():
    async def main():
        subscription, _ = watching()
        reading = asyncio.create_task(taken(subscription, 9 * STATUS_SECONDS))
        for _ in range(250):  # two and a half times as long as between two of them
            subscription.tell()
            await asyncio.sleep(STATUS_SECONDS / 100)
        return await reading

    events = at_once(main())
    assert [event["type"] for event in events] == ["status"] * 4  # at once, twice meanwhile, and the last


def test_jobs_do_not_keep_the_status_waiting():
    async def main():
        subscription, views = watching()
        views["a"] = {"id": "a"}
        subscription.tell()
        kinds = []
        for _ in range(5):
            kinds.append((await anext(aiter(subscription)))["type"])
            subscription.tell("a")
        return kinds

    assert "status" in asyncio.run(main())


def test_only_the_owner_is_told():
    everybody = Subscriptions()
    (ann, _), (bob, _) = watching("ann", everybody), watching("bob", everybody)
    everybody.tell("ann", "a")
    assert list(ann._changed) == ["a"]
    assert not bob._changed


def test_a_job_that_is_not_known_any_more_is_passed_over():
    subscription, views = watching()
    subscription.tell("gone")
    subscription.tell("there")
    views["there"] = {"id": "there"}
    assert at_once(taken(subscription)) == [{"type": "job", "job": {"id": "there"}}]


def test_it_wakes_from_other_threads_and_ends_when_closed():
    async def main():
        subscription, views = watching()
        views["a"] = {"id": "a"}

        def elsewhere():
            subscription.tell("a")
            subscription.close()

        threading.Timer(0.05, elsewhere).start()
        async with subscription:
            return [event async for event in subscription]

    assert asyncio.run(asyncio.wait_for(main(), 60)) in ([], [{"type": "job", "job": {"id": "a"}}])


def test_closed_and_abandoned_ones_are_forgotten():
    everybody = Subscriptions()
    kept, _ = watching(everybody=everybody)
    closed, _ = watching(everybody=everybody)
    watching(everybody=everybody)
    closed.close()
    assert everybody._everyone() == [kept]


def test_an_ended_event_loop_does_no_harm():
    subscription, views = watching()
    views["a"] = {"id": "a"}
    subscription.tell("a")
    asyncio.run(anext_of(subscription))
    subscription.tell("a")
    assert subscription.closed


async def anext_of(subscription):
    return await anext(aiter(subscription))


def test_a_view_that_has_to_be_waited_for_holds_up_nobody_else():
    going_on = threading.Event()

    def slow(job_id):
        assert going_on.wait(60)
        return {"id": job_id}

    async def main():
        subscription = Subscription("ann", slow, dict)
        subscription.tell("a")
        reading = asyncio.create_task(anext_of(subscription))
        await asyncio.sleep(0.05)
        going_on.set()  # by the event loop, which goes on
        return await reading

    assert asyncio.run(asyncio.wait_for(main(), 60)) == {"type": "job", "job": {"id": "a"}}


def batches(told):
    def event(id, numbers):
        told.append((id, numbers))
        return {"type": "batch", "id": id}

    return Subscriptions().add(Subscription("ann", {}.get, dict, batch=event, aside=here))


def test_changes_of_a_batch_are_told_together():
    told = []
    subscription = batches(told)
    for number in range(40):
        subscription.tell_batch("one", [number % 4])
    subscription.tell_batch("two", ())
    events = at_once(taken(subscription, 3 * BATCH_SECONDS))
    assert [event["id"] for event in events] == ["one", "two"]
    assert told == [("one", {0, 1, 2, 3}), ("two", set())]


def test_items_that_change_again_are_counted_once():
    told, all_of_it = [], range(MOST_ITEMS)
    subscription = batches(told)
    for _ in range(2):
        subscription.tell_batch("one", all_of_it)
    at_once(taken(subscription, BATCH_SECONDS))
    assert told == [("one", set(all_of_it))]


def test_many_changes_of_a_batch_are_not_counted_one_by_one():
    told = []
    subscription = batches(told)
    for number in range(MOST_ITEMS + 1):
        subscription.tell_batch("one", [number])
    subscription.tell_batch("two", [1])
    subscription.tell_batch("two", None)
    at_once(taken(subscription, 3 * BATCH_SECONDS))
    assert told == [("one", None), ("two", None)]


def test_a_batch_is_told_to_its_owner_alone():
    everybody, told = Subscriptions(), []
    mine = everybody.add(Subscription("ann", {}.get, dict, batch=lambda id, numbers: told.append(id), aside=here))
    everybody.tell_batch("bob", "his", ())
    everybody.tell_batch("ann", "mine", ())
    at_once(taken(mine, BATCH_SECONDS))
    assert told == ["mine"]
