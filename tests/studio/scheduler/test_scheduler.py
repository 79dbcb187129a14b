"""The scheduler by example: each test is one sentence of what it promises."""

import pytest

from pipelines.errors import TooLarge
from pipelines.requests import Priority
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler, StepBatch, Work
from tests.studio.support.scheduler_simulation import Plan, Simulation, many, mean_latency

BACKGROUND, INTERACTIVE, NORMAL = Priority.BACKGROUND, Priority.INTERACTIVE, Priority.NORMAL


def stepping(sim: Simulation) -> list[StepBatch]:
    return [batch for _, batch in sim.trace if batch.key[0] == "step"]


def work(id: str, owner: str = "ann", rows: int = 1, steps: int = 4, priority: Priority = NORMAL, **more) -> Work:
    return Work(id, owner, more.pop("key", "k"), more.pop("model", "m"), rows, steps, priority, **more)


def queue(*works: Work, **options) -> Scheduler:
    scheduler = Scheduler(options.pop("capacity", Capacity()), **options)
    for each in works:
        scheduler.add(each, 0.0)
    return scheduler


def test_nothing_to_do_is_none():
    assert queue().next(0.0) is None


def test_jobs_of_different_lengths_step_together_and_leave_one_by_one():
    sim = Simulation().run([Plan("a", steps=5), Plan("b", "bob", steps=3), Plan("c", "cat", steps=4)])
    assert [batch.rows for batch in stepping(sim)] == [3, 3, 3, 2, 1]


def test_a_short_job_waits_for_one_preparation_of_a_longer_one_at_most():
    sim, a = Simulation(), Plan("a", steps=3)
    sim.run([a, *many("bob", 9, steps=50)], until=lambda: a.done is not None)
    assert [batch.rows for batch in stepping(sim)] == [1, 2, 3]


def test_a_job_joins_a_running_batch_at_any_step():
    sim = Simulation().run([Plan("a", steps=10), Plan("b", "bob", steps=3, at=0.3)])
    widths = [batch.rows for batch in stepping(sim)]
    assert len(widths) == 10
    assert widths.count(2) == 3


def test_guided_jobs_count_as_two_rows_under_the_cap():
    sim = Simulation(Scheduler(Capacity(row_cap=5))).run(many("ann", 4, rows=2))
    assert max(batch.rows for batch in stepping(sim)) == 4


def test_a_job_wider_than_the_cap_still_goes_alone():
    sim = Simulation(Scheduler(Capacity(row_cap=1))).run([Plan("a", rows=2), Plan("b", rows=2)])
    assert {batch.ids for batch in stepping(sim)} == {("a",), ("b",)}


@pytest.mark.parametrize("late", [0.0, 1.0, 7.77])
@pytest.mark.parametrize("kind", [{}, {"size": 128}, {"priority": INTERACTIVE}, {"steps": 2}])
def test_five_hundred_queued_pictures_delay_nobody_else_for_more_than_two_rounds(late, kind):
    sim, bob = Simulation(), Plan("b", "bob", 2, 20, at=late)
    crowd = many("ann", 500, **{"rows": 2, "steps": 20, **kind})
    sim.run([*crowd, bob], until=lambda: bob.first is not None)
    between = [batch for end, batch in sim.trace if end > late and "b" not in batch.ids]
    assert sum(batch.rows for batch in between) <= 2 * 16


def test_equal_owners_get_equal_rows_whatever_they_have_queued():
    sim = Simulation()
    sim.run(many("ann", 100, rows=2, steps=20) + many("bob", 10, rows=2, steps=20), until=lambda: sim.now > 8)
    assert sim.served["ann"] == pytest.approx(sim.served["bob"], rel=0.05)


def test_rows_that_nobody_else_wants_are_not_left_empty():
    sim = Simulation().run([*many("ann", 31, steps=20), Plan("b", "bob", steps=20)])
    assert sum(batch.rows == 16 for batch in stepping(sim)) >= 38


def test_riding_along_for_long_costs_no_more_than_a_round():
    bob, late = Plan("b", "bob", steps=150), Plan("late", steps=4, size=128, at=8.0)
    sim = Simulation()
    sim.run([bob, *many("ann", 15, steps=150), late], until=lambda: late.first is not None)
    assert sum(batch.rows for end, batch in sim.trace if end > 8.0 and batch.ids[0] == "b") <= 2 * 16 * 16


