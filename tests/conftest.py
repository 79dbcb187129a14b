"""What every test may use: nothing comes from a network, and a studio is there for those who need one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from studio.settings import Settings
from tests.support.serving import Served, served

os.environ.update(HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1")
# models this small are no faster with more threads, and far slower where the cores are shared: they wait by spinning
os.environ.setdefault("OMP_NUM_THREADS", "1")
# a shared machine is slow now and then; that is no failure
hypothesis.settings.register_profile("triptych", deadline=None)
hypothesis.settings.load_profile("triptych")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRIPTYCH_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with one random model, "tiny": 64 x 64 pixels, a picture in a moment; and "tiny-fast"."""
    from tests.support.tiny import tiny_few_step, tiny_sd

    folder = tmp_path_factory.mktemp("models")
    tiny_few_step(tiny_sd(folder / "tiny"))
    return folder


@pytest.fixture(scope="session")
def studio(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A whole studio with its page, shared by all tests: use an owner of your own (`studio.client()`)."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), models_dir=tiny_models, device="cpu")
    with served(settings, {"threads": 1}) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium for the browser tests."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found and os.environ.get("CI"):
        pytest.fail("No Chromium: .ci/run installs it.")
    return found or pytest.skip("No Chromium: install one (apt-get install chromium), or set CHROMIUM to its path.")
