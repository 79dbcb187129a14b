"""The house: which room stands on which, how many files a room holds, how long they are, and what no room may do."""

from __future__ import annotations

import ast
import posixpath
import re
import subprocess
import sys
import warnings
from collections import Counter
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
# Rooms and single files, the ground first: each uses only what stands before it. The longest name counts.
STUDIO = [
    "limits", "background", "settings", "formats", "formats.metadata", "storage", "storage.recovery", "storage.gallery",
    "worker.scheduler", "worker.messages", "worker.runner", "worker",
    "quotas", "jobs", "search", "batches", "web.accounts", "web", "page", "build", "maintenance", "server",
]  # fmt: skip
PIPELINES = [
    "assets", "errors", "colours", "requests", "prompt_dialects", "pictures", "scene_reader", "catalog", "base",
    "runtime",
    "alignment.phrases", "alignment.thresholds", "alignment",
    "speech.voice", "speech.text", "speech.audio", "speech.catalog", "speech.voices", "speech",
    "image.prompt.ip_adapter_files", "image.entry", "image.suitable", "image.catalog", "image.samplers",
    "image.interpolation", "image.model", "image.start", "image.prompt", "image",
    "caption.state", "caption.vocabulary", "caption.styles", "caption.decoding", "caption.checking", "caption.models",
    "caption", "training",
]  # fmt: skip
SCRIPTS = ["core", "components", "jobs", "image", "speech", "caption", "compose", "gallery", "keys", "main"]
NEVER = [
    ("studio.jobs", "studio.worker.runner"),
    ("studio.jobs", "studio.worker.scheduler"),
    ("studio.worker", "studio.jobs"),
    ("studio.worker", "studio.web"),
    ("studio.formats", "studio.storage"),
    ("studio.web", "studio.page"),
    ("pipelines", "studio"),
    ("studio", "pipelines.training"),
    ("studio", "tests"),
]
# What the web process may know of the models: plain data. The worker's process is the other side.
PLAIN = [
    "pipelines.assets", "pipelines.errors", "pipelines.colours", "pipelines.requests",
    "pipelines.prompt_dialects", "pipelines.catalog",
    "pipelines.base", "pipelines.runtime.out_of_memory", "pipelines.alignment.thresholds",
    "pipelines.speech.audio.recordings", "pipelines.speech.subtitles",
]  # fmt: skip
IN_THE_WORKER = ("studio.worker.process", "studio.worker.runner")
MOST_FILES, LONG_FILE, LONGEST_FILE, LONGEST_FUNCTION = 13, 250, 400, 50


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, inside_functions: bool = True) -> set[str]:
    """Names of the modules that a file imports; what is imported for the type checker alone does not count."""
    tree = ast.parse(path.read_text("utf-8"))
    found: set[str] = set()
    for node in _walk(tree, inside_functions):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {_of(node.module, name.name) for name in node.names}
    return found


def _of(package: str, name: str) -> str:
    """The module that `from package import name` reads."""
    place = ROOT.joinpath(*package.split("."), name)
    return f"{package}.{name}" if place.with_suffix(".py").is_file() or place.is_dir() else package


def _walk(node: ast.AST, inside_functions: bool):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not inside_functions:
            continue
        yield child
        yield from _walk(child, inside_functions)


