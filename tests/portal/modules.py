"""The portal's modules where Node takes them for what browsers do: ES modules, without a build."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORTAL = ROOT / "portal"
MODULES = sorted(PORTAL.rglob("*.js"))


def workshop(folder: Path) -> Path:
    """Copy the portal and its tests side by side into a folder of ES modules."""
    shutil.copytree(PORTAL, folder, dirs_exist_ok=True)
    for script in Path(__file__).parent.glob("*.mjs"):
        shutil.copy(script, folder)
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    return folder
