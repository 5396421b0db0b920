"""The machines that a license was bound to, one after the other, and the key by which each signs what it reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from keywright.licensing import editions, repository, ruling_repository, tokens
from keywright.platform.db import Transaction


@dataclass(frozen=True)
class MachineKey:
    """
    The public half of a machine's key (the ``x`` of its JWK), and for how long the license was bound to it.

    ``replaced_at`` is when the license was bound to the next one; None while it is this one's.
    """

    x: str
    bound_at: datetime
    replaced_at: datetime | None


def list_machine_keys(tx: Transaction, *, license_sid: str) -> list[MachineKey]:
    """Return the keys of the machines that a license was bound to, the oldest first; none if it never was."""
    bound = list(_bindings(tx, license_sid))
    # One machine may have been named twice, by staff that issued the license anew for it.
    firsts = [next(same) for _, same in groupby(bound, key=lambda binding: binding[0])]
    ends = [*(bound_at for _, bound_at in firsts), None][1:]
    return [MachineKey(x, bound_at, end) for (x, bound_at), end in zip(firsts, ends, strict=True)]


def _bindings(tx: Transaction, license_sid: str) -> Iterator[tuple[str, datetime]]:
    """Yield each key with the moment of its binding: the one that was bought for, then those of later editions."""
    files = repository.list_files(tx, license_sid=license_sid)
    bought = [file for file in files if editions.edition_of(file.seq) == editions.FIRST]
    if bought:
        binding = editions.binding_in(tokens.claims_of(bought[-1].token))
        if binding is not None and binding.usage_key is not None:
            yield binding.usage_key, bought[-1].issued_at
    for edition in ruling_repository.list_editions(tx, license_sid=license_sid):
        if edition.challenge is not None:
            usage_key = editions.read_binding(edition.challenge).usage_key
            if usage_key is not None:
                yield usage_key, edition.made_at
