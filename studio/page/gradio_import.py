"""Half of `import gradio` goes into writing type stubs for editors beside its components, every time. Not here."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


def import_gradio(without: Sequence[str] = ()) -> ModuleType:
    """`import gradio`, without its stubs. without: modules that count as not installed meanwhile."""
    if "gradio" not in sys.modules:
        sys.meta_path.insert(0, _WithoutStubs())
    with _absent(without):
        import gradio

    return gradio


@contextmanager
def _absent(names: Sequence[str]) -> Iterator[None]:
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python says "not there"
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)