def test_a_short_job_is_not_stuck_behind_long_ones():
    short = Plan("short", steps=4, at=5.0)
    sim = Simulation().run([*many("ann", 40, steps=50), short])
    assert short.done - short.at < 1.5
    assert sim.now > 20


def test_finishing_one_after_the_other_beats_finishing_all_at_the_end():
    jobs = many("ann", 48, steps=50)
    sim = Simulation().run(jobs)
    assert mean_latency(jobs) < 0.75 * sim.now


def test_the_more_urgent_job_goes_first():
    first = queue(work("a", priority=BACKGROUND), work("b"), work("c", priority=INTERACTIVE), capacity=Capacity(0, 1))
    assert first.next(0.0).ids == ("c",)


def test_an_owner_with_background_work_only_yields_most_rows():
    sim = Simulation()
    jobs = many("ann", 50, steps=20, size=1, priority=BACKGROUND) + many("bob", 50, steps=20, size=2)
    sim.run(jobs, until=lambda: sim.now > 10)
    assert sim.served["ann"] == pytest.approx(sim.served["bob"] / 4, rel=0.25)


@pytest.mark.parametrize("size", [64, 128])
def test_the_oldest_job_ages_out_of_the_background(size):
    old = Plan("old", steps=10, priority=BACKGROUND, size=size)
    stream = [Plan(f"new{i}", steps=10, rows=16, at=i * 0.2, priority=INTERACTIVE) for i in range(1000)]
    sim = Simulation().run([old, *stream], until=lambda: old.done is not None)
    assert 30 < sim.now < 60


class SlowToChange:
    """A cost of `seconds` more whenever the model is another one."""

    def __init__(self, seconds: float):
        self.seconds, self.last, self.changes = seconds, None, 0

    def __call__(self, batch: StepBatch) -> float:
        changed, self.last = self.last != batch.model, batch.model
        self.changes += changed
        return 0.1 + self.seconds * changed


@pytest.mark.parametrize("guess", [0, 64])
@pytest.mark.parametrize("seconds", [1, 4])
def test_models_are_not_changed_so_often_that_changing_takes_most_of_the_time(guess, seconds):
    cost = SlowToChange(seconds)
    sim = Simulation(Scheduler(Capacity(), switch_cost_rows=guess), cost)
    sim.run(many("ann", 60, rows=2, steps=20, model="x") + many("bob", 60, rows=2, steps=20, model="y"))
    assert cost.changes * seconds < 0.4 * sim.now


def test_models_that_are_both_loaded_take_short_turns():
    sim = Simulation(cost=SlowToChange(0))
    sim.run(many("ann", 60, steps=20, model="x") + many("bob", 60, steps=20, model="y"), until=lambda: sim.now > 15)
    assert sim.served["ann"] == pytest.approx(sim.served["bob"], rel=0.15)


def test_no_more_jobs_are_begun_than_can_soon_ride():
    sim, begun = Simulation(), []
    sim.run(many("ann", 300, steps=20), until=lambda: begun.append(_begun(sim)) or sim.now > 10)
    assert max(begun) <= 17


def _begun(sim: Simulation) -> int:
    return sum(plan.stage > 0 and plan.done is None for plan in sim.plans.values())


def test_a_cancelled_job_is_in_no_further_batch():
    line = queue(work("a"), work("b"))
    batch = line.next(0.0)
    assert line.cancel("a")
    assert not line.cancel("a")
    line.step(batch, 0.1, 0.1)
    assert line.next(0.1).ids == ("b",)


def test_finish_and_change_after_a_cancel_do_nothing():
    line = queue(work("a"))
    line.cancel("a")
    line.change(work("a", key="later"), 0.0)
    line.finish("a")
    assert line.next(0.0) is None


def test_a_paused_job_waits_and_goes_on_where_it_was():
    line = queue(work("a", steps=2))
    line.step(line.next(0.0), 0.1, 0.1)
    assert line.pause("a", 0.1)
    assert not line.pause("a", 0.1)
    assert line.next(0.2) is None
    assert line.resume("a", 0.3)
    assert not line.resume("a", 0.3)
    line.step(line.next(0.3), 0.4, 0.1)
    assert line.next(0.4) is None


def test_a_job_paused_while_it_steps_counts_that_step():
    line = queue(work("a", steps=2))
    batch = line.next(0.0)
    line.pause("a", 0.0)
    line.step(batch, 0.1, 0.1)
    line.resume("a", 0.1)
    line.step(line.next(0.1), 0.2, 0.1)
    assert line.next(0.2) is None


