# SPDX-License-Identifier: MIT
"""What a server spends for a request with and without something, in rounds in turn."""

import re
import statistics
import subprocess
import sys
from pathlib import Path

from predict import HERE, MACHINES


def nanoseconds(pid):
    """The processor time of a process, of all its threads, user and kernel."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks)


def load(pid, port, seconds):
    """Posts readings of all machines over 64 connections; the nanoseconds that each took."""
    before = nanoseconds(pid)
    output = subprocess.run(
        ["wrk", "-t", "1", "-c", "64", "-d", f"{seconds}s", "-s", HERE / "predict.lua",
         f"http://127.0.0.1:{port}", "--", "/predict", str(MACHINES), "1", "1"],
        capture_output=True, text=True, check=True,
    ).stdout
    found = re.search(r"^result (\d+) \d+ (\d+) ", output, re.M)
    if not found or not int(found[1]) or int(found[2]):
        sys.exit(f"requests failed: {output}")
    return (nanoseconds(pid) - before) / int(found[1])


def middle(ratios):
    """The median, and how far it may be off: 1.96 of its standard errors, by median deviations."""
    median = statistics.median(ratios)
    deviation = statistics.median(abs(ratio - median) for ratio in ratios)
    # Of normal numbers 1.4826 median deviations are one standard deviation, and the error of a
    # median is 1.2533 times that of a mean.
    return median, 1.96 * 1.2533 * 1.4826 * deviation / len(ratios) ** 0.5
