"""
The Python and the JavaScript verifier give one answer to every vector.
"""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from keywright_verify import Code, KeySet, RevocationList, verify
from tests.unit.verifier.corpus import Vector, hostile
from tests.unit.verifier.issuer import DAY, DOMAIN, JWKS, NOW, issue, issue_revocations, revocation

JAVASCRIPT = Path(__file__).parents[3] / "layers/verifier/javascript/keywright-verify.mjs"
KEYS = KeySet.from_jwks(JWKS)


def honest() -> list[Vector]:
    at = {"now": NOW, "domain": DOMAIN}
    vectors = [
        Vector(f"honest {i}", issue(seq=i, limits={"seats": i * 7_919}).encode(), "VALID", at) for i in range(1_000)
    ]
    for enforcement in ("advisory", "grace", "hard"):
        token = issue(enforcement=enforcement, fingerprint="fp-1", later={"unknown": [1, None, {"a": True}]}).encode()
        for day in (-3, -1, 0, 29, 30, 36, 37, 400):
            vectors.append(
                Vector(f"{enforcement} day {day}", token, at={"now": NOW + day * DAY, "domain": "SHOP.example.com."})
            )
            vectors.append(Vector(f"{enforcement} anywhere, day {day}", token, at={"now": NOW + day * DAY}))
    return vectors


def revoked() -> list[Vector]:
    lists = {
        "empty": issue_revocations(),
        "this one": issue_revocations(revoked=[revocation("lic_0192")]),
        "another": issue_revocations(revoked=[revocation("lic_other")]),
        "replaced": issue_revocations(min_seq={"lic_0192": 4}),
        "current": issue_revocations(min_seq={"lic_0192": 3}),
        "old": issue_revocations(epoch=1, prev_hash=None),
        "overdue": issue_revocations(next_update=NOW),
    }
    token = issue(rev_epoch_min=2).encode()
    return [Vector(f"list: {name}", token, at={"now": NOW, "revocations": text}) for name, text in lists.items()]


def ask_javascript(vectors: list[Vector], folder: Path) -> list[dict[str, object]]:
    keys = folder / "license-keys.json"
    keys.write_text(json.dumps(JWKS))
    lines = [json.dumps({"token": base64.b64encode(each.token).decode(), "at": each.at}) for each in vectors]
    command = ["node", str(Path(__file__).with_name("batch.mjs")), str(JAVASCRIPT), str(keys)]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def ask_python(vector: Vector) -> dict[str, object]:
    at = dict(vector.at)
    if "revocations" in at:
        at["revocations"] = RevocationList.from_token(at["revocations"], KEYS)
    verdict = verify(vector.token, KEYS, **at)
    return {"code": verdict.code, "valid": verdict.valid, "notes": list(verdict.notes)}


def disagreements(vectors: list[Vector], answers: list[dict[str, object]]) -> list[str]:
    pairs = zip(vectors, answers, strict=True)
    return [f"{vector.name}: {mine} and {theirs}" for vector, theirs in pairs if (mine := ask_python(vector)) != theirs]


def test_both_verifiers_agree_on_every_vector(tmp_path):
    vectors = [*hostile(), *honest(), *revoked()]

    answers = ask_javascript(vectors, tmp_path)

    assert disagreements(vectors, answers) == []
    reachable = set(Code) - {Code.CLOCK_ROLLBACK}
    assert {answer["code"] for answer in answers} == reachable


def test_a_disagreement_is_seen(tmp_path):
    vectors = honest()[:3]
    answers = ask_javascript(vectors, tmp_path)
    answers[1]["code"] = "EXPIRED"

    found = disagreements(vectors, answers)

    assert len(found) == 1


def test_both_verifiers_list_the_same_codes_in_the_same_order_and_words():
    script = f"import {{CODES, explain}} from {json.dumps(JAVASCRIPT.as_uri())};"
    script += "console.log(JSON.stringify(CODES.map((code) => [code, explain(code)])))"

    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, timeout=60, check=True
    )

    assert json.loads(done.stdout) == [[code, code.explanation] for code in Code]


@pytest.mark.parametrize("name", [path.name for path in JAVASCRIPT.parent.glob("*.mjs")])
def test_the_javascript_verifier_needs_no_package(name):
    imports = [
        line for line in (JAVASCRIPT.parent / name).read_text().splitlines() if " from " in line and "port" in line[:6]
    ]

    assert all('from "node:' in line or 'from "./' in line for line in imports)
