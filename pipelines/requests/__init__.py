"""What a person may ask for: frozen, validated, plain values. No torch here: the web process uses them.

Bounds stand beside the field, so that the page, the API and the docs read them from one place (`bounds`).
"""

from __future__ import annotations

import json
from typing import Literal, overload

from pydantic import ValidationError

from pipelines.errors import InvalidRequest
from pipelines.requests.align import AlignRequest
from pipelines.requests.caption import CaptionRequest, CaptionStyle
from pipelines.requests.common import MAX_SEED, RANDOM_SEED, SHOWN, Asked, Priority, bounds, refusal, shown
from pipelines.requests.compose import MAX_PARTS, MAX_PICTURES, Blend, Margins, Part, Role
from pipelines.requests.image import ImageRequest, Sampler
from pipelines.requests.speech import AudioFormat, SpeechRequest

__all__ = ["KINDS", "MAX_PARTS", "MAX_PICTURES", "MAX_SEED", "RANDOM_SEED", "SHOWN", "AlignRequest", "Asked",
           "AudioFormat", "Blend", "CaptionRequest", "CaptionStyle", "ImageRequest", "Margins", "Part", "Priority",
           "Request", "Role", "Sampler", "SpeechRequest", "bounds", "from_json", "make", "shown"]  # fmt: skip

Request = ImageRequest | SpeechRequest | CaptionRequest | AlignRequest
KINDS: dict[str, type[Request]] = {
    kind.model_fields["kind"].default: kind for kind in (ImageRequest, SpeechRequest, CaptionRequest, AlignRequest)
}


@overload
def make(kind: Literal["image"], **fields: object) -> ImageRequest: ...
@overload
def make(kind: Literal["speech"], **fields: object) -> SpeechRequest: ...
@overload
def make(kind: Literal["caption"], **fields: object) -> CaptionRequest: ...
@overload
def make(kind: Literal["align"], **fields: object) -> AlignRequest: ...
@overload
def make(kind: str, **fields: object) -> Request: ...
def make(kind: str, **fields: object) -> Request:
    """A validated request; raises InvalidRequest with the first field that is wrong."""
    if kind not in KINDS:
        raise InvalidRequest("kind", kind, "one of " + ", ".join(KINDS))
    try:
        return KINDS[kind](**fields)
    except ValidationError as error:
        raise refusal(KINDS[kind], error) from error


def from_json(text: str | bytes) -> Request:
    """The request that `model_dump_json` wrote; raises InvalidRequest."""
    try:
        fields = json.loads(text)
        kind = fields.pop("kind")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InvalidRequest("request", "something else", "a JSON object with a kind") from error
    return make(str(kind), **fields)
