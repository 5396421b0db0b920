"""The role of one function, as its processes read it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Role:
    """What one function may do, in which account, and the file that notes what it did."""

    function: str
    region: str
    account: str
    statements: list[dict[str, Any]]
    record: str | None = None

    def write(self, folder: Path) -> Path:
        """Write the role where the function's processes read it."""
        path = folder / f"{self.function}.role.json"
        path.write_text(json.dumps(asdict(self)))
        return path


def read_role(path: Path) -> Role:
    """Read what was written."""
    return Role(**json.loads(path.read_text()))
