"""``python -m infra.cli``: finds the layers' sources, then runs the command."""

from __future__ import annotations

import sys
from pathlib import Path

# On Lambda the layers are on the path; a terminal in a checkout has to be told.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "verifier" / "python"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "core" / "python"))

from infra.cli.commands import main

sys.exit(main(sys.argv[1:]))
