"""
The stage for requests of every kind: the world, an account at the Stripe stand-in, a license that counts, and tokens.

Requests that are carried out wear the world down, so it is made anew now and then.
"""

from __future__ import annotations

from stripe import StripeClient

from keywright.catalog.models import LicenseKind
from keywright.platform import clock
from tests.conftest import Database
from tests.metered import add_metered
from tests.purchases import fold
from tests.security import world
from tests.security.fuzz_words import words
from tests.security.world import Identity
from tests.stripe_events import event, price, product

# After so many changes it is time for a new world.
_WORN = 25
# Whoever is shut out, or gives themselves away, asks the rest in vain.
_ENDING = ("/v1/auth/", "/v1/users/", "/members/")


class Stage:
    """Makes the world, and makes it again when too little of it is left."""

    def __init__(self, database: Database, stripe: StripeClient) -> None:
        self._database = database
        self._customer_id = stripe.v1.customers.create({"email": "own@example.com"}).id
        self._price_id = stripe.v1.prices.create(
            {"currency": "usd", "unit_amount": 4900, "recurring": {"interval": "month"}, "product_data": {"name": "H"}}
        ).id
        self._changes = 0
        self._license = ""
        self._tokens: dict[str, str | None] = {}
        self.words = words() | {"price_id": ("price_1", self._price_id, "price_absent")}
        self.make()

    def make(self) -> None:
        """Make the world anew."""
        world.make(self._database)
        query = "UPDATE customers SET stripe_customer_id = %s WHERE customer_sid = 'cus_own'"
        self._database.execute(query, self._customer_id)
        fold(event("product.created", product()), event("price.created", price(self._price_id)))
        now = clock.now()
        metered = add_metered("holder", began_at=now, kind=LicenseKind.USAGE)
        self._license = metered.token
        self.words["license"] = (metered.token, *words()["license"])
        self.words["license_sid"] = (metered.license_sid, *words()["license_sid"])
        self._changes, self._tokens = 0, {}

    def headers(self, who: Identity) -> dict[str, str]:
        """Return how somebody says who they are."""
        if who.state == "license":
            return {"Authorization": f"Bearer {self._license}"}
        if who.name not in self._tokens:
            self._tokens[who.name] = world.token(who, now=clock.now())
        token = self._tokens[who.name]
        return {} if token is None else {"Authorization": f"Bearer {token}"}

    def note(self, method: str, path: str) -> None:
        """Note that a request was carried out."""
        if method == "GET":
            return
        self._changes += _WORN if any(part in path for part in _ENDING) else 1
        if self._changes >= _WORN:
            self.make()
