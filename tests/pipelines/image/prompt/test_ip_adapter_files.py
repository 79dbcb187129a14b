"""Where a model's adapter for pictures lies, whose it is, and what is refused before it is opened."""

from __future__ import annotations

import json

import pytest

from pipelines.catalog.catalog import Catalog
from pipelines.errors import ModelUnavailable
from pipelines.image.prompt import ip_adapter_files
from pipelines.runtime.model_pool import ModelPool
from tests.pipelines.image.prompt.test_ip_adapter import FILES, PICTURES, RED, shows
from tests.pipelines.support.image_requests import difference, request, run
from tests.support import tiny


def damaged(tmp_path, harm):
    tiny.tiny_adapter(tiny.tiny_sd(tmp_path / "sd"))
    harm(tmp_path / "sd" / "ip-adapter")
    return Catalog([tmp_path]).find("sd")


def pickled(folder):
    file = next(folder.glob("*.safetensors"))
    file.rename(file.with_suffix(".bin"))


def of_another_model(folder):
    tiny.tiny_sdxl(folder.parent.parent / "xl")
    tiny.tiny_adapter(folder.parent.parent / "xl")
    (folder.parent.parent / "xl/ip-adapter/ip.safetensors").replace(folder / "ip.safetensors")


def without_eyes(folder):
    (folder / "image_encoder/model.safetensors").unlink()


def nonsense(folder):
    next(folder.glob("*.safetensors")).write_bytes(b"\xff" * 100)


HARMS = {pickled: "pickle", of_another_model: "another base model", without_eyes: "image encoder", nonsense: "damaged"}


@pytest.mark.parametrize("harm", HARMS)
def test_what_does_not_fit_is_refused_before_memory_is_taken(harm, tmp_path):
    entry = damaged(tmp_path, harm)
    with pytest.raises(ModelUnavailable, match=HARMS[harm]) as told:
        entry.check(shows(("what", RED, 1.0), model="sd"))
    assert str(tmp_path) not in str(told.value)
    entry.check(request(model="sd"))  # plain prompts are none the worse


def test_an_adapter_of_other_blocks_is_found_when_it_is_opened(tmp_path):
    tiny.tiny_sd(tmp_path / "sd")
    tiny.tiny_sd(tmp_path / "larger", layers_per_block=2)
    tiny.tiny_adapter(tmp_path / "larger")
    (tmp_path / "larger/ip-adapter").rename(tmp_path / "sd/ip-adapter")
    pipe = ModelPool(Catalog([tmp_path]), "cpu").pipeline(request(model="sd"))
    with pytest.raises(ModelUnavailable, match="another base model"):
        pipe.prepare(shows(("what", RED, 1.0), model="sd"), FILES)
    pipe.step([pipe.prepare(request(model="sd"), {})])


def test_eyes_that_lack_weights_are_not_drawn_at_random(tmp_path):
    model = tiny.tiny_adapter(tiny.tiny_sd(tmp_path / "sd"))
    config = model / "ip-adapter/image_encoder/config.json"
    config.write_text(config.read_text().replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))
    pipe = ModelPool(Catalog([tmp_path]), "cpu").pipeline(request(model="sd"))
    with pytest.raises(ModelUnavailable, match="lacks some of its weights"):
        pipe.prepare(shows(("what", RED, 1.0), model="sd"), FILES)


def test_the_folder_has_its_own_eyes_or_those_beside_it(tmp_path):
    model = tiny.tiny_sd(tmp_path / "sd")
    assert ip_adapter_files.find(model, "sd", 16) is None
    tiny.tiny_adapter(model)
    (model / "ip-adapter/image_encoder").rename(tmp_path / "sprite-clip")
    (model / "ip-adapter/ip.safetensors").rename(model / ip_adapter_files.OWN)
    found = ip_adapter_files.find(model, "sd", 16)
    assert (found.encoder, found.unit, found.fault) == (tmp_path / "sprite-clip", True, "")
    pipe = ModelPool(Catalog([tmp_path]), "cpu").pipeline(request(model="sd"))
    pipe.prepare(shows(("what", RED, 1.0), model="sd"), FILES)
    assert abs(pipe._looking.look(RED, PICTURES[RED]).norm().item() - 1) < 1e-5
    assert json.loads((model / "model_index.json").read_text())["_class_name"] == "StableDiffusionPipeline"