def test_a_held_job_keeps_its_place_and_others_do_not_wait_for_it():
    line = queue(work("a"), work("b"), capacity=Capacity(0, 1))
    assert line.hold("a")
    assert not line.hold("a")
    assert line.next(0.0).ids == ("b",)
    assert (line.seconds_left("a"), line.stats()["paused"]) == (None, 0)
    assert line.release("a")
    assert not line.release("a")
    assert line.next(0.1).ids == ("a",)
    assert not line.hold("nobody")


def test_a_job_that_is_held_and_paused_waits_for_both():
    line = queue(work("a"))
    line.hold("a")
    line.pause("a", 0.0)
    line.release("a")
    assert line.next(0.0) is None
    line.hold("a")
    line.resume("a", 0.0)
    assert line.next(0.0) is None
    line.release("a")
    assert line.next(0.0).ids == ("a",)


def test_held_jobs_may_be_reordered():
    line = queue(work("a"), work("b"), work("c"), capacity=Capacity(0, 1))
    line.hold("b")
    line.hold("c")
    line.reorder("ann", ["c", "b"])
    line.release("b")
    line.release("c")
    assert [line.place(id) for id in "acb"] == [0, 1, 2]


def test_one_may_reorder_ones_own_jobs_only():
    line = queue(work("a"), work("b"), work("x", "bob"), work("c"))
    line.reorder("ann", ["c", "x", "nobody", "a", "c"])
    assert {id: line.place(id) for id in "cbxa"} == {"c": 0, "x": 1, "b": 2, "a": 3}
    line.reorder("eve", ["a"])


def test_a_long_job_may_be_moved_before_a_short_one():
    line = queue(work("short", steps=2), work("long", steps=90), capacity=Capacity(0, 1))
    line.reorder("ann", ["long", "short"])
    assert line.next(0.0).ids == ("long",)


def test_what_can_never_fit_is_refused_at_once():
    with pytest.raises(TooLarge, match=r"needs about 2\.0 GiB .* has 1\.0 GiB"):
        queue(capacity=Capacity(2**30)).add(work("a", rows=2, bytes_per_row=2**30), 0.0)


def test_memory_limits_how_many_ride():
    line = queue(*(work(id, bytes_per_row=300) for id in "abcdef"), capacity=Capacity(1000))
    assert line.next(0.0).rows == 3


def test_out_of_memory_halves_until_a_job_is_alone():
    line, widths = queue(*(work(f"j{i}") for i in range(8))), []
    while line.out_of_memory(batch := line.next(0.0)):
        widths.append(batch.rows)
    assert widths == [8, 4, 2]
    line.finish(batch.ids[0])
    assert line.next(0.0) is not None


def test_places_and_seconds():
    line = queue(work("a", steps=10), work("b", steps=10), work("c", "bob", steps=10), capacity=Capacity(0, 1))
    assert [line.place(id) for id in "acb"] == [0, 1, 2]
    assert line.seconds_left("a") is None
    for now in range(4):
        line.step(line.next(now), now + 1, 1.0)
    assert 5 <= line.seconds_left("a") < line.seconds_left("b") <= 30
    line.pause("b", 4.0)
    assert line.seconds_left("b") is None
    with pytest.raises(KeyError):
        line.place("gone")


def test_the_guess_of_the_time_left_is_near_the_truth():
    jobs, guesses = many("ann", 40, steps=20), []
    sim = Simulation()
    sim.run(jobs, until=lambda: len(sim.trace) > 100)
    guesses, began = {id: left for id, (_, left) in sim.scheduler.forecast().items()}, sim.now
    sim.run()
    for plan in jobs:
        if plan.id in guesses:
            assert guesses[plan.id] == pytest.approx(plan.done - began, rel=0.8, abs=1.0)


def test_stats():
    sim = Simulation()
    sim.run(many("ann", 20, steps=20), until=lambda: len(stepping(sim)) >= 10)
    stats = sim.scheduler.stats()
    assert stats["rows_per_step"] == pytest.approx(16, abs=1)
    assert stats["steps_per_second"] == pytest.approx(16 / 0.222, rel=0.1)
    assert (stats["running"], stats["waiting"], stats["paused"]) == (16, 4, 0)
    assert stats["owners"] == {"ann": sim.served["ann"]}


def test_an_id_cannot_be_added_twice():
    with pytest.raises(ValueError, match="cannot schedule"):
        queue(work("a"), work("a"))
