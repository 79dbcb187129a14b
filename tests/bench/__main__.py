"""`python -m tests.bench [--only NAME …] [--repeats N]`: measures, prints a table, writes .bench/latest.json.

Everything is paired and interleaved within one run and told as medians; targets that are missed are said to be.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.report import HEAD, Samples, save

ROOT = Path(__file__).resolve().parent.parent.parent
# name -> repeats, chosen so that all of it takes about six minutes on two quiet cores
BENCHES = {"startup": 3, "batching": 3, "latency": 2, "overhead": 5, "previews": 3, "cancel": 5, "fairness": 2,
           "captions": 3}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=list(BENCHES), metavar="NAME",
                        help="some of: " + ", ".join(BENCHES))  # fmt: skip
    parser.add_argument("--repeats", type=int, help="instead of each bench's own number")
    arguments = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False")
    samples = Samples()
    with tempfile.TemporaryDirectory() as scratch:
        about = _run(arguments, Path(scratch), samples)
    print(HEAD, *samples.rows(), sep="\n")
    save(samples, about, ROOT / ".bench" / "latest.json")


def _run(arguments: argparse.Namespace, scratch: Path, samples: Samples) -> dict[str, object]:
    from tests.bench import startup
    from tests.bench.model import find, open_model, quiet

    quiet()
    about = {"model": find(scratch), "machine": f"{platform.machine()}, {os.cpu_count()} cores",
             "load_before": round(os.getloadavg()[0], 2)}  # fmt: skip
    print(*(f"{key}: {value}" for key, value in about.items()), sep="\n")
    if about["model"] != "sprite":
        print("The bundled model is not there: a random one of its size stands in for it.")
    names = list(arguments.only)
    if "startup" in names:
        _timed("startup", lambda repeats: startup.measure(scratch, samples, repeats), arguments.repeats)
        names.remove("startup")
    if names:
        model = open_model(scratch)
        for name in names:
            _timed(name, lambda repeats, name=name: _bench(name)(model, samples, repeats), arguments.repeats)
    return about


def _bench(name: str) -> Callable:
    from tests.bench import batching, captions, latency, overhead

    return {
        "batching": batching.measure,
        "latency": latency.measure,
        "fairness": latency.fairness,
        "overhead": overhead.measure,
        "previews": overhead.previews,
        "cancel": overhead.cancelling,
        "captions": captions.measure,
    }[name]


def _timed(name: str, bench: Callable[[int], None], repeats: int | None) -> None:
    began = time.perf_counter()
    bench(repeats or BENCHES[name])
    print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
