"""The bundled voice, opened once, and a recording."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
import torch

from pipelines.speech import catalog
from pipelines.speech.opening import open_voice
from pipelines.speech.pipeline import SpeechPipeline


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Models this small are no faster with more, and far slower where the cores are busy."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def hibari() -> SpeechPipeline:
    """The bundled voice."""
    return open_voice(catalog.hibari(), None, lambda text, part: None)


@pytest.fixture(scope="session")
def recording() -> bytes:
    """Two seconds of a tone that swells, as WAV."""
    time = np.arange(48000) / 24000
    samples = (np.sin(2 * np.pi * 200 * time) * (1 + np.sin(8 * time)) * 8000).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(24000)
        out.writeframes(samples.tobytes())
    return file.getvalue()
