"""What pip installs is the whole studio: built from this checkout, unpacked elsewhere, started, and drawn with."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.support.serving import ROOT, finished, launched


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built as `pip wheel .` does, but with the build tool that is here already: a test has no network."""
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    build = [*pip, "--no-build-isolation", "--no-index", "--wheel-dir", str(out), "."]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return next(out.glob("triptych-*.whl"))


def listed(folder: str) -> set[str]:
    """The files of the checkout under a folder, as git knows them, in posix form."""
    files = (ROOT / folder).rglob("*")
    return {file.relative_to(ROOT).as_posix() for file in files if file.is_file() and "__pycache__" not in file.parts}


def test_everything_that_runs_is_inside_and_nothing_else(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    code = {"app.py", *listed("studio"), *listed("pipelines")}
    assets = {name.replace("assets/", "triptych_assets/", 1) for name in listed("assets")}
    assert inside == {name for name in code if not name.startswith("pipelines/training/")} | assets


def test_a_picture_is_drawn_from_what_pip_installs(wheel, tmp_path):
    place, data = tmp_path / "site", tmp_path / "data"
    zipfile.ZipFile(wheel).extractall(place)
    data.mkdir()
    with launched(data, installed=place) as (_, url), httpx.Client(base_url=url, timeout=60) as client:
        page = client.get("/").text
        assert "/studio/" in page
        for name in ("theme/frame.css", "examples/1.webp", "js/main.js"):
            base = page.split('"/studio/', 1)[1].split("/", 1)[0]
            assert client.get(f"/studio/{base}/{name}").status_code == 200, name
        asked = client.post("/api/jobs", json={"prompt": "a red apple", "steps": 2, "seed": 1}).raise_for_status()
        done = finished(client, asked.json()["jobs"][0]["id"])
        assert done["status"] == "done", done
        assert Image.open(io.BytesIO(client.get(done["artifact"]["url"]).content)).size == (256, 256)
