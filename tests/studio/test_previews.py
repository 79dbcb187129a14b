import io
import os

import pytest
from PIL import Image

from studio import previews
from studio.previews import Previews


def test_previews_take_no_more_than_their_share():
    shown = Previews(share=0.01, interval=0.1, most=0.04)
    spent, now = 0.0, 0.0
    for _ in range(10_000):
        now += 0.02
        shown.earn(0.02)
        job = shown.choose(["a", "b", "c"], now)
        if job:
            spent += 0.005
            shown.pay(job, now, 0.005)
    assert spent == pytest.approx(0.01 * 200, rel=0.05)


def test_who_has_waited_longest_is_shown_next():
    shown = Previews(share=1.0, interval=0.1, most=10)
    order = []
    for now in (1.0, 1.01, 1.02, 1.03, 1.2, 1.21):
        job = shown.choose(["a", "b"], now)
        order.append(job)
        if job:
            shown.pay(job, now, 0.001)
    assert order == ["a", "b", None, None, "a", "b"]


def test_a_rest_fills_the_purse_and_no_share_means_no_previews():
    shown = Previews(share=0.0001, interval=0.0, most=0.01)
    shown.pay("a", 0.0, 1.0)
    assert shown.choose(["a"], 1.0) is None
    shown.rest()
    assert shown.choose(["a"], 1.0) == "a"
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
