"""A studio that is going to be killed: submits jobs, and prints the id of each as soon as it is acknowledged."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.studio.support.studio_fixture import Rig


def main() -> None:
    with Rig(Path(sys.argv[1])) as rig:
        print("pid", rig.engine.worker_pid, flush=True)
        number = int(sys.argv[2])
        while True:
            print("job", rig.one("ann", "delay=0.01", steps=4, seed=number), flush=True)
            number += 1
            time.sleep(0.03)


if __name__ == "__main__":
    main()
