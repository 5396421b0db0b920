"""The pages for a developer who wants to look. They show, and change nothing."""

from __future__ import annotations

from tests.fidelity.shop import Shop


def test_the_overview_shows_what_there_is(shop: Shop) -> None:
    subscription = shop.bought(shop.price(), customer_email="<ada>@example.com")

    page = shop.browser.get(f"{shop.url}/").text

    assert subscription.id in page
    assert "&lt;ada&gt;@example.com" in page
    assert "checkout.session.completed" in page


def test_every_object_has_a_page(shop: Shop) -> None:
    customer = shop.client.v1.customers.create({"name": "<b>Ada</b>"})

    page = shop.browser.get(f"{shop.url}/objects/{customer.id}")
    absent = shop.browser.get(f"{shop.url}/objects/cus_absent")

    assert "&lt;b&gt;Ada&lt;/b&gt;" in page.text
    assert (page.status_code, absent.status_code) == (200, 404)


def test_the_overview_warns_of_faults_that_are_in_force(shop: Shop) -> None:
    shop.control("fail", status=500, nth=100)
    shop.control("deliveries", mode="hold")

    page = shop.browser.get(f"{shop.url}/").text

    assert "calls are made to fail; deliveries are held." in page
