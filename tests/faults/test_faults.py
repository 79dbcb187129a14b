"""A small, seeded part of `make faults` with every run of the suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.__main__ import run
from tests.faults.report import Report

# a locked database is met in one process in the rest of the suite
FEW = {"kill": 2, "damage": 1, "disk": 1, "uploads": 6, "access": 10}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="other processes are seen through /proc")
@pytest.mark.parametrize("part", FEW)
def test_what_must_hold_holds(part: str, tmp_path: Path):
    report = Report()
    run(part, FEW[part], 7, tmp_path, report)
    assert report.holds, "\n".join(report.lines())


def test_what_did_not_hold_is_said():
    report = Report()
    row = report.row("kill", "jobs are there")
    row.check(True, "")
    assert report.holds
    row.check(False, "job 7 is lost")
    assert not report.holds
    assert any("job 7 is lost" in line for line in report.lines())
    assert not Report().holds, "what was never tried has not held"
