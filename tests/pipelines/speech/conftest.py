"""The bundled voice, opened once."""

from __future__ import annotations

import pytest

from pipelines.speech import known
from pipelines.speech.opening import open_voice
from pipelines.speech.pipeline import SpeechPipeline


@pytest.fixture(scope="session")
def hibari() -> SpeechPipeline:
    """The bundled voice."""
    return open_voice(known.hibari(), None, lambda text, part: None)
