"""The domain errors. Each says, in one sentence for a person: field, what came, what is allowed."""


class TriptychError(Exception):
    """Base of everything that we raise on purpose. `str(error)` is a sentence for a person: no path, no traceback.

    It can be sent anywhere: what is no text in it (of a file name, half an emoji) is written as its escape.
    """

    code = "error"

    def __init__(self, sentence: str = ""):
        super().__init__(sentence.encode("utf-8", "backslashreplace").decode("utf-8"))


class InvalidRequest(TriptychError):
    """A field of a request is out of its bounds; refused before any memory is taken."""

    code = "invalid"

    def __init__(self, field: str, got: object, allowed: str):
        self.field, self.got, self.allowed = field, _short(got), allowed
        super().__init__(f"{field}: got {self.got}, allowed is {allowed}.")


class UnknownModel(TriptychError):
    """The catalog has no model of that name."""

    code = "unknown_model"


class ModelUnavailable(TriptychError):
    """The model is known but cannot be opened: not on disk, unsafe (pickle only) or damaged."""

    code = "model_unavailable"


class BadUpload(TriptychError):
    """An uploaded file is not what its place allows."""

    code = "bad_upload"


class TooLarge(TriptychError):
    """The job can never fit into the memory budget of this device."""

    code = "too_large"


class OutOfMemory(TriptychError):
    """The device ran out of memory in a step; no state has moved."""

    code = "out_of_memory"


class NotFinite(TriptychError):
    """NaN or infinity appeared in the latents of one job."""

    code = "not_finite"


class WorkerLost(TriptychError):
    """The worker process died while it held the job."""

    code = "worker_lost"


class NotFound(TriptychError):
    """No such job or artifact, or it belongs to somebody else (we do not say which)."""

    code = "not_found"


class NotAllowed(TriptychError):
    """The job is not in a state in which that can be done, or a limit of the studio forbids it."""

    code = "not_allowed"


class NoRoom(NotAllowed):
    """The disk is almost full, or an owner keeps as much as one may."""

    code = "no_room"


class TooMany(NotAllowed):
    """Too many at once, or too fast; the same is welcome in `seconds`."""

    code = "too_many"

    def __init__(self, sentence: str, seconds: int):
        self.seconds = seconds
        super().__init__(sentence)


class Unwritable(TriptychError):
    """What has to be kept cannot be written now, though nothing is wrong with it."""

    code = "unwritable"


class Busy(Unwritable):
    """Another program holds the database; that passes."""

    code = "busy"


class DiskFull(Unwritable):
    """There is no room for it."""

    code = "no_room"


def _short(value: object, limit: int = 60) -> str:
    """`repr` of a value, cut so that a 1 MB prompt does not become a 1 MB sentence; of what is nested, a summary."""
    if isinstance(value, str) and len(value) > limit:
        return f"{value[:20]!r}… ({len(value):,} characters)"
    text = repr(value)
    if len(text) <= limit:
        return text
    if isinstance(value, list | tuple):
        return f"a list of {len(value):,}"
    names = f"an object with {', '.join(map(str, value))}" if isinstance(value, dict) else text
    return names if len(names) <= limit else names[: limit - 1] + "…"
