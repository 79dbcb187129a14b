"""Connections that send nothing, or never come to an end; and too many of them."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from studio import limits
from studio.server import listen, server_options
from studio.web.api import create_api

WAIT = 60.0


@pytest.fixture
def address(idle, monkeypatch) -> Iterator[tuple[str, int]]:
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.3)
    studio = idle()
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_api(studio), lifespan="off", **server_options(studio.settings)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join(WAIT)
    listener.close()


def opened(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, WAIT)


def answered(line: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    said = b""
    while data := line.recv(65536):
        said += data
    return said


def answer(line: socket.socket) -> bytes:
    """One answer of JSON: head and body come in one piece or in two."""
    said = b""
    while not said.endswith(b"}") and (data := line.recv(65536)):
        said += data
    return said


def closed_under(line: socket.socket, drop: bytes) -> bool:
    """Whether the other side closes it while drops come."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        try:
            line.sendall(drop)
        except OSError:
            return True
        time.sleep(0.05)
    return False


HEAD = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.mark.parametrize("sent", [b"G", HEAD, HEAD + b"X: " + b"x" * 5000])
def test_a_head_that_does_not_end_is_not_waited_for(address, sent):
    with opened(address) as line:
        line.sendall(sent)
        assert answered(line).startswith(b"HTTP/1.1 408 ")


def test_drops_do_not_hold_it_open(address):
    with opened(address) as line:
        line.sendall(HEAD)
        assert closed_under(line, b"X: y\r\n")


def test_the_rest_of_a_body_that_nobody_reads_does_not_hold_it_open(address):
    with opened(address) as line:
        line.sendall(b"POST /api/nothing HTTP/1.1\r\nHost: evil@x\r\nContent-Length: 1000000\r\n\r\n")
        assert closed_under(line, b"x")


def test_the_same_connection_serves_again_and_again(address):
    with opened(address) as line:
        for _ in range(3):
            line.sendall(HEAD + b"\r\n")
            assert b"200 OK" in answer(line)
            time.sleep(0.5)  # longer than a head may take


def test_one_address_does_not_take_all(address, monkeypatch):
    monkeypatch.setattr(limits, "CONNECTIONS_PER_ADDRESS", 5)
    kept = [opened(address) for _ in range(5)]
    for line in kept:  # and each is known to the server
        line.sendall(HEAD + b"\r\n")
        assert b"200 OK" in answer(line)
    with opened(address) as line:
        assert answered(line).startswith(b"HTTP/1.1 503 ")
    for line in kept:
        line.close()


def watching(address: tuple[str, int], cookie: str):
    return connect(f"ws://{address[0]}:{address[1]}/live", additional_headers={"Cookie": cookie})


def cookie(address: tuple[str, int]) -> str:
    with opened(address) as line:
        line.sendall(b"GET /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        said = answered(line).decode()
    return next(part[12:].partition(";")[0] for part in said.split("\r\n") if part.lower().startswith("set-cookie: "))


def test_one_person_watches_from_some_windows_and_the_others_too(address, monkeypatch):
    monkeypatch.setattr(limits, "SOCKETS_PER_OWNER", 3)
    mine, other = cookie(address), cookie(address)
    with watching(address, mine), watching(address, mine):
        with watching(address, mine):
            with pytest.raises((InvalidStatus, ConnectionClosed)):
                with watching(address, mine) as more:
                    more.recv(WAIT)
            with watching(address, other) as theirs:
                assert json.loads(theirs.recv(WAIT))["type"] == "status"
            time.sleep(0.5)  # longer than a head may take: they are connections of another kind
        end = time.monotonic() + WAIT
        while True:
            try:
                with watching(address, mine) as again:
                    assert json.loads(again.recv(WAIT))["type"] == "status"
                break
            except (InvalidStatus, ConnectionClosed):
                assert time.monotonic() < end


def test_a_long_message_ends_the_connection(address):
    with watching(address, cookie(address)) as live:
        live.send("x" * (limits.SOCKET_BYTES + 1))
        with pytest.raises(ConnectionClosed):
            [live.recv(WAIT) for _ in range(1000)]


def test_a_connection_is_kept_longer_than_clients_keep_it(idle):
    options = server_options(idle().settings)
    assert options["timeout_keep_alive"] > 60
