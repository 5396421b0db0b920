"""The function that seals the record, in its own role."""

from __future__ import annotations

from tests.conftest import Database
from tests.licenses import Invoke


def test_the_record_is_sealed_by_the_function_itself(clean_database: Database, invoke: Invoke) -> None:
    clean_database.execute(
        "INSERT INTO audit_log (created_at, actor_kind, action, subject_sid) VALUES (NOW(6), 'SYSTEM', 'TESTED', 'x')"
    )

    invoke("audit_sealer", {"do": "seal"})

    assert len(clean_database.execute("SELECT * FROM audit_seals")) == 1
