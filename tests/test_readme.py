"""What the README tells people to type works."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from studio import maintenance
from studio.settings import Settings
from tests.support.serving import ROOT, Served

TEXT = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines() if line]


def test_every_block_is_of_a_kind_that_is_tested():
    assert {kind for kind, _ in BLOCKS} == {"sh", "python"}


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make ")])
def test_make_verbs_exist_and_do_what_is_said(command):
    """A dry run from a place without an installation shows every step of it."""
    words = shlex.split(command)
    done = subprocess.run(
        [*words[:1], "--dry-run", "--always-make", *words[1:]], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "app.py" in done.stdout
    assert "torch~=" in done.stdout or "sed -n" in done.stdout
    for word in words[2:]:
        assert word.partition("=")[2] in done.stdout


def test_make_verbs_of_the_table_exist():
    verbs = re.findall(r"`make (\w+)`", TEXT)
    assert {"test", "lint", "bench", "train", "eval"} <= set(verbs)
    for verb in verbs:
        subprocess.run(["make", "--dry-run", verb], cwd=ROOT, check=True, capture_output=True)


def test_pip_equivalents_install_what_make_installs():
    requirement = re.search(r'"(torch~=[^"]+)"', (ROOT / "pyproject.toml").read_text())[1]
    assert f'.venv/bin/python -m pip install "{requirement}"' in COMMANDS
    assert ".venv/bin/python app.py" in COMMANDS


def test_flags_and_settings_exist():
    known = {f"--{name.replace('_', '-')}" for name in Settings.model_fields} | {"--editable", "--help"}
    known |= {flag for name in maintenance.COMMANDS for flag in maintenance.parser(name)._option_string_actions}
    known |= {"--only", "--rounds", "--seed"}  # of `make faults`
    assert set(re.findall(r"--[a-z][a-z-]+", TEXT)) <= known
    assert {name.lower() for name in re.findall(r"TRIPTYCH_(\w+)", TEXT)} <= set(Settings.model_fields)


def test_files_and_folders_exist():
    for name in re.findall(r"`((?:studio|pipelines)/[\w/.]*)`", TEXT):
        assert (ROOT / name).exists(), name
    assert (ROOT / "LICENSE").read_text().count("Apache License") >= 1


@pytest.mark.parametrize("code", [block for kind, block in BLOCKS if kind == "python"])
def test_python_runs(code: str, studio: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Against a studio of the test; all else as it is printed, on the bundled model."""
    assert "http://127.0.0.1:7860" in code
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("http://127.0.0.1:7860", studio.url), "README.md", "exec"), {})  # noqa: S102
    assert (tmp_path / "fox.png").read_bytes().startswith(b"\x89PNG")
