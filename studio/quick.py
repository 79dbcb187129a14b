"""Half of `import gradio` goes into writing type stubs for editors beside its components, every time. Not here."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_META, _WRITER = "gradio.component_meta", "create_or_modify_pyi"


class _WithoutStubs(MetaPathFinder):
    """Finds that one module as ever, and takes the stub writer out of it when it has been loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _META:
            return None
        sys.meta_path.remove(self)  # so that the search below goes its usual way, and once only
        spec = importlib.util.find_spec(fullname)
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                if hasattr(module, _WRITER):
                    setattr(module, _WRITER, lambda *_: None)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def import_gradio() -> ModuleType:
    """`import gradio`, without its stubs, its analytics and its look for a newer version."""
    if "gradio" not in sys.modules:
        sys.meta_path.insert(0, _WithoutStubs())
    import gradio

    return gradio
