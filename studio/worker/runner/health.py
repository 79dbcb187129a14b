"""Whether this worker can still be trusted: some failures leave a process behind in which others follow from them."""

from __future__ import annotations

from pipelines.errors import OutOfMemory, TriptychError

MOST = 3  # failures


class Unforeseen(TriptychError):
    """In the place of an error that nobody has thought of."""


class Health:
    """Told how every job ends.

    Unforeseen errors in a row mean an ill worker: what is done in between shows that it is the jobs that are wrong.
    Memory that was short counts in any case, as afterwards a library may fail at all sizes that are new to it, and at
    no others.
    """

    def __init__(self) -> None:
        self._row = self._short = 0
        self._last: TriptychError | None = None

    def finished(self) -> None:
        """A job is done."""
        self._row = 0

    def failed(self, error: TriptychError) -> None:
        """A job is over with that; several may be with the same."""
        if error is self._last:
            return
        self._last = error
        self._short += isinstance(error, OutOfMemory)
        self._row += isinstance(error, OutOfMemory) or _unforeseen(error)

    @property
    def ill(self) -> bool:
        """A fresh worker should go on, now."""
        return max(self._row, self._short) >= MOST

    @property
    def tired(self) -> bool:
        """The same, when there is nothing to do."""
        return self.ill or self._short > 0


def _unforeseen(error: TriptychError) -> bool:
    """Also where a pipeline has put words of its own around it."""
    cause = error.__cause__
    return error.code == TriptychError.code and (
        isinstance(error, Unforeseen) or (cause is not None and not isinstance(cause, TriptychError))
    )
