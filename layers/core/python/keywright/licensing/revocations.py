"""
The signed revocation list (docs/revocation-list-format.md): what counts no more, for those who cannot ask.

It is read in one transaction, signed outside of any, and kept in another: whoever was overtaken meanwhile begins anew.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from keywright.audit import service as audit
from keywright.audit.models import SYSTEM
from keywright.jobs import service as jobs
from keywright.licensing import editions, ruling_repository, tokens
from keywright.licensing.keys.ring import LicenseKey
from keywright.licensing.models import Rule, named_causes
from keywright.licensing.ruling_repository import StoredList
from keywright.platform.clock import from_unix, to_unix
from keywright.platform.db import Row, Transaction
from keywright.platform.errors import Conflict, NotFound

LIFETIME = timedelta(days=30)
"""When a list is overdue. An air gap is opened for a release, and those come every few weeks."""

MAX_BYTES = 4 * 1024 * 1024
"""The longest list that verifiers read."""

_PAGE = 1000
Entry = TypeVar("Entry")


@dataclass(frozen=True)
class Content:
    """What a list says of licenses, in its one spelling."""

    revoked: tuple[dict[str, object], ...]
    min_seq: dict[str, int]

    @property
    def digest(self) -> str:
        """Return what tells this content from any other."""
        spelled = tokens.canonical({"revoked": list(self.revoked), "min_seq": self.min_seq})
        return hashlib.sha256(spelled).hexdigest()


@dataclass(frozen=True)
class ListDraft:
    """A list that is ready to be signed, and the one that it follows."""

    claims: dict[str, object]
    content_epoch: int
    content_hash: str
    last_issued_at: datetime | None

    def says_again_before(self, moment: datetime) -> bool:
        """Tell whether the last list says the same, and was signed after the moment."""
        is_new = self.content_epoch == self.claims["epoch"]
        return not is_new and self.last_issued_at is not None and self.last_issued_at > moment


class ListOvertaken(Conflict):
    """Another list was signed between our look and our signature."""

    code = "revocation-list-overtaken"
    title = "Another revocation list was signed meanwhile"


class ListMissing(NotFound):
    """No revocation list was signed yet."""

    code = "revocation-list-not-found"
    title = "There is no revocation list yet"


def draft(tx: Transaction, *, now: datetime, lifetime: timedelta = LIFETIME) -> ListDraft:
    """Return the next list: the epoch after the last one, and everything that is revoked or outdated now."""
    last = ruling_repository.find_last_list(tx)
    return following(last, _content(tx), now=now, lifetime=lifetime)


def following(last: StoredList | None, content: Content, *, now: datetime, lifetime: timedelta) -> ListDraft:
    """Return the list that follows another one. Its time never runs back, whatever the clock does."""
    epoch = 1 if last is None else last.epoch + 1
    issued_at = now if last is None else max(now, last.issued_at)
    issued_before = None if last is None else last.issued_at
    same = last is not None and last.content_hash == content.digest
    claims: dict[str, object] = {
        "epoch": epoch,
        "iat": to_unix(issued_at),
        "next_update": to_unix(issued_at + lifetime),
        "min_seq": content.min_seq,
        "revoked": list(content.revoked),
        "prev_hash": None if last is None else last.digest,
    }
    return ListDraft(claims, last.content_epoch if last is not None and same else epoch, content.digest, issued_before)


def sign(found: ListDraft, key: LicenseKey) -> StoredList:
    """Sign a list. It may ask the network, so it is called outside of any transaction."""
    token = tokens.sign(found.claims, key, typ=tokens.REVOCATIONS)
    assert len(token) <= MAX_BYTES, "The revocation list is longer than verifiers read."
    digest = urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    epoch, issued_at, next_update = (_whole(found.claims[name]) for name in ("epoch", "iat", "next_update"))
    return StoredList(
        epoch, found.content_epoch, token, digest, found.content_hash, from_unix(issued_at), from_unix(next_update)
    )


def keep(tx: Transaction, signed: StoredList, *, kid: str, now: datetime) -> None:
    """
    Append a signed list.

    :raises ListOvertaken: if another list has its epoch; whoever signed this one looks again
    """
    if not ruling_repository.add_list(tx, signed, kid=kid):
        raise ListOvertaken(f"The list of epoch {signed.epoch} is there already.")
    what = {"content_epoch": signed.content_epoch, "kid": kid}
    audit.record(tx, "REVOCATIONS_SIGNED", actor=SYSTEM, subject=f"epoch:{signed.epoch}", new=what, now=now)


def get_current(tx: Transaction) -> StoredList:
    """
    Return the list of the highest epoch.

    :raises ListMissing: before the first; it is asked for then
    """
    found = ruling_repository.find_last_list(tx)
    if found is None:
        raise ListMissing("The first revocation list is being signed. Try again in a minute.")
    return found


def request(tx: Transaction, *, key: str, now: datetime) -> None:
    """Have a list signed."""
    jobs.enqueue(tx, "licensing.publish-revocations", {}, key=key, now=now)


def _content(tx: Transaction) -> Content:
    revoked = _all(
        lambda after: ruling_repository.list_revoked(tx, after=after, limit=_PAGE), lambda row: row["license_sid"]
    )
    newest = _all(
        lambda after: ruling_repository.list_last_editions(tx, after=after, limit=_PAGE), lambda pair: pair[0]
    )
    return Content(
        tuple(_entry(row) for row in revoked),
        {license_sid: editions.seq_of(number, from_unix(0)) for license_sid, number in newest},
    )


def _entry(row: Row) -> dict[str, object]:
    first = named_causes(row["causes"])[0]
    reason = first.subject if first.rule is Rule.STAFF_REVOKED else first.rule.name
    return {"lid": row["license_sid"], "reason": reason, "at": to_unix(first.effective_at)}


def _all(page: Callable[[str], list[Entry]], key: Callable[[Entry], Any]) -> list[Entry]:
    found: list[Entry] = []
    while part := page(key(found[-1]) if found else ""):
        found += part
    return found


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value
