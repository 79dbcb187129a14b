"""What the scheduler promises, whatever happens: jobs come, go, pause, change places and run out of memory."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipelines.requests import Priority
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler, StepBatch
from tests.studio.support.scheduler_simulation import Plan, Simulation

QUANTUM, CAP, BUDGET, EACH = 8, 6, 50, 10  # the budget admits five rows
SLOW = 4  # rounds that background work waits for one round of others
OWNERS, SIZES, MODELS = ["ann", "bob", "cat", "dan"], [64, 128], ["m", "n"]


class Machine(RuleBasedStateMachine):
    """`live` are the jobs that have not ended; `waits` counts, for every owner that has something ready but is not
    served, the rows that others have meanwhile led."""

    @initialize(seconds=st.sampled_from([0.0, 0.1]))
    def start(self, seconds):
        line = Scheduler(Capacity(BUDGET, CAP), quantum_rows=QUANTUM, switch_cost_rows=0, aging_seconds=5)
        self.sim = Simulation(line, cost=lambda batch: seconds)
        self.paused: set[str] = set()
        self.waits: dict[str, Counter] = {}
        self.was_background: set[str] = set()

    @property
    def live(self) -> dict[str, Plan]:
        return {id: plan for id, plan in self.sim.plans.items() if plan.done is None}

    @property
    def ready(self) -> dict[str, Plan]:
        return {id: plan for id, plan in self.live.items() if id not in self.paused}

    @rule(owner=st.sampled_from(OWNERS), rows=st.integers(1, 4), steps=st.integers(1, 12),
          priority=st.sampled_from(Priority), size=st.sampled_from(SIZES), model=st.sampled_from(MODELS),
          count=st.sampled_from([1, 1, 2, 9]))  # fmt: skip
    def add(self, owner, rows, steps, priority, size, model, count):
        for _ in range(count):
            id = f"j{len(self.sim.plans)}"
            self.sim.add(Plan(id, owner, rows, steps, self.sim.now, priority, model, size, EACH))
        self.who_waits()

    @rule(times=st.integers(1, 9))
    def advance(self, times):
        for _ in range(times):
            batch = self.sim.scheduler.next(self.sim.now)
            assert self.sim.scheduler.next(self.sim.now) == batch, "asking twice changes nothing"
            assert (batch is None) == (not self.ready), "whenever somebody is ready, there is work"
            if batch:
                self.looks_right(batch)
                self.keeps_the_bound(batch)
                self.sim.once()
                self.who_waits()

    def looks_right(self, batch: StepBatch):
        plans = [self.ready[id] for id in batch.ids]
        assert len(set(batch.ids)) == len(batch.ids)
        assert {plan.key for plan in plans} == {batch.key}
        assert {plan.model for plan in plans} == {batch.model}
        assert batch.rows == sum(plan.width for plan in plans)
        if len(plans) > 1:
            assert batch.key[0] == "step", "what spikes memory is done one by one"
            assert batch.rows <= min(CAP, BUDGET // EACH)

    def keeps_the_bound(self, batch: StepBatch):
        """Deficit round robin: until an owner is served, nobody else leads for more than two rounds."""
        plans = [self.ready[id] for id in batch.ids]
        served, leader = {plan.owner for plan in plans}, plans[0].owner
        for owner in served:
            self.waits.pop(owner, None)
        for owner, led in self.waits.items():
            led[leader] += sum(plan.width for plan in plans if plan.owner == leader)
            rounds = 2 * SLOW if owner in self.was_background else 2
            assert led[leader] <= rounds * (QUANTUM + CAP), (owner, led)

    def who_waits(self):
        owners = {plan.owner for plan in self.ready.values()}
        self.waits = {owner: self.waits.get(owner, Counter()) for owner in owners}
        slow = {plan.owner for plan in self.live.values() if plan.priority == Priority.BACKGROUND}
        self.was_background = slow | (self.was_background & owners)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), too_late=st.booleans())
    def cancel(self, data, too_late):
        id = data.draw(st.sampled_from(sorted(self.live)))
        batch = self.sim.scheduler.next(self.sim.now) if too_late else None
        assert self.sim.scheduler.cancel(id)
        assert not self.sim.scheduler.cancel(id)
        self.sim.plans[id].done = self.sim.now
        self.sim.plans[id].taken = self.sim.plans[id].steps
        if batch:  # its step was already under way
            self.sim.scheduler.step(batch, self.sim.now, 0.0)
            for other in set(batch.ids) - {id}:
                self.sim.moved(self.sim.plans[other])
        self.paused.discard(id)
        self.who_waits()

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def pause(self, data):
        id = data.draw(st.sampled_from(sorted(self.live)))
        assert self.sim.scheduler.pause(id, self.sim.now) == (id not in self.paused)
        self.paused.add(id)
        self.who_waits()

    @precondition(lambda self: self.paused)
    @rule(data=st.data())
    def resume(self, data):
        id = data.draw(st.sampled_from(sorted(self.paused)))
        assert self.sim.scheduler.resume(id, self.sim.now)
        self.paused.discard(id)
        self.who_waits()

    @precondition(lambda self: self.live)
    @rule(data=st.data(), owner=st.sampled_from(OWNERS))
    def reorder(self, data, owner):
        named = data.draw(st.lists(st.sampled_from(sorted(self.live)), unique=True))
        before = self.sim.scheduler.forecast()
        self.sim.scheduler.reorder(owner, named)
        after = self.sim.scheduler.forecast()
        others = [id for id, plan in self.live.items() if id not in named or plan.owner != owner]
        assert [after[id][0] for id in others] == [before[id][0] for id in others]

    @rule()
    def out_of_memory(self):
        widths = [CAP + 1]
        while batch := self.sim.scheduler.next(self.sim.now):
            assert batch.rows < widths[-1] or len(batch.ids) == 1
            widths.append(batch.rows)
            if not self.sim.scheduler.out_of_memory(batch):
                assert len(batch.ids) == 1
                break

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds):
        self.sim.now += seconds

    @invariant()
    def places_are_told_for_everybody(self):
        places = self.sim.scheduler.forecast()
        assert places.keys() == self.live.keys()
        assert all(0 <= place < len(places) for place, _ in places.values())

    def teardown(self):
        """Everybody who is let gets exactly the steps that were asked for."""
        for id in self.paused:
            self.sim.scheduler.resume(id, self.sim.now)
        self.sim.run()
        assert not self.live
        assert all(plan.taken == plan.steps for plan in self.sim.plans.values())


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

KIND = {"rows": st.integers(1, 4), "steps": st.integers(1, 20), "priority": st.sampled_from(Priority),
        "size": st.sampled_from(SIZES), "model": st.sampled_from(MODELS), "owner": st.sampled_from(OWNERS)}  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(victim=st.fixed_dictionaries(KIND), stream=st.lists(st.fixed_dictionaries(KIND), min_size=1, max_size=4))
def test_nothing_starves_however_much_else_keeps_coming(victim, stream):
    """Four owners share, a quarter of an owner's rows goes to its oldest, background has a quarter of a share."""
    job = Plan("victim", **victim)
    sim, patience = Simulation(Scheduler(Capacity(0, CAP), switch_cost_rows=0, aging_seconds=5)), 5 / 0.02
    sim.add(job)
    while job.done is None:
        for i, kind in enumerate(stream):
            if sum(plan.done is None for plan in sim.plans.values()) < 40:
                sim.add(Plan(f"{i}-{len(sim.plans)}", **kind, at=sim.now))
        sim.once()
        assert len(sim.trace) < patience + 4 * 4 * 4 * (job.rows * job.steps + 2 + 16)
