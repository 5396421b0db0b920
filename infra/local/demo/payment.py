"""The hosted checkout page, filled in and sent as a browser would."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

from infra.local.demo.failure import require

CARD = "4242 4242 4242 4242"


class CardForm(HTMLParser):
    """Finds the form that has a field for the card, with the values that its other fields come with."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._action = ""
        self._fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Collect a form's fields.
        """
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action, self._fields = attributes.get("action", ""), {}
        elif tag in {"input", "select"} and attributes.get("name"):
            self._fields[attributes["name"]] = attributes.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """
        Keep the form if it is the one.
        """
        if tag == "form" and "card" in self._fields and self.action is None:
            self.action, self.fields = self._action, self._fields


def pay(checkout_url: str, *, email: str) -> str:
    """
    Pay on the hosted page, follow it back to the shop, and return the page one lands on.

    :raises NotAsPromised: if there is no form, or the payment does not lead back
    """
    with httpx.Client(follow_redirects=True, timeout=30, trust_env=False) as browser:
        page = browser.get(checkout_url)
        require(page.is_success, f"the checkout page answered {page.status_code}: {page.text[:300]}")
        form = CardForm()
        form.feed(page.text)
        require(form.action is not None, "the checkout page has no form with a field for the card")
        filled = {**form.fields, "card": CARD}
        if "email" in filled:
            filled["email"] = filled["email"] or email
        landed = browser.post(urljoin(str(page.url), form.action or ""), data=filled)
    require(landed.is_success, f"paying ended at {landed.url} with {landed.status_code}: {landed.text[:300]}")
    require(landed.history, "the payment was not accepted: the hosted page did not send the customer back")
    return str(landed.url)
