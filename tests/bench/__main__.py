"""`python -m tests.bench [--only NAME …] [--repeats N]`: measures, prints a table, writes .bench/latest.json.

Everything is paired and interleaved within one run and told as medians; targets that are missed are said to be. A part
that fails does not cost the others their results.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.report import HEAD, Samples, save

if TYPE_CHECKING:
    from tests.bench.model import Model

ROOT = Path(__file__).resolve().parent.parent.parent
# name -> repeats, chosen so that all of it takes less than twelve minutes on two quiet cores
BENCHES = {"startup": 3, "unet": 4, "batching": 3, "latency": 2, "overhead": 5, "previews": 3, "cancel": 5,
           "fairness": 2, "captions": 3, "speech": 3, "search": 3, "gallery": 3, "early_stop": 10,
           "gate": 6}  # fmt: skip
# Ten prompts a repeat, a hundred in all, and ten pairs a repeat: many minutes more, only where they are named
ASKED_FOR = {"early_stop", "gate"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    usual = [name for name in BENCHES if name not in ASKED_FOR]
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=usual, metavar="NAME",
                        help="some of: " + ", ".join(BENCHES))  # fmt: skip
    parser.add_argument("--repeats", type=int, help="instead of each bench's own number")
    arguments = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False")
    samples = Samples()
    with tempfile.TemporaryDirectory() as scratch:
        about = _about(Path(scratch))
        for name in dict.fromkeys(arguments.only):
            about |= _part(name, arguments.repeats or BENCHES[name], Path(scratch), samples)
            save(samples, about, ROOT / ".bench" / "latest.json")  # a run that is stopped keeps what it has
    print(HEAD, *samples.rows(), sep="\n")
    if failed := [key.removeprefix("failed_") for key in about if key.startswith("failed_")]:
        raise SystemExit(f"Without a result: {', '.join(failed)}")


def _about(scratch: Path) -> dict[str, object]:
    from tests.bench.model import find, quiet

    quiet()
    about = {"model": find(scratch), "machine": f"{platform.machine()}, {os.cpu_count()} cores",
             "load_before": round(os.getloadavg()[0], 2)}  # fmt: skip
    print(*(f"{key}: {value}" for key, value in about.items()), sep="\n", flush=True)
    if about["model"] != "sprite":
        print("The bundled model is not there: a random one of its size stands in for it.")
    return about


def _part(name: str, repeats: int, scratch: Path, samples: Samples) -> dict[str, object]:
    """Runs one of them; gives how long that took and, where it went wrong, why."""
    failed, began = {}, time.perf_counter()
    try:
        _bench(name, scratch)(samples, repeats)
    except Exception as error:
        traceback.print_exc()
        failed = {f"failed_{name}": f"{type(error).__name__}: {error}"}
    seconds = round(time.perf_counter() - began, 1)
    print(f"{name}: {seconds:.0f} s", flush=True)
    return {f"bench_seconds_{name}": seconds, **failed}


def _bench(name: str, scratch: Path) -> Callable[[Samples, int], None]:
    from tests.bench import batching, caption_wait, captions, early_stop, latency, overhead, searching, speech, startup

    if name == "startup":
        return partial(startup.measure, scratch)
    if name == "search":
        return partial(searching.measure, scratch)
    if name == "gallery":
        from tests.bench import big_gallery

        return partial(big_gallery.measure, scratch)
    if name == "gate":
        from tests.bench import gate  # wants the `train` extra

        return partial(gate.measure, _model(scratch))
    within = {
        "unet": batching.unet,
        "batching": batching.measure,
        "latency": latency.measure,
        "fairness": latency.fairness,
        "overhead": overhead.measure,
        "previews": overhead.previews,
        "cancel": overhead.cancelling,
        "captions": partial(_all, captions.measure, caption_wait.measure),
        "early_stop": early_stop.measure,
        "speech": speech.measure,
    }
    return partial(within[name], _model(scratch))


def _all(*parts: Callable[..., None]) -> None:
    *benches, model, samples, repeats = parts
    for bench in benches:
        bench(model, samples, repeats)


@cache
def _model(scratch: Path) -> Model:
    """Opened once, and not before it is needed: what starts must have the machine for itself."""
    from tests.bench.model import open_model

    return open_model(scratch)


if __name__ == "__main__":
    main()
