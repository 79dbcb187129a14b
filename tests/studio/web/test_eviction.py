"""More models than fit into the budget, through the API: the one that was used longest ago makes room."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.catalog.catalog import Catalog
from studio.settings import Settings
from tests.support.serving import Served, finished, served

SMALL = {"steps": 1, "width": 64, "height": 64, "guidance_scale": 1}


def _opened(running: Served, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Ids of the jobs that a model was opened for: their notes tell of it."""
    desk, ids = running.studio.engine._manager, set()
    tell = desk.tell

    def telling(live) -> None:
        if live.note.startswith("loading"):
            ids.add(live.job.id)
        tell(live)

    monkeypatch.setattr(desk, "tell", telling)
    return ids


def test_models_that_do_not_fit_together_take_turns(tmp_path: Path, monkeypatch):
    from tests.support.tiny import tiny_sd

    for name in ("one", "two"):
        tiny_sd(tmp_path / "models" / name, block_out_channels=(8, 256))  # heavy for what it calculates
    weights = Catalog([tmp_path / "models"]).find("one").weight_bytes(4)
    settings = Settings(data_dir=tmp_path / "data", models_dir=tmp_path / "models", device="cpu",
                        memory=2.5 * weights / 2**30)  # fmt: skip
    with served(settings, {"threads": 1}, page=False) as running, running.client() as client:
        opened, asked = _opened(running, monkeypatch), []
        for model in ("one", "one", "two", "one"):
            [job] = client.post("/api/jobs", json={**SMALL, "model": model}).json()["jobs"]
            view = finished(client, job["id"])
            assert view["status"] == "done", view
            asked.append(job["id"])
        assert [id in opened for id in asked] == [True, False, True, True]
