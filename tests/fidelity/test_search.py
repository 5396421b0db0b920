"""Search: Stripe's query language, in pages, and some time behind."""

from __future__ import annotations

import pytest
import stripe

from infra.local.stripe.search_query import parse
from tests.fidelity.shop import Shop

FIELDS = frozenset({"created", "email", "metadata", "name"})
ADA = {"created": 100, "email": "ada@example.com", "name": "Ada Lovelace", "metadata": {"customer_id": "c-1"}}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("email:'ada@example.com'", True),
        ('email:"ADA@example.com"', True),
        ("email:'eve@example.com'", False),
        ("-email:'eve@example.com'", True),
        ("metadata['customer_id']:'c-1'", True),
        ("metadata['customer_id']:'c-2'", False),
        ("metadata['other']:null", True),
        ("-metadata['customer_id']:null", True),
        ("name~'love'", True),
        ("created>99 AND created<101", True),
        ("created>100 email:'ada@example.com'", False),
        ("created>=100 OR name:'Eve'", True),
        ("created<100 OR name:'Eve'", False),
    ],
)
def test_a_query_finds_what_it_describes(query: str, *, found: bool) -> None:
    assert parse(query, FIELDS).matches(ADA) is found


@pytest.mark.parametrize(
    "query",
    ["email", "email:", "secret:'x'", "metadata:'x'", "created>'x'", "name~'ab'", "name:'a' AND name:'b' OR name:'c'"],
)
def test_a_query_that_makes_no_sense_is_refused(shop: Shop, query: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.client.v1.customers.search({"query": query})

    assert refusal.value.param == "query"


def test_results_come_in_pages(shop: Shop) -> None:
    made = [shop.client.v1.customers.create({"metadata": {"of": "us", "n": str(n)}}).id for n in range(5)]
    shop.client.v1.customers.create({"metadata": {"of": "others"}})

    first = shop.client.v1.customers.search({"query": "metadata['of']:'us'", "limit": 2})

    assert (first.has_more, len(first.data)) == (True, 2)
    assert [customer.id for customer in first.auto_paging_iter()] == made[::-1]


def test_everything_that_can_be_bought_can_be_searched(shop: Shop) -> None:
    price = shop.price(metadata={"plan": "gold"})
    subscription = shop.bought(price, subscription_data={"metadata": {"order": "7"}})
    find = shop.client.v1

    assert [value.id for value in find.prices.search({"query": "metadata['plan']:'gold' active:'true'"}).data] == [
        price.id
    ]
    assert [value.id for value in find.products.search({"query": "name~'tide'"}).data] == [price.product]
    assert [value.id for value in find.subscriptions.search({"query": "metadata['order']:'7'"}).data] == [
        subscription.id
    ]
    invoices = find.invoices.search({"query": f"subscription:'{subscription.id}' AND status:'paid'"}).data
    charges = find.charges.search({"query": "amount>1000 AND payment_method_details.card.last4:4242"}).data
    assert [len(invoices), len(charges)] == [1, 1]


def test_what_was_just_written_is_not_found_yet(shop: Shop) -> None:
    shop.control("search", delay_s=60)
    customer = shop.client.v1.customers.create({"email": "ada@example.com"})
    query = {"query": "email:'ada@example.com'"}

    before = shop.client.v1.customers.search(query).data  # type: ignore[arg-type]
    shop.control("clock", advance_s=61)
    after = shop.client.v1.customers.search(query).data  # type: ignore[arg-type]

    assert before == []
    assert [found.id for found in after] == [customer.id]
