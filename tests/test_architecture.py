"""The rooms and who may enter which: import directions, sizes, names at the top."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP = {
    "studio",
    "pipelines",
    "assets",
    "tests",
    "pyproject.toml",
    "app.py",
    "README.md",
    "LICENSE",
    "Makefile",
    ".ci",
    ".gitignore",
}
# What the web side may know of the models' side: plain data. The worker's process is the other side.
PLAIN = ("pipelines", "pipelines.requests", "pipelines.errors", "pipelines.assets", "pipelines.base",
         "pipelines.catalog.catalog", "pipelines.colours", "pipelines.runtime.out_of_memory", "pipelines.prompt_dialects",
         "studio.worker.runner.early_stop", "studio.batches.duplicates", "pipelines.alignment.thresholds",
         "pipelines.speech.audio.recordings",
         "pipelines.speech.subtitles")  # fmt: skip
CHILD = ("worker/process.py",)
MAX_LINES, MAX_TEST_LINES, MAX_FUNCTION = 400, 400, 50


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path, inside_functions: bool = True) -> set[str]:
    """Names of the modules that a file imports; what is imported for the type checker alone does not count."""
    tree = ast.parse(path.read_text("utf-8"))
    found: set[str] = set()
    for node in _walk(tree, inside_functions):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return found


def _walk(node: ast.AST, inside_functions: bool):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not inside_functions:
            continue
        yield child
        yield from _walk(child, inside_functions)


def modules(names: set[str], package: str) -> set[str]:
    return {name for name in names if name == package or name.startswith(f"{package}.")}


def test_the_top_level_is_exactly_as_drawn():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    assert {line.split("/")[0] for line in listed.stdout.splitlines()} <= TOP


@pytest.mark.parametrize("path", sources("pipelines"), ids=str)
def test_pipelines_never_import_studio(path):
    assert not modules(imports(path), "studio")


@pytest.mark.parametrize("path", sources("studio"), ids=str)
def test_studio_knows_only_plain_data_of_pipelines(path):
    used = modules(imports(path, inside_functions=path.name not in CHILD), "pipelines")
    foreign = {name for name in used if name not in PLAIN and name.rpartition(".")[0] not in PLAIN[1:]}
    assert not foreign


@pytest.mark.parametrize("name", ["scheduler", "capacity", "engine", "web", "build", "page"])
def test_the_web_process_never_imports_torch(name):
    heavy = ("torch", "diffusers", "transformers", "accelerate")
    code = f"import sys, studio.{name}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_whole_web_process_has_no_torch(idle_app):
    assert idle_app == "[]"


@pytest.fixture
def idle_app(tmp_path) -> str:
    """What of the heavy ones a process has imported that has built the whole application and answered."""
    code = f"""
import asyncio, sys
from pathlib import Path
import httpx
from studio.build import build
from studio.settings import Settings
from studio.web import create_app
if __name__ == "__main__":
    studio = build(Settings(data_dir=Path({str(tmp_path)!r})), {{"shelf":
    "tests.studio.support.fake_pipelines:open_shelf"}}) app = create_app(studio)
    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            assert (await client.get("/")).status_code == 200
        print([name for name in ("torch", "diffusers", "transformers") if name in sys.modules])
        await studio.close()
    asyncio.run(ask())
"""
    script = tmp_path / "whole.py"
    script.write_text(code)
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "GRADIO_ANALYTICS_ENABLED": "False"}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("path", [*sources("studio"), *sources("pipelines"), ROOT / "app.py"], ids=str)
def test_files_and_functions_are_short(path):
    text = path.read_text("utf-8")
    assert text.count("\n") <= (50 if path.name == "app.py" else MAX_LINES)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < MAX_FUNCTION, node.name


@pytest.mark.parametrize("path", sources("tests"), ids=str)
def test_test_files_are_short(path):
    assert path.read_text("utf-8").count("\n") <= MAX_TEST_LINES


@pytest.mark.parametrize("path", [*sources("studio"), *sources("pipelines")], ids=str)
def test_nothing_unsafe_and_nothing_unfinished(path):
    text = path.read_text("utf-8")
    names = imports(path)
    assert not modules(names, "pickle")
    unsafe = ("torch.load(", "trust_remote_code=True", "NotImplementedError", "TODO", "FIXME")
    assert [word for word in unsafe if word in text] == []


def test_every_module_says_what_it_is_for():
    silent = [str(path) for path in [*sources("studio"), *sources("pipelines")]
              if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text("utf-8")))]  # fmt: skip
    assert silent == []


WAITS = ("engine", "store", "gallery", "batches", "search", "catalog")  # what may wait for a file or for the database
AT_ONCE = {"engine.subscribe", "engine.worker"}
AT_ONCE |= {"engine.answered", "search.by_text", "search.by_picture"}  # coroutines


@pytest.mark.parametrize("path", sources("studio"), ids=str)
def test_the_event_loop_waits_for_no_file_and_no_database(path):
    """What is handed to a thread is named, not called."""
    called = set()
    for loop in (
        node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.AsyncFunctionDef)
    ):
        for call in (node for node in ast.walk(loop) if isinstance(node, ast.Call)):
            *owner, name = ast.unparse(call.func).split(".")
            if owner and owner[-1] in WAITS:
                called.add(f"{owner[-1]}.{name}")
    # at the end nobody is served any more
    assert called - AT_ONCE - ({"engine.stop", "store.close"} if path.name == "context.py" else set()) == set()
