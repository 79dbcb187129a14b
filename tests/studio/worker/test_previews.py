import io
import os

import pytest
from PIL import Image

from studio.worker.runner import previews
from studio.worker.runner.previews import Previews


def spend(shown: Previews, jobs: list[str], step: float, price: float, steps: int, held_up: int = 10**9) -> list[float]:
    """Seconds spent on a preview after each step; every `held_up`th preview takes twenty times as long."""
    spent, now, made = [], 0.0, 0
    for _ in range(steps):
        now += step
        shown.earn(step)
        job = shown.choose(jobs, now)
        spent.append(0.0)
        if job:
            made += 1
            spent[-1] = price * (20 if made % held_up == 0 else 1)
            shown.pay(job, now, spent[-1])
            now += spent[-1]
    return spent


@pytest.mark.parametrize("price", [0.0005, 0.005, 0.05, 0.5])
@pytest.mark.parametrize("jobs", [1, 3])
def test_previews_take_no_more_than_their_share_whatever_one_costs(price, jobs):
    """Also in every stretch of the work: nothing is saved up but the price of one."""
    shown = Previews(share=0.01, interval=0.1)
    spent = spend(shown, list("abc")[:jobs], 0.02, price, 20_000)
    assert sum(spent) <= 0.01 * 400 + price
    rare = max(0.1 / jobs, price / 0.01)  # seconds from one to the next: their interval, or until one is earned
    assert sum(map(bool, spent)) >= 0.8 * 400 / (rare + 0.02)
    for start in range(0, 20_000, 500):
        assert sum(spent[start : start + 500]) <= 0.01 * 10 + price * 1.001


def test_previews_that_the_machine_held_up_are_paid_and_change_the_price_little():
    shown = Previews(share=0.01, interval=0.0)
    spent = spend(shown, ["a"], 0.02, 0.002, 20_000, held_up=5)
    assert sum(spent) <= 0.01 * 400 + 0.04
    assert sum(spent) >= 0.9 * 0.01 * 400  # one in five: the price is still that of the four


def test_who_has_waited_longest_is_shown_next():
    shown = Previews(share=1.0, interval=0.1)
    order = []
    for now in (1.0, 1.01, 1.02, 1.03, 1.2, 1.21):
        shown.earn(0.01)
        job = shown.choose(["a", "b"], now)
        order.append(job)
        if job:
            shown.pay(job, now, 0.001)
    assert order == ["a", "b", None, None, "a", "b"]


def test_the_price_is_earned_before_the_next():
    shown = Previews(share=0.01, interval=0.0)
    assert shown.choose(["a"], 0.0) == "a"  # nothing is known yet: the first one tells
    shown.pay("a", 0.0, 0.05)
    shown.earn(5.0)
    assert shown.choose(["a"], 5.0) is None
    shown.earn(5.1)
    assert shown.choose(["a"], 10.1) == "a"


def test_a_rest_earns_one_preview_and_no_share_means_none():
    shown = Previews(share=0.0001, interval=0.0)
    shown.pay("a", 0.0, 1.0)
    assert shown.choose(["a"], 1.0) is None
    shown.rest()
    assert shown.choose(["a"], 1.0) == "a"
    shown.pay("a", 1.0, 1.0)
    assert shown.choose(["a"], 2.0) is None
    none = Previews(share=0)
    none.rest()
    assert none.choose(["a"], 1.0) is None


@pytest.mark.parametrize("size", [(1024, 512), (64, 64), (2048, 8), (8, 2048)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_preview_is_small(size, mode):
    image = Image.new(mode, size)
    noise = os.urandom(size[0] * size[1] * len(mode))
    image.frombytes(noise)
    data = previews.encode(image)
    assert len(data) <= previews.MAX_BYTES
    assert max(Image.open(io.BytesIO(data)).size) <= previews.LONG_SIDE
