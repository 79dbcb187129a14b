"""`python -m tests.faults [--only NAME …] [--rounds N] [--seed N]`: what must hold whatever happens, tried many times.

Prints a table, a row a promise; the exit status is 1 where one of them did not hold.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults.report import Report

# name -> rounds of a full run: some minutes each
PARTS = {"kill": 200, "disk": 5, "locked": 5, "damage": 40, "uploads": 2000, "access": 100}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="NAME",
                        help="some of: " + ", ".join(PARTS))  # fmt: skip
    parser.add_argument("--rounds", type=int, help="instead of each part's own number")
    parser.add_argument("--seed", type=int, default=1, help="the same one, the same misfortunes")
    asked = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # nothing is left mounted or running behind us
    report = Report()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            for name in dict.fromkeys(asked.only):
                run(name, asked.rounds or PARTS[name], asked.seed, Path(scratch), report)
    except KeyboardInterrupt:
        print("Stopped before the end: this is what was tried.", file=sys.stderr)
        return 130
    finally:  # who stops it has what there is
        print(f"seed {asked.seed}", *report.lines(), sep="\n")
    return 0 if report.holds else 1


def run(name: str, rounds: int, seed: int, scratch: Path, report: Report) -> None:
    """One part of it; what goes wrong in the part itself does not cost the others their results."""
    from tests.faults import access, damage, disk, kill, locking, uploads

    parts = {"kill": kill.kill, "disk": disk.disk, "locked": locking.locked, "damage": damage.damage,
             "uploads": uploads.uploads, "access": access.access}  # fmt: skip
    began = time.perf_counter()
    try:
        parts[name](scratch, rounds, random.Random(f"{name} {seed}"), report)
    except Exception as error:
        traceback.print_exc()
        report.row(name, "this part itself").check(False, f"{type(error).__name__}: {error}")
    print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
