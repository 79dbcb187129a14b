"""What is refused before a row is written: one sentence each, and nothing has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import InvalidRequest, NotAllowed, NotFound
from pipelines.requests import Request
from studio import limits

if TYPE_CHECKING:
    from pipelines.catalog import Catalog
    from studio.gallery import Gallery


def check_model(catalog: Catalog, request: Request) -> None:
    """Raises UnknownModel, ModelUnavailable, InvalidRequest.

    What a model that is not on this machine yet can do is known only when it has been fetched.
    """
    entry = catalog.find(request.model)
    if entry.folder:
        entry.check(request)


def check_picture(gallery: Gallery, owner: str, request: Request) -> None:
    """Raises InvalidRequest where the start picture is not one of the owner's."""
    sha = request.start_picture
    if sha is None:
        return
    try:
        gallery.upload(owner, sha)
    except NotFound as error:
        raise InvalidRequest("start_picture", sha, "a picture that you have uploaded") from error


def check_room(there: int, more: int) -> None:
    """Raises NotAllowed where an owner with `there` unfinished jobs wants too many more."""
    if there + more > limits.JOBS_PER_OWNER:
        raise NotAllowed(
            f"You have {there:,} jobs in line and want {more} more; at most {limits.JOBS_PER_OWNER:,} are kept for "
            "one person. Wait for some of them or cancel some."
        )
