"""Live previews within a budget: at most a small share of the time spent on steps goes into them."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

LONG_SIDE = 256  # pixels
MAX_BYTES = 10_000
MEDIA_TYPE = "image/jpeg"
PRICES = 9  # of the latest previews; half of them may have been held up


class Previews:
    """Who is shown next, and whether there is time for it.

    What a preview costs is learnt on this machine: the price is the median of the latest ones, in seconds, so that one
    which the machine held up changes little. Every second of steps earns `share` seconds of previews. The next one is
    made when its price has been earned, and pays what it took in truth: the slower they are beside a step, the rarer.
    No more than one price is saved up, and a rest earns it too: the first picture moves early. A job is shown at most
    once in `interval` seconds. A share of 0 means no previews.
    """

    def __init__(self, share: float = 0.008, interval: float = 1 / 3):
        self._share, self._interval = share, interval
        self._took: deque[float] = deque(maxlen=PRICES)
        self._price = self._purse = 0.0
        self._shown: dict[str, float] = {}

    def rest(self) -> None:
        """The device is idle: the first preview of the next job costs nobody anything."""
        self._purse = self._price

    def earn(self, seconds: float) -> None:
        self._purse = min(self._purse + seconds * self._share, self._price)

    def pay(self, job_id: str, now: float, seconds: float) -> None:
        self._shown[job_id] = now
        self._purse -= seconds
        self._took.append(seconds)
        self._price = median(self._took)

    def choose(self, job_ids: Iterable[str], now: float) -> str | None:
        """The job that has waited longest to be seen, or None where nobody is due or the price is not yet earned."""
        if not self._share or self._purse < self._price:
            return None
        last = {job_id: self._shown.get(job_id, float("-inf")) for job_id in job_ids}
        due = [job_id for job_id in last if now - last[job_id] >= self._interval]
        return min(due, key=last.__getitem__, default=None)

    def forget(self, job_id: str) -> None:
        self._shown.pop(job_id, None)


def encode(image: Image) -> bytes:
    """A JPEG (several times cheaper to make than WebP) of at most 256 pixels on its long side and 10 kB."""
    small = image.convert("RGB")
    small.thumbnail((LONG_SIDE, LONG_SIDE))
    for quality in (75, 50, 25):
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MAX_BYTES:
            return buffer.getvalue()
    return encode(small.resize((max(1, small.width // 2), max(1, small.height // 2))))