def inside(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


def floor(name: str, rooms: list[str]) -> int:
    """Which floor it stands on, the ground is 0; its longest name among the rooms counts."""
    fitting = [room for room in rooms if inside(name, room)]
    assert fitting, f"{name} stands in no room: name it, or its room, in {Path(__file__).name}"
    return rooms.index(max(fitting, key=len))


def rising(arrows: set[tuple[str, str]], rooms: list[str]) -> list[str]:
    return sorted(f"{a} -> {b}" for a, b in arrows if floor(b, rooms) > floor(a, rooms))


def arrows(package: str) -> set[tuple[str, str]]:
    """(module, module that it imports) inside the package, without its name in front."""
    found = ((module(path), name) for path in sources(package) for name in imports(path))
    return {
        (a.partition(".")[2], b.partition(".")[2]) for a, b in found if "." in a and inside(b, package) and b != package
    }


@pytest.mark.parametrize(("package", "rooms"), [("studio", STUDIO), ("pipelines", PIPELINES)])
def test_a_room_uses_only_what_stands_below_it(package, rooms):
    assert rising(arrows(package), rooms) == []


def test_a_room_of_scripts_uses_only_what_stands_below_it():
    static, found = ROOT / "studio" / "page" / "static", set()
    for path in static.rglob("*.js"):
        here = path.relative_to(static).as_posix()
        for said in re.findall(r'(?:from|import|import\()\s*"(\.[^"]+)"', path.read_text("utf-8")):
            there = posixpath.normpath(posixpath.join(posixpath.dirname(here), said))
            found.add((here.removesuffix(".js").replace("/", "."), there.removesuffix(".js").replace("/", ".")))
    assert rising(found, SCRIPTS) == []


@pytest.mark.parametrize(("room", "other"), NEVER)
def test_what_a_room_never_uses(room, other):
    files = [path for path in sources(room.split(".")[0]) if inside(module(path), room)]
    assert [(str(path), name) for path in files for name in imports(path) if inside(name, other)] == []


def test_only_who_builds_and_serves_knows_the_page():
    known = [path for path in sources("studio") if not inside(module(path), "studio.page")
             and any(inside(name, "studio.page") for name in imports(path))]  # fmt: skip
    assert {module(path) for path in known} <= {"studio.build", "studio.server"}


@pytest.mark.parametrize("path", sources("studio"), ids=str)
def test_the_web_process_knows_only_plain_data_of_the_models(path):
    if any(inside(module(path), room) for room in IN_THE_WORKER):
        return
    used = {name for name in imports(path) if inside(name, "pipelines") and name != "pipelines"}
    assert {name for name in used if not any(inside(name, plain) for plain in PLAIN)} == set()


def test_the_top_level_is_exactly_as_drawn():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    assert {line.split("/")[0] for line in listed.stdout.splitlines()} <= TOP


@pytest.mark.parametrize("ends", [".py", ".js"])
def test_no_room_is_crowded(ends):
    rooms = [ROOT / "studio", ROOT / "pipelines", ROOT / "tests" / "studio", ROOT / "tests" / "pipelines"]
    files = [
        path for room in rooms for path in room.rglob(f"*{ends}") if path.name not in ("__init__.py", "conftest.py")
    ]
    crowded = {str(folder): n for folder, n in Counter(path.parent for path in files).items() if n > MOST_FILES}
    assert crowded == {}


@pytest.mark.parametrize("name", ["worker.scheduler.capacity", "jobs.engine", "web.api", "build", "page.page"])
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
from studio.server import create_app
if __name__ == "__main__":
    given = {{"shelf": "tests.studio.support.fake_pipelines:open_model_pool"}}
    studio = build(Settings(data_dir=Path({str(tmp_path)!r})), given)
    app = create_app(studio)
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
    assert text.count("\n") <= (50 if path.name == "app.py" else LONGEST_FILE)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name


def test_long_files_are_told():
    """From here on a file should be looked at: is it one idea? At the wall it has to be."""
    every = [*sources("studio"), *sources("pipelines")]
    lines = {str(path.relative_to(ROOT)): path.read_text("utf-8").count("\n") for path in every}
    for name, count in lines.items():
        if count > LONG_FILE:
            warnings.warn(f"{name} has {count} lines", stacklevel=1)
    assert all(count <= LONGEST_FILE for count in lines.values())


@pytest.mark.parametrize("path", sources("tests"), ids=str)
def test_test_files_are_short(path):
    assert path.read_text("utf-8").count("\n") <= LONGEST_FILE


@pytest.mark.parametrize("path", [*sources("studio"), *sources("pipelines")], ids=str)
def test_nothing_unsafe_and_nothing_unfinished(path):
    text = path.read_text("utf-8")
    assert not any(inside(name, "pickle") for name in imports(path))
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
