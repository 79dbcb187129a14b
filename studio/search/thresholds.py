"""From which numbers on an answer of the alignment means something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.alignment.thresholds import Limits
from pipelines.errors import TriptychError
from pipelines.requests import AlignRequest

if TYPE_CHECKING:
    from pipelines.catalog.catalog import Catalog


def limits_of(catalog: Catalog) -> Limits:
    """From which numbers on the answers of the alignment that is used mean something."""
    try:
        found = catalog.find(AlignRequest().model)
    except TriptychError:
        return Limits()
    return getattr(found, "limits", Limits())  # another kind of model may have its name
