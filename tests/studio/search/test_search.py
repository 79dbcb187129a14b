"""Search by words and by meaning, over a store with artifacts whose vectors are known."""

import asyncio
import time

import numpy as np
import pytest

from pipelines.alignment.thresholds import Limits
from pipelines.base import Artifact
from pipelines.errors import NotAllowed, NotFound
from pipelines.requests import ImageRequest
from studio.search.index import VectorIndex
from studio.search.search import Search
from studio.storage.gallery import Gallery
from studio.storage.records import ArtifactRow, Job, JobStatus
from studio.storage.store import Store

DIM, SHA = 8, "0" * 64


def unit(*values):
    vector = np.zeros(DIM, np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)


class Knows:
    """An engine that answers every question with one vector, or with an error."""

    def __init__(self, vector=None, error=None):
        self.vector, self.error = vector, error

    async def answered(self, owner, request, seconds):
        if self.error:
            raise self.error
        return Artifact("align", "", self.vector.astype("<f4").tobytes(), {"dim": DIM})


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "triptych.db")
    yield store
    store.close()


def add(store, words, vector=None, owner="ann", kind="image", hidden=False):
    job = Job(owner, ImageRequest(prompt=words, seed=1), time.time())
    store.add(job)
    job = job.to(JobStatus.RUNNING)
    done = job.to(JobStatus.DONE, artifact_id=job.id)
    data = b"" if vector is None else vector.astype(np.float16).tobytes()
    row = ArtifactRow(
        id=job.id, owner=owner, job_id=job.id, kind=kind, media_type="image/png", width=1, height=1, bytes=1,
        model="sprite", prompt=words, seed=1, created=0, hidden=hidden, request=job.request.model_dump_json(),
        info="{}", vector=data,
    )  # fmt: skip
    return store.add_artifact(row, done)


def test_what_means_the_same_is_found_without_its_words(store):
    add(store, "a dog", unit(0, 1))
    cat = add(store, "a cat", unit(1, 0.2))
    found, note = asyncio.run(Search(Knows(unit(1, 0)), store).by_text("ann", "kitten", 10))
    assert found[0].id == cat.id
    assert note == ""


def test_what_has_the_words_and_the_meaning_comes_first_and_all_kinds_are_in_one_list(store):
    rows = [
        add(store, "a cat", unit(1, 0.1)),
        add(store, "a spoken cat", unit(1, 0.3), kind="speech"),
        add(store, "an apple", unit(1, 0.05)),
    ]
    found, _ = asyncio.run(Search(Knows(unit(1, 0)), store).by_text("ann", "cat", 10))
    assert {row.id for row in found} == {row.id for row in rows}
    assert found[-1].prompt == "an apple"
    assert {row.kind for row in found[:2]} == {"image", "speech"}


def test_without_the_device_the_words_still_find_and_it_is_said(store):
    row = add(store, "a cat")
    add(store, "a dog")
    found, note = asyncio.run(
        Search(Knows(error=NotAllowed("The studio is still starting.")), store).by_text("ann", "cat", 10)
    )
    assert [other.id for other in found] == [row.id]
    assert note == "The studio is still starting."


def test_only_ones_own_and_nothing_hidden(store):
    add(store, "a cat", unit(1), owner="bob")
    add(store, "a cat", unit(1), hidden=True)
    assert asyncio.run(Search(Knows(unit(1)), store).by_text("ann", "cat", 10))[0] == []


def test_like_another_leaves_that_one_out_and_wants_a_vector(store):
    first, second = add(store, "a cat", unit(1, 0.1)), add(store, "a dog", unit(0, 1))
    search = Search(Knows(), store)
    assert [row.id for row in search.like("ann", first, 10)] == [second.id]
    with pytest.raises(NotFound, match="no place"):
        search.like("ann", add(store, "old"), 10)


def test_new_ones_are_found_and_deleted_ones_are_not(store):
    search = Search(Knows(unit(1)), store)
    first = add(store, "one", unit(1, 0.5))
    assert [row.id for row in asyncio.run(search.by_picture("ann", SHA, 5))] == [first.id]
    second = add(store, "two", unit(1))
    assert [row.id for row in asyncio.run(search.by_picture("ann", SHA, 5))] == [second.id, first.id]
    store.delete_artifacts(second.owner, [second.id])
    third = add(store, "three", unit(1, 0.1))
    assert [row.id for row in asyncio.run(search.by_picture("ann", SHA, 5))] == [third.id, first.id]


def test_the_nearest_are_those_that_numpy_finds_and_the_matrix_grows(store):
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(600, DIM)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    numbers = [add(store, "x", row).number for row in rows]
    found = VectorIndex(store).nearest("ann", rows[5], 10)
    cosines = rows.astype(np.float16).astype(np.float32) @ rows[5]
    best = np.argsort(-cosines)[:10]
    assert found[0][0] == numbers[5]
    assert [number for number, _ in found] == [numbers[i] for i in best]
    assert np.allclose([cosine for _, cosine in found], cosines[best], atol=2e-3)


def test_vectors_of_another_model_are_left_out(store):
    add(store, "one", np.ones(4) / 2)
    assert VectorIndex(store).nearest("ann", unit(1), 5) == []


def test_a_picture_keeps_its_vector_through_the_gallery(tmp_path, store, png_bytes):
    gallery = Gallery(tmp_path, store)
    job = Job("ann", ImageRequest(prompt="x", seed=1), time.time()).to(JobStatus.RUNNING)
    store.add(job)
    done = gallery.save(job, Artifact("image", "image/png", png_bytes, {}, unit(1).astype(np.float16).tobytes()))
    assert len(gallery.artifact("ann", done.artifact_id).vector) == 2 * DIM


@pytest.fixture
def png_bytes():
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, "PNG")
    return buffer.getvalue()


def test_what_is_not_like_the_words_is_left_out(store):
    """The cosines here are 0.8 and 0.6; a caption lies where its picture lies, a recording where its text lies."""
    near, far = unit(1, 0.75), unit(1, 4 / 3)
    kinds = ("image", "caption", "speech")
    ids = {(kind, place): add(store, f"{kind} {i}", vector, kind=kind).id
           for kind in kinds for i, (place, vector) in enumerate([("near", near), ("far", far)])}  # fmt: skip
    rows, note = asyncio.run(Search(Knows(unit(1)), store, Limits(pictures=0.7, texts=0.9)).by_text("ann", "zzz", 9))
    assert ({row.id for row in rows}, note) == ({ids["image", "near"], ids["caption", "near"]}, "")
    assert len(asyncio.run(Search(Knows(unit(1)), store).by_text("ann", "zzz", 9))[0]) == 6
