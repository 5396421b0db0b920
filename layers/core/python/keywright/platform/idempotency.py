"""
POSTs that may be repeated: the same caller, route, ``Idempotency-Key`` and body get the same answer for a day.

Powertools decides; what it decides about is kept here, in our database. Only answers that say that something was done
are kept: after an error nothing was done, and the next try may go better.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from keywright.platform import idempotency_repository as repository
from keywright.platform.db import Transaction
from keywright.platform.errors import (
    DatabaseUnavailable,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    RequestInProgress,
)
from keywright.platform.repeats import Asker, Transact
from keywright.platform.seals import Seals

Answer = dict[str, Any]

KEEP_S = 24 * 3600
REPLAYED_HEADER = "Idempotency-Replayed"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class _NothingDone(Exception):
    """Carries an answer that is not kept past powertools, which keeps whatever is returned."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class MySqlRecords(BasePersistenceLayer):
    """
    Powertools' persistence on ``idempotency_records``; each step is a transaction of its own.

    What a row holds can be neither read nor guessed at by whoever has the table: see ``seals``.
    """

    def __init__(self, transact: Transact, seals: Seals) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library's constructor states no types
        self._transact = transact
        self._seals = seals

    def _get_hashed_payload(self, data: dict[str, Any]) -> str:
        return self._seals.digest(data["body"])

    def _validate_payload(self, data_payload: Any, stored_data_record: DataRecord) -> None:
        if not self._seals.matches(data_payload["body"], stored_data_record.payload_hash or ""):
            raise IdempotencyValidationError

    def _get_record(self, idempotency_key: str) -> DataRecord:
        place = _digest(idempotency_key)
        row = self._transact(lambda tx: repository.find(tx, record_key=place))
        if row is None:
            raise IdempotencyItemNotFoundError
        # What no key opens any more has no digest that matches either: the caller is told to take another key.
        answer = self._seals.unseal(row["answer"], place=place) if row["answer"] else None
        return DataRecord(
            idempotency_key=idempotency_key,
            status=row["state"],
            expiry_timestamp=row["expires_at"],
            in_progress_expiry_timestamp=row["claimed_until"],
            response_data=answer or "",
            payload_hash=row["payload_hash"],
        )

    def _put_record(self, data_record: DataRecord) -> None:
        wanted = repository.Claim(
            record_key=_digest(data_record.idempotency_key),
            payload_hash=data_record.payload_hash,
            claimed_until=data_record.in_progress_expiry_timestamp,
            expires_at=data_record.expiry_timestamp or 0,
        )
        # Powertools has read the clock: the record is to be kept from this second on.
        now_s = wanted.expires_at - KEEP_S
        if self._transact(lambda tx: repository.claim(tx, wanted)):
            return
        if not self._transact(lambda tx: repository.reclaim(tx, wanted, now_s=now_s)):
            raise IdempotencyItemAlreadyExistsError

    def _update_record(self, data_record: DataRecord) -> None:
        key, expires_at = _digest(data_record.idempotency_key), data_record.expiry_timestamp or 0
        sealed = self._seals.seal(data_record.response_data, place=key)
        self._transact(lambda tx: repository.complete(tx, record_key=key, answer=sealed, expires_at=expires_at))

    def _delete_record(self, data_record: DataRecord) -> None:
        self._transact(lambda tx: repository.drop(tx, record_key=_digest(data_record.idempotency_key)))


def once(
    work: Callable[[], Answer], *, transact: Transact, asker: Asker, target: str, key: str, body: str, context: Any
) -> Answer:
    """
    Return the answer of ``work``, or the one that the same asker got for the same key and body before.

    ``target`` is the route and path asked for. ``context`` is Lambda's: its remaining time bounds how long a key is
    held.

    :raises IdempotencyKeyInvalid: if the key is no key
    :raises IdempotencyKeyReused: if the key was used with another body
    :raises RequestInProgress: if the first request is still being answered
    :raises DatabaseUnavailable: if the database does not answer
    """
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyInvalid("An Idempotency-Key has 1 to 255 visible ASCII characters.")
    config = IdempotencyConfig(
        event_key_jmespath="[scope, key]",
        payload_validation_jmespath="body",
        expires_after_seconds=KEEP_S,
        hash_function="sha256",
        lambda_context=context,
        response_hook=_mark,
    )
    run = idempotent_function(
        lambda request: _done(work()),  # noqa: ARG005  (powertools reads the request by its name)
        data_keyword_argument="request",
        persistence_store=MySqlRecords(transact, asker.seals),
        config=config,
        key_prefix="api",
    )
    try:
        answer: Answer = run(request={"scope": f"{target} {asker.name}", "key": key, "body": body})
    except _NothingDone as nothing:
        return nothing.answer
    except IdempotencyValidationError as problem:
        raise IdempotencyKeyReused("Use a new Idempotency-Key for another request.") from problem
    except (IdempotencyAlreadyInProgressError, IdempotencyInconsistentStateError) as problem:
        raise RequestInProgress("The same request is being answered. Ask again in a moment.") from problem
    except IdempotencyPersistenceLayerError as problem:
        raise DatabaseUnavailable("The database does not answer. Try again.") from problem
    return answer


def clean_up(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget answers that are older than a day; return how many."""
    return repository.drop_expired(tx, now_s=int(now.timestamp()), limit=limit)


def _done(answer: Answer) -> Answer:
    if not 200 <= answer["statusCode"] < 300:  # noqa: PLR2004  (what HTTP calls success)
        raise _NothingDone(answer)
    return answer


def _mark(response: Any, idempotent_data: DataRecord) -> Any:  # noqa: ARG001  (powertools' names)
    answer: Answer = response
    return {**answer, "headers": {**answer.get("headers", {}), REPLAYED_HEADER: "true"}}


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
