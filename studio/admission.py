"""What is refused before a row is written: one sentence each, and nothing has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import InvalidRequest, NotAllowed, NotFound
from pipelines.requests import KINDS, AlignRequest, Request
from studio import limits

if TYPE_CHECKING:
    from pipelines.catalog import Catalog
    from studio.gallery import Gallery


def check_model(catalog: Catalog, request: Request) -> None:
    """Raises UnknownModel, ModelUnavailable, InvalidRequest.

    What a model that is not on this machine yet can do is known only when it has been fetched.
    """
    entry = catalog.find(request.model)
    if entry.ready:
        entry.check(request)


def check_uploads(gallery: Gallery, owner: str, request: Request) -> None:
    """Raises InvalidRequest where a file that the request names is not one of the owner's."""
    for sha in request.uploads():
        try:
            gallery.upload(owner, sha)
        except NotFound as error:
            raise InvalidRequest(_field(request, sha), sha, "a file that you have uploaded") from error


def _field(request: Request, sha: str) -> str:
    """The field that names the file."""
    return next((name for name in type(request).model_fields if getattr(request, name) == sha), "pictures")


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
