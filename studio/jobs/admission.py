"""What is refused before a row is written: one sentence each, and nothing has happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.errors import InvalidRequest, NotAllowed, NotFound
from pipelines.requests import KINDS, AlignRequest, Request
from studio import limits

if TYPE_CHECKING:
    from pipelines.catalog.catalog import Catalog
    from studio.storage.gallery import Gallery


GONE = "a picture that is not here any more"


class _Said(str):
    """Words about what came, where the thing itself would tell nobody anything: no quotation marks around them."""

    __repr__ = str.__str__


def check_model(catalog: Catalog, request: Request) -> None:
    """Raises UnknownModel, ModelUnavailable, InvalidRequest.

    What a model that is not on this machine yet can do is known only when it has been fetched.
    """
    entry = catalog.find(request.model)
    if entry.ready:
        entry.check(request)


def check_uploads(gallery: Gallery, owner: str, request: Request) -> None:
    """Raises InvalidRequest where a file that the request names is not one of the owner's, or is gone."""
    for sha in request.uploads():
        try:
            gallery.upload(owner, sha)
        except NotFound as error:
            field = _field(request.model_dump(), sha)
            if field.startswith(("parts", "blend", "mask")):  # chosen a while ago, perhaps, and no name tells anything
                raise InvalidRequest(field, _Said(GONE), "one that is: add it again") from error
            raise InvalidRequest(field, sha, "a file that you have uploaded") from error


def _field(fields: dict, sha: str) -> str:
    """The field that names the file: "start_picture", "parts.2.picture"."""
    return next((".".join(place) for place, value in _leaves(fields) if value == sha), "pictures")


def _leaves(value: object, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every plain value in a request, with the way to it. A list of plain values is one place."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*place, name))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*place, str(number)) if isinstance(inner, dict) else place)
    else:
        yield place, value


def check_kind(request: Request) -> None:
    """Raises InvalidRequest for what is only ever a question (`Engine.ask`): nothing of it is kept."""
    if isinstance(request, AlignRequest):
        jobs = ", ".join(kind for kind in KINDS if kind != request.kind)
        raise InvalidRequest("kind", request.kind, f"one of {jobs}")


def check_room(there: int, more: int) -> None:
    """Raises NotAllowed where an owner with `there` unfinished jobs wants too many more."""
    if there + more > limits.JOBS_PER_OWNER:
        raise NotAllowed(
            f"You have {there:,} jobs in line and want {more} more; at most {limits.JOBS_PER_OWNER:,} are kept for "
            "one person. Wait for some of them or cancel some."
        )
