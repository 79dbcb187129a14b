"""What the device is believed to hold, and how that belief is learned, kept and lost."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import TooLarge
from studio.worker.scheduler.capacity import GROWTH, Capacity, StepCost

KEY = ("step", "sprite", ((16, 8, 8), 77))


def line(fixed: float, per_row: float, widths: list[int]) -> StepCost:
    cost = StepCost()
    for rows in widths:
        cost.learn(rows, fixed + per_row * rows)
    return cost


def test_the_cap_is_the_given_one_until_something_is_learned():
    assert Capacity(row_cap=12).rows(KEY) == 12


@pytest.mark.parametrize("stage", ["prepare", "finish"])
def test_stages_that_spike_memory_take_one_job_at_a_time(stage):
    assert Capacity().rows((stage, "sprite")) == 1


def test_memory_limits_rows_by_what_the_pipeline_predicts_and_then_by_what_was_measured():
    capacity = Capacity(memory_budget=100)
    assert capacity.rows(KEY, 30) == 3
    capacity.measured(KEY, 2, 20)
    assert capacity.rows(KEY, 30) == 10
    assert capacity.admits(KEY, 10, 30)
    assert not capacity.admits(KEY, 11, 30)


def test_the_widest_batch_tells_most_about_the_memory_of_a_row():
    capacity = Capacity(memory_budget=1000)
    capacity.measured(KEY, 8, 160)
    capacity.measured(KEY, 1, 90)
    capacity.measured(KEY, 8, 176)
    assert capacity.bytes_per_row(KEY) == 22


def test_what_never_fits_is_refused_in_one_sentence():
    with pytest.raises(
        TooLarge, match=r"^This needs about 9\.0 GiB .*, the device has 4\.0 GiB: choose a smaller size\.$"
    ):
        Capacity(memory_budget=4 * 2**30).check(KEY, 3, 3 * 2**30)


def test_an_unknown_budget_admits_everything():
    assert Capacity().admits(KEY, 1000, 2**40)


def test_running_out_of_memory_halves_down_to_one_row():
    capacity = Capacity()
    assert [capacity.shrink(KEY, rows) for rows in (16, 8, 4, 2, 1)] == [8, 4, 2, 1, 1]
    assert capacity.rows(KEY) == 1


def test_a_halved_cap_recovers_slowly_but_not_beyond_the_cap():
    capacity = Capacity(row_cap=3)
    capacity.shrink(KEY, 4)
    for expected in (3, 3):
        for _ in range(GROWTH):
            capacity.stepped(KEY, capacity.rows(KEY), 1.0)
        assert capacity.rows(KEY) == expected


def test_cheap_rows_fill_the_batch_and_dear_rows_do_not():
    for fixed, per_row, useful in ((0.048, 0.010, 16), (0.010, 0.010, 9), (0.0, 5.0, 1)):
        capacity = Capacity()
        for rows in (1, 4, 8, 2):
            capacity.stepped(KEY, rows, fixed + per_row * rows)
        assert capacity.rows(KEY) == useful


def test_a_line_is_not_drawn_through_one_width():
    cost = line(0.1, 0.1, [4] * 50)
    assert cost.line() is None
    assert cost.useful_rows() is None
    assert cost.predict(4) == pytest.approx(0.5)


def test_nothing_is_known_before_the_first_step():
    assert StepCost().predict(3) is None
    assert Capacity().seconds(KEY, 3) is None


@given(st.floats(0.001, 1), st.floats(0.001, 1), st.lists(st.integers(1, 16), min_size=8, max_size=30))
def test_costs_that_are_a_line_are_learned_exactly(fixed, per_row, widths):
    cost = line(fixed, per_row, [1, 16, *widths])
    assert cost.predict(7) == pytest.approx(fixed + 7 * per_row, rel=1e-3)


@given(st.lists(st.tuples(st.integers(1, 64), st.floats(0, 1e4)), max_size=40))
def test_costs_are_never_negative_whatever_was_measured(seen):
    cost = StepCost()
    for rows, seconds in seen:
        cost.learn(rows, seconds)
    assert (cost.predict(5) or 0) >= 0
    assert (cost.useful_rows() or 1) >= 1


def test_what_was_learned_is_remembered():
    capacity = Capacity(memory_budget=100)
    capacity.measured(KEY, 2, 20)
    capacity.shrink(KEY, 8)
    for rows in (1, 2, 4, 4):
        capacity.stepped(KEY, rows, 0.1 + rows)
    again = Capacity.from_json(capacity.to_json(), memory_budget=100)
    assert again.to_json() == capacity.to_json()
    assert again.rows(KEY) == capacity.rows(KEY)
    assert again.seconds(KEY, 3) == capacity.seconds(KEY, 3)


def test_a_smaller_row_cap_overrules_what_is_remembered():
    capacity = Capacity()
    capacity.shrink(KEY, 16)
    assert Capacity.from_json(capacity.to_json(), row_cap=4).rows(KEY) == 4


NAN = '{"caps": {}, "peaks": {}, "costs": {"k": {"weight": NaN}}}'


@pytest.mark.parametrize("text", [NAN, "", "{", "null", "[]", "7", "{}", '{"caps": 1, "peaks": {}, "costs": {}}',
                                  '{"caps": {"k": "many"}, "peaks": {}, "costs": {}}',
                                  '{"caps": {}, "peaks": {"k": [1]}, "costs": {}}',
                                  '{"caps": {}, "peaks": {}, "costs": {"k": {"strange": 1}}}'])  # fmt: skip
def test_a_damaged_memory_is_a_fresh_start(text):
    assert Capacity.from_json(text).to_json() == Capacity().to_json()


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(), lambda part: st.lists(part) | st.dictionaries(st.text(), part)
)


@given(JSON)
def test_no_memory_stops_the_studio(value):
    for part in ("caps", "peaks", "costs"):
        text = json.dumps({"caps": {}, "peaks": {}, "costs": {}} | {part: value})
        assert Capacity.from_json(text).rows(KEY) >= 1
