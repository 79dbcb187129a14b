"""Triptych: `python app.py`, then open http://127.0.0.1:7860. `python app.py --help` lists the flags.

`python app.py restore` and `python app.py rebuild` look after the database of a studio that is not running.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Read the settings, build the studio, serve it; the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] in (["restore"], ["rebuild"]):
        from studio.maintenance import main as maintain  # here and below: the worker process imports this file, too

        return maintain(argv)
    from studio.settings import load

    settings = load(argv)
    from studio.build import CannotStart
    from studio.server import serve

    try:
        serve(settings)
    except CannotStart as error:
        print(f"Triptych cannot start: {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # everything is closed; freeing Gradio's objects one by one would take seconds more
