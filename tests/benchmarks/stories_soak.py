"""
Plays many stories of subscriptions through the running stack, shuffled, repeated and lost, and compares all books.

``python -m tests.benchmarks.stories_soak --stories 2000``: it is the test of the stories, at a size of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

TESTS = "tests/reliability/test_stories.py"
_S_PER_STORY = 6


def main(arguments: list[str]) -> int:
    """Run the test; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args(arguments)
    began = time.monotonic()
    patience = str(300 + given.stories * _S_PER_STORY)
    command = [sys.executable, "-m", "pytest", TESTS, "-q", "-s", "--show-capture=no", "--timeout", patience]
    environment = {**os.environ, "STORIES": str(given.stories), "STORIES_SEED": str(given.seed)}
    status = subprocess.run(command, env=environment, check=False).returncode
    print(f"{given.stories} stories, seed {given.seed}: {time.monotonic() - began:.0f} s, exit {status}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
