"""Whose key it is: one account, the same for as long as the stand-in runs."""

from __future__ import annotations

from tests.fidelity.shop import Shop


def test_a_key_tells_the_account_that_it_belongs_to(shop: Shop) -> None:
    first, second = (shop.client.v1.accounts.retrieve_current() for _ in range(2))

    assert first.id == second.id
    assert (first.object, first.id.startswith("acct_1"), len(first.id)) == ("account", True, 21)
