"""The page: a header, one panel a tab, and the few lines that put it into the web application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from fastapi import FastAPI
from starlette.routing import Mount

from studio.page import static_files, tabs
from studio.page.builder import PageBuilder
from studio.page.gradio_routes import GradioRoutes
from studio.page.i18n import Words
from studio.page.shell import Shell
from studio.page.tabs import header
from studio.page.theme import theme


@dataclass(frozen=True, slots=True)
class Page:
    """The Gradio blocks together with where the page's own files are served."""

    blocks: gr.Blocks
    base: str
    words: Words

    def mount(self, app: FastAPI) -> FastAPI:
        """Serve this page at `/` of `app`: own files, the HTML shell, Gradio as far as it is needed. No telemetry."""
        static_files.mount(app, self.base)
        app.add_middleware(Shell, base=self.base, tabs=[tab.NAME for tab in tabs.TABS])
        gr.mount_gradio_app(
            app,
            self.blocks,
            path="/",
            theme=theme(),
            i18n=gr.I18n(**self.words.by_language()),
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            show_error=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
        )
        mounted = app.router.routes[-1]
        assert isinstance(mounted, Mount)
        mounted.app = GradioRoutes(mounted.app)
        return app


def page(catalog: Any, settings: Any = None) -> Page:
    """The whole page, offering the models of a catalog (`entries`)."""
    words, base = Words(), static_files.base()
    room = PageBuilder(catalog, settings, words, base)
    with gr.Blocks(title="Triptych", analytics_enabled=False, fill_width=True, elem_id="triptych") as blocks:
        header.build(room, [tab.NAME for tab in tabs.TABS])
        for tab in tabs.TABS:
            with gr.Column(elem_id=f"panel-{tab.NAME}", elem_classes=["tab-panel"]):
                tab.build(room)
    return Page(blocks, base, words)
