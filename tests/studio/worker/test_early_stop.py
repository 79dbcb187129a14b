"""Who falls behind: a pure rule."""

from hypothesis import given
from hypothesis import strategies as st

from studio.worker.runner.early_stop import dropped, look_after, saved

score = st.one_of(st.none(), st.floats(-1, 1))


def test_the_best_are_left_when_all_have_been_looked_at():
    assert dropped([0.1, 0.9, 0.5, 0.2]) == [0, 3]
    assert dropped([0.3] * 8) == [3, 4, 5, 6, 7]
    assert dropped([0.5]) == []


def test_it_is_looked_after_a_third_and_not_where_nothing_is_left_to_save():
    assert [look_after(steps) for steps in (1, 2, 3, 20, 21)] == [0, 1, 1, 7, 7]
    assert saved(8, 5, 21) == 5 * 14 / (8 * 21)
    assert saved(8, 5, 1) == 0.0


@given(st.lists(score, min_size=1, max_size=12), st.data())
def test_who_is_out_early_is_out_in_the_end(scores, data):
    final = [data.draw(st.floats(-1, 1)) if s is None else s for s in scores]
    assert set(dropped(scores)) <= set(dropped(final))
    assert len(dropped(final)) < len(final)
    best = max(range(len(final)), key=lambda i: (final[i], -i))
    assert best not in dropped(scores)
