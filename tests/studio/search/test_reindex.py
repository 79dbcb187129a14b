"""When the alignment has other weights, everything in the gallery gets a new place, also over a restart."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipelines.requests import CaptionRequest
from studio.search.reindex import Reindexer
from tests.studio.support.batch_studio import ME, Desk, picture, soon
from tests.studio.support.fake_alignment import NAMES


def test_vectors_of_other_weights_are_made_anew_and_only_once(desk: Desk, tmp_path: Path):
    jobs = [desk.engine.submit(ME, CaptionRequest(picture=desk.gallery.keep_upload(ME, picture(colour))))[0]
            for colour in ("red", "blue")]  # fmt: skip
    ids = [soon(lambda job=job: desk.engine.view(ME, job.id)["artifact"])["id"] for job in jobs]
    model, told = tmp_path / "model", []
    model.mkdir()
    (model / "model.safetensors").write_bytes(b"first")

    def run() -> None:
        Reindexer(desk.engine, desk.gallery, desk.store, tmp_path, model, lambda: told.append(1))._once()

    def places() -> list[str]:
        lines = [np.frombuffer(desk.gallery.artifact(ME, id).vector, np.float16) for id in ids]
        return [NAMES[int(line.argmax())] if len(line) == len(NAMES) else "" for line in lines]

    assert places() == ["", ""]  # what the captioner gave them is of another length
    run()
    assert (places(), bool(told)) == (["red", "blue"], True)
    assert not list((tmp_path / "data" / "uploads").glob("**/refreshing/*")), "what was needed for it is gone"
    told.clear()
    run()
    assert told == [], "nothing has changed"
    (model / "model.safetensors").write_bytes(b"second")
    with desk.store.transaction() as db:
        db.execute("UPDATE artifacts SET vector = x'00'")
    run()
    assert places() == ["red", "blue"]
