"""A sketch is answered at once and leaves no trace; as a job it is the same picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.serving import Served, finished

TINY = {"model": "tiny", "steps": 2, "width": 64, "height": 64, "seed": 5, "prompt": "a small red boat"}


def test_a_sketch_is_the_picture_that_a_job_makes_and_leaves_no_trace(studio: Served):
    with studio.client() as client:
        answer = client.post("/api/sketches", json=TINY)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert client.get("/api/jobs").json()["jobs"] == []
        assert client.get("/api/gallery").json()["items"] == []
        [job] = client.post("/api/jobs", json=TINY).json()["jobs"]
        kept = client.get(finished(client, job["id"])["artifact"]["url"])
    one, other = (np.asarray(Image.open(io.BytesIO(data))) for data in (answer.content, kept.content))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"steps": 9}, "steps: got 9, allowed is at most 8 for a sketch."),
        ({"count": 2}, "count: got 2, allowed is 1 for a sketch."),
        ({"steps": 0}, "steps"),
        ({"model": "nope"}, "model"),
        ({"kind": "speech", "width": 100_000}, "width"),
    ],
)
def test_what_is_no_sketch_is_refused_with_a_sentence(studio: Served, fields: dict, said: str):
    with studio.client() as client:
        answer = client.post("/api/sketches", json=TINY | fields)
    assert answer.status_code in (404, 422)
    assert said in answer.json()["error"]["message"]
    assert answer.json()["error"]["message"].count("\n") == 0