def published(tmp_path):
    """Two models that know nothing of pictures, and beside them adapters as h94/IP-Adapter lays them out."""
    for name, make, part in (("sd", tiny.tiny_sd, "models"), ("xl", tiny.tiny_sdxl, "sdxl_models")):
        made = tiny.tiny_adapter(make(tmp_path / name)) / "ip-adapter"
        (tmp_path / "IP-Adapter" / part).mkdir(parents=True)
        made.joinpath("ip.safetensors").rename(tmp_path / "IP-Adapter" / part / f"ip-adapter_{name}.safetensors")
        made.joinpath("image_encoder").rename(tmp_path / "IP-Adapter" / part / "image_encoder")
        made.rmdir()
    return tmp_path / "IP-Adapter"


def test_a_folder_of_adapters_serves_the_models_beside_it(tmp_path):
    shared = published(tmp_path)
    tiny.tiny_sd(tmp_path / "other", layers_per_block=2)
    catalog = Catalog([tmp_path])
    found = {id: catalog.find(id).adapter for id in ("sd", "xl", "other")}
    assert found["sd"].file == shared / "models/ip-adapter_sd.safetensors"
    assert found["xl"].file == shared / "sdxl_models/ip-adapter_xl.safetensors"
    assert found["other"] is None  # as wide, but of other blocks
    assert not found["sd"].fault
    assert not found["xl"].fault
    assert [entry.id for entry in catalog.entries("image") if entry.source == "folder"] == ["other", "sd", "xl"]
    pipe = ModelPool(catalog, "cpu").pipeline(request(model="xl"))
    seen, dumb = run(pipe, shows(("what", RED, 1.0), model="xl"), request(model="xl"), pictures=FILES)
    assert difference(seen.latents, dumb.latents) > 1e-4


def test_the_plain_one_is_taken_unless_another_is_named(tmp_path):
    shared = published(tmp_path)
    plain = shared / "models/ip-adapter_sd.safetensors"
    for other in ("ip-adapter-full-face_sd", "ip-adapter-plus_sd"):
        (shared / f"models/{other}.safetensors").write_bytes(plain.read_bytes())
    assert Catalog([tmp_path]).find("sd").adapter.file == plain
    (tmp_path / "sd/triptych.json").write_text('{"ip_adapter": "ip-adapter-plus_sd.safetensors"}')
    assert Catalog([tmp_path]).find("sd").adapter.file.name == "ip-adapter-plus_sd.safetensors"


def test_eyes_are_those_whose_vectors_the_adapter_takes(tmp_path):
    """As `ip-adapter_sdxl_vit-h` takes the encoder of the folder `models`."""
    shared = published(tmp_path)
    config = shared / "sdxl_models/image_encoder/config.json"
    config.write_text(config.read_text().replace('"projection_dim": 12', '"projection_dim": 16'))
    assert Catalog([tmp_path]).find("xl").adapter.encoder == shared / "models/image_encoder"
    (shared / "models/image_encoder").rename(shared / "models/eyes")
    assert "lacks its own image encoder" in Catalog([tmp_path]).find("xl").adapter.fault
    assert "lacks its own image encoder" in Catalog([tmp_path]).find("sd").adapter.fault


def test_adapters_in_the_cache_serve_the_models_there(tmp_path):
    shared = published(tmp_path)
    for name, folder in (("models--h94--IP-Adapter", shared), ("models--a--b", tmp_path / "sd")):
        (tmp_path / "hub" / name / "snapshots").mkdir(parents=True)
        folder.rename(tmp_path / "hub" / name / "snapshots/abc")
    found = ip_adapter_files.find(tmp_path / "hub/models--a--b/snapshots/abc", "a/b", 16)
    assert (found.file.name, found.fault) == ("ip-adapter_sd.safetensors", "")
