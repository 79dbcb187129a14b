"""Which models are found, what they recommend, and what is refused before memory is taken."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.catalog.catalog import Catalog
from pipelines.errors import InvalidRequest, ModelUnavailable, TooLarge, UnknownModel
from pipelines.requests import Sampler
from pipelines.runtime.model_pool import ModelPool
from tests.pipelines.support.image_requests import START, request


@pytest.fixture
def catalog(models: Path, tmp_path: Path) -> Catalog:
    return Catalog([models], bundled=tmp_path)


def test_folders_are_found_with_their_defaults(catalog: Catalog):
    found = {entry.id: entry for entry in catalog.entries() if entry.source == "folder"}
    edit = {"inpaint", "inpaint-xl", "instruct", "instruct-xl"}
    assert set(found) == {"sd", "sdxl", "lcm", "turbo", "v", "sample", "taesd"} | edit
    assert (found["sd"].factor, found["sd"].width, found["sd"].family) == (8, 64, "sd")
    assert (found["sdxl"].family, found["v"].prediction_type) == ("sdxl", "v_prediction")
    assert (found["lcm"].sampler, found["lcm"].steps, found["lcm"].embeds_guidance) == (Sampler.LCM, 4, True)
    assert (found["turbo"].guidance_scale, found["turbo"].steps) == (1.0, 4)
    assert found["taesd"].factor == 8
    assert (found["lcm"].sketch_steps, found["turbo"].sketch_steps, found["sd"].sketch_steps) == (4, 4, 0)
    assert Sampler.EULER_A not in found["sample"].samplers
    assert all(entry.stored_bytes > 100_000 for entry in found.values())


def test_a_maker_may_recommend_defaults(models: Path, tmp_path: Path):
    shutil.copytree(models / "sd", tmp_path / "mine")
    said = {"name": "Mine", "steps": 9, "sampler": "UniPC", "sketch_steps": 3}
    (tmp_path / "mine" / "triptych.json").write_text(json.dumps(said))
    entry = Catalog([], bundled=tmp_path).find("mine")
    assert (entry.name, entry.steps, entry.sampler, entry.source) == ("Mine", 9, Sampler.UNIPC, "bundled")
    assert entry.sketch_steps == 3


def test_unknown_names_are_refused(catalog: Catalog):
    for name in ("nothing", "../sd", "a/b/c", "owner/name@", "x" * 200, "/etc/passwd"):
        with pytest.raises(UnknownModel, match="there is no"):
            catalog.find(name)


def test_hub_ids_are_known_before_they_are_fetched(catalog: Catalog):
    entry = catalog.find("somebody/some-model@v2")
    assert (entry.source, entry.name, entry.revision, entry.folder) == ("hub", "somebody/some-model", "v2", None)


@pytest.mark.parametrize(
    ("model", "fields", "field"),
    [
        ("sd", {"width": 1024, "height": 1024}, "size"),
        ("sample", {"sampler": Sampler.EULER_A}, "sampler"),
        ("sd", {"sampler": Sampler.LCM, "steps": 51}, "steps"),
        ("sd", {"start_picture": START, "strength": 0.1, "steps": 5}, "strength"),
    ],
)
def test_what_a_model_cannot_do_is_refused_with_the_field(model, fields, field, catalog: Catalog):
    with pytest.raises(InvalidRequest) as refused:
        catalog.find(model).check(request(model=model, **fields))
    assert refused.value.field == field


def test_a_job_that_can_never_fit_is_refused_before_loading(models: Path):
    shelf = ModelPool(Catalog([models]), "cpu", memory_budget=1_000_000)
    with pytest.raises(TooLarge, match="GiB"):
        shelf.check(request())
    assert shelf.loaded() == []


def test_a_kind_that_is_not_supported_yet_says_so(models: Path, tmp_path: Path):
    shutil.copytree(models / "sd", tmp_path / "flux")
    (tmp_path / "flux" / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"}))
    with pytest.raises(ModelUnavailable, match="FluxPipeline; this kind of model is not supported yet"):
        Catalog([tmp_path]).find("flux")


def test_the_catalog_does_not_import_torch():
    code = "import sys, pipelines.catalog.catalog as c; c.Catalog().entries(); sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
