"""What the store knows of one artifact."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipelines import requests

Vector = bytes  # float16


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """What the gallery knows of one file. `bytes` is its size; `request` and `info` are JSON texts.

    `number` grows with every artifact and is the cursor of the listing. Hidden ones are in no listing. `prompt` is what
    it is found by: the prompt, the text spoken, the caption. `vector`: its place in the alignment's space, float16.
    """

    id: str
    owner: str
    job_id: str
    kind: str
    media_type: str
    width: int | None
    height: int | None
    bytes: int
    model: str
    prompt: str
    seed: int | None
    created: float
    hidden: bool
    request: str
    info: str
    number: int = 0
    vector: Vector = b""

    @property
    def score(self) -> float | None:
        """How well picture and words agree, 0…1; None where nobody has looked."""
        return (json.loads(self.info).get("alignment") or {}).get("score")

    def made_from(self) -> requests.Request:
        """The request that this was made from."""
        return requests.from_json(self.request)
