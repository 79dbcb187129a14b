"""Starting as a person does: ports, folders, sentences, and a clean end."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from studio.build import CannotStart, build
from studio.server import listen, server_options, url
from studio.settings import Settings
from tests.support.serving import ROOT, launched


def app(*argv: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "app.py", *argv], cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_taken_port_is_said_with_a_free_one():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"port {port} is taken: try --port \d+") as said:
            listen("127.0.0.1", port)
        listen("127.0.0.1", int(str(said.value).rsplit(" ", 1)[1])).close()


def test_a_foreign_address_is_said():
    with pytest.raises(CannotStart, match="is not an address of this machine"):
        listen("203.0.113.7", 0)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")])
def test_the_printed_address_can_be_opened(host, shown):
    if host == "::1" and not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with listen(host, 0) as listener:
        assert url(listener) == f"http://{shown}:{listener.getsockname()[1]}"


def test_two_studios_cannot_share_a_data_folder(idle, tmp_path):
    with idle().lock, pytest.raises(CannotStart, match="another Triptych is using the data folder"):
        build(Settings(data_dir=tmp_path))


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match="cannot be written to"):
        build(Settings(data_dir=tmp_path / "file" / "data"))


@pytest.mark.parametrize(
    ("proxies", "came_from", "forwarded", "seen"),
    [
        ((), "127.0.0.1", "6.6.6.6", ("127.0.0.1", "http")),
        (("10.0.0.9",), "127.0.0.1", "6.6.6.6", ("127.0.0.1", "http")),
        (("127.0.0.1",), "127.0.0.1", "6.6.6.6", ("6.6.6.6", "https")),
        (("127.0.0.1",), "127.0.0.1", "1.1.1.1, 6.6.6.6", ("6.6.6.6", "https")),
        (("127.0.0.1", "10.1.2.3/8"), "127.0.0.1", "1.1.1.1, 6.6.6.6, 10.7.7.7", ("6.6.6.6", "https")),
        (("::1",), "::1", "[2001:db8::5]:99", ("2001:db8::5", "https")),
    ],
)
def test_only_named_proxies_say_whose_a_request_is(proxies, came_from, forwarded, seen):
    import uvicorn

    scopes = []

    async def app(scope, receive, send):
        scopes.append((scope["client"][0], scope["scheme"]))

    config = uvicorn.Config(app, **server_options(Settings(trusted_proxy=proxies)))
    config.load()
    headers = [(b"x-forwarded-for", forwarded.encode()), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "client": (came_from, 1), "scheme": "http", "headers": headers}
    asyncio.run(config.loaded_app(scope, None, None))
    assert scopes == [seen]


def said_by(code: str) -> str:
    """What a fresh interpreter prints for it."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_start_does_not_take_along_what_the_page_does_not_need():
    code = (
        "import sys; from studio.page.gradio_import import import_gradio; import_gradio(without=['pyarrow']);"
        "print(*sorted({'pyarrow', 'torch', 'datasets', 'matplotlib', 'transformers', 'scipy'} & set(sys.modules)))"
    )
    assert said_by(code) == ""


def test_wrong_flags_and_help_are_quick_and_plain():
    helped = app("--help")
    assert helped.returncode == 0
    assert "--data-dir" in helped.stdout
    code = (
        "import atexit, runpy, sys; sys.argv = ['app.py', '--help'];"
        "heavy = {'gradio', 'torch', 'transformers', 'diffusers', 'numpy', 'fastapi', 'PIL'};"
        "atexit.register(lambda: print('heavy:', *sorted(heavy & set(sys.modules))));"
        "runpy.run_path('app.py', run_name='__main__')"
    )
    assert said_by(code).endswith("heavy:"), "what takes seconds to import is not needed for that"
    refused = app("--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_gradio_is_imported_whole_but_writes_no_stubs():
    code = (
        "from studio.page.gradio_import import import_gradio as load; gradio = load();"
        "assert load() is gradio; gradio.Blocks;"
        "import gradio.component_meta as meta; print(meta.create_or_modify_pyi.__module__)"
    )
    assert said_by(code) == "studio.page.gradio_import"


def test_starts_serves_its_page_and_ends_at_once(tmp_path: Path):
    with launched(tmp_path) as (process, address):
        page = urllib.request.urlopen(address, timeout=60)
        assert page.status == 200
        assert b"Triptych" in page.read()
        workers = children(process.pid)
        assert workers or not Path("/proc").exists()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 130)
        assert process.stdout.read() == ""
    end = time.monotonic() + 60
    while left := [pid for pid in workers if Path(f"/proc/{pid}/cmdline").exists()]:
        assert time.monotonic() < end, [Path(f"/proc/{pid}/cmdline").read_text() for pid in left]
        time.sleep(0.05)


def children(pid: int) -> list[str]:
    """Of all its threads; nothing is known on systems without /proc."""
    return [child for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]
