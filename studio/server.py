"""Serving on a port: opened first, so that a browser that comes early waits instead of being turned away."""

from __future__ import annotations

import errno
import logging
import os
import socket

from fastapi import FastAPI

from studio import limits
from studio.build import CannotStart, build
from studio.page.gradio_import import import_gradio
from studio.settings import Settings
from studio.web.api import create_api
from studio.web.context import Studio


def serve(settings: Settings) -> None:
    """Until Ctrl-C. Raises CannotStart."""
    logging.basicConfig(level=settings.log.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    listener = listen(settings.host, settings.port)
    studio = build(settings)  # the worker starts here, and loads torch while we load Gradio
    import uvicorn

    from studio.page.gradio_import import import_gradio

    import_gradio(without=["pyarrow"])  # where it is installed, pandas takes it along for tables that we do not have
    config = uvicorn.Config(create_app(studio), **server_options(settings))
    print(f"Triptych is open at {url(listener)}   (Ctrl-C ends it)", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


def server_options(settings: Settings) -> dict:
    """What uvicorn is told. Whoever can reach us could write X-Forwarded-For: only named proxies are believed, and of
    what these say, the last address that is not one of theirs."""
    from studio.web.connections import Connection

    return {
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "http": Connection,
        "timeout_keep_alive": limits.KEEP_ALIVE_SECONDS,
        "ws_max_size": limits.SOCKET_BYTES,
        "timeout_graceful_shutdown": 1,
        "proxy_headers": bool(settings.trusted_proxy),
        "forwarded_allow_ips": list(settings.trusted_proxy),
    }


def url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotStart, naming a free port where this one is taken."""
    try:
        return _bound(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(f"port {port} is taken: try --port {_free(host, port)}") from error
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise CannotStart(f"host {host} is not an address of this machine") from error
        raise CannotStart(f"port {port} cannot be opened: {error.strerror}") from error


def _bound(host: str, port: int) -> socket.socket:
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, proto)
    try:
        if os.name != "nt":  # on Windows it would share a taken port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    return listener


def _free(host: str, port: int) -> int:
    for candidate in range(port + 1, min(port + 50, 65536)):
        try:
            _bound(host, candidate).close()
        except OSError:
            continue
        return candidate
    return 0


def create_app(studio: Studio) -> FastAPI:
    """Everything that is served: the routes of the API, then the page at `/`."""
    app = create_api(studio)
    import_gradio()
    from studio.page.page import page

    return page(studio.catalog, studio.settings).mount(app)
