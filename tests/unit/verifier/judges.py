"""
Two judges for one list of vectors: the Python verifier here, and the JavaScript verifier in one process of Node.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keywright_verify import (
    HighWaterMark,
    KeySet,
    RevocationList,
    RevocationListInvalidError,
    RevocationMode,
    verify,
    verify_answer,
)
from tests.unit.verifier.issuer import JWKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.unit.verifier.corpus import Vector

ROOT = Path(__file__).parents[3]
LAYER = ROOT / "layers/verifier"
KEYS = KeySet.from_jwks(JWKS)
Answer = dict[str, Any]


def in_python(vector: Vector, folder: Path) -> Answer:
    return _JUDGES[vector.kind](vector, _prepared(vector, folder))


def in_javascript(vectors: Iterable[Vector], folder: Path, *, code: Path = LAYER / "javascript") -> list[Answer]:
    keys = folder / "license-keys.json"
    keys.write_text(json.dumps(JWKS))
    batch = str(Path(__file__).with_name("batch.mjs"))
    command = ["node", batch, str(code / "keywright-verify.mjs"), str(keys), str(folder / "mark-of-node")]
    return _ask(command, vectors)


def in_python_elsewhere(vectors: Iterable[Vector], folder: Path, *, code: Path) -> list[Answer]:
    """Ask another copy of the verifier, which cannot live in this process."""
    return _ask(
        [sys.executable, "-m", "tests.unit.verifier.batch", str(folder)],
        vectors,
        PYTHONPATH=f"{code}{os.pathsep}{ROOT}",
    )


def _ask(command: list[str], vectors: Iterable[Vector], **environment: str) -> list[Answer]:
    lines = [
        json.dumps({"token": base64.b64encode(each.token).decode(), "at": each.at, "kind": each.kind})
        for each in vectors
    ]
    done = subprocess.run(
        command,
        input="\n".join(lines),
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def accepted(vectors: list[Vector], answers: Iterable[Answer]) -> list[str]:
    """Name the vectors that a verifier lets pass."""
    return [vector.name for vector, answer in zip(vectors, answers, strict=True) if answer["valid"]]


def _prepared(vector: Vector, folder: Path) -> dict[str, Any]:
    at = dict(vector.at)
    if "revocations" in at:
        at["revocations"] = RevocationList.from_token(at["revocations"], KEYS)
    if "revocation_mode" in at:
        at["revocation_mode"] = RevocationMode(at["revocation_mode"])
    if "mark" in at:
        path = folder / "mark-of-python"
        path.write_text(json.dumps(at.pop("mark")))
        at["high_water_mark"] = HighWaterMark(path)
    return at


def _judge_license(vector: Vector, at: dict[str, Any]) -> Answer:
    verdict = verify(vector.token, KEYS, **at)
    return {"code": verdict.code, "valid": verdict.valid, "notes": list(verdict.notes)}


def _judge_list(vector: Vector, at: dict[str, Any]) -> Answer:
    try:
        RevocationList.from_token(vector.token, KEYS, **at)
    except RevocationListInvalidError as error:
        return {"code": error.code, "valid": False, "notes": []}
    return {"code": "VALID", "valid": True, "notes": []}


def _judge_answer(vector: Vector, at: dict[str, Any]) -> Answer:
    verdict = verify_answer(vector.token, KEYS, **at)
    return {"code": verdict.code, "valid": verdict.valid, "notes": []}


_JUDGES: dict[str, Callable[[Vector, dict[str, Any]], Answer]] = {
    "license": _judge_license,
    "list": _judge_list,
    "answer": _judge_answer,
}
