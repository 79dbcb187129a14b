"""Live previews within a budget: at most a small share of the time spent on steps goes into them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

LONG_SIDE = 256  # pixels
MAX_BYTES = 10_000
MEDIA_TYPE = "image/jpeg"


class Previews:
    """Who is shown next, and whether there is time for it.

    Every second of steps earns `share` seconds of previews; each preview is paid for with the time that it took. So
    the cost is bounded whatever the number of jobs and however slow the decoder. A job is shown at most once
    in `interval` seconds. The purse holds `most` seconds, and is full after a rest: the first picture moves early.
    A share of 0 means no previews.
    """

    def __init__(self, share: float = 0.008, interval: float = 1 / 3, most: float = 0.04):
        self._share, self._interval, self._most = share, interval, most if share else 0.0
        self._purse = self._most
        self._shown: dict[str, float] = {}

    def rest(self) -> None:
        """The device is idle: previews of the next job cost nobody anything."""
        self._purse = self._most

    def earn(self, seconds: float) -> None:
        self._purse = min(self._purse + seconds * self._share, self._most)

    def pay(self, job_id: str, now: float, seconds: float) -> None:
        self._shown[job_id] = now
        self._purse -= seconds

    def choose(self, job_ids: Iterable[str], now: float) -> str | None:
        """The job that has waited longest to be seen, or None where nobody is due or the purse is empty."""
        if self._purse <= 0:
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
