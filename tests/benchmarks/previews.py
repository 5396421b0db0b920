"""How long one price preview takes: its arithmetic with the text in another language, and its whole route."""

from __future__ import annotations

import contextlib
import io
import json
import time

from functions.pricing_preview.handler import handler
from keywright.catalog import rules as catalog_rules
from keywright.catalog import service as catalog
from keywright.platform import clock, db
from keywright.platform.db import Transaction
from keywright.pricing import localization, rules
from tests.api import Context, event_of
from tests.benchmarks.deployment import deployed_database
from tests.benchmarks.figures import Figure
from tests.stripe_events import product, tiered_price
from tests.unit.pricing.corpus import cases

CASES = 2000
WARM_UP = 20
_PROMISED_S = 0.005


def measure() -> list[Figure]:
    """Return the seconds of single previews: over the corpus, and asked of the function with a database behind it."""
    arithmetic = Figure("price preview: arithmetic and text", _computed(), promised=_PROMISED_S)
    return [arithmetic, Figure("price preview: route with its queries, in process", _asked())]


def _computed() -> list[float]:
    durations = []
    localization.choose("de")
    for case in cases(CASES):
        began = time.perf_counter()
        quote = rules.quote(case.price, quantity=case.quantity, currency=case.currency)
        localization.display(quote.money, locale="de", interval=quote.interval, interval_count=quote.interval_count)
        durations.append(time.perf_counter() - began)
    return durations


def _asked() -> list[float]:
    durations = []
    # Log lines are written as they are in earnest, but not between the figures.
    with deployed_database() as database, contextlib.redirect_stdout(io.StringIO()):
        database.empty()
        db.transact(_put_on_sale)
        for number in range(WARM_UP + CASES):
            body = json.dumps({"price_id": "price_tiered", "quantity": 1 + number})
            headers = {"content-type": "application/json"}
            event = event_of("pricing_preview", "POST", "/v1/pricing/preview", body=body, headers=headers, query={})
            began = time.perf_counter()
            answer = handler(event, Context())
            durations.append(time.perf_counter() - began)
            if answer["statusCode"] != 200:
                raise RuntimeError(f"the preview was refused: {answer['body']}")
    return durations[WARM_UP:]


def _put_on_sale(tx: Transaction) -> None:
    now = clock.now()
    # What has limits is bought in any quantity; a license without any is bought once.
    sold = product(metadata={"air_gapped": "true"})
    catalog.mirror_product(tx, catalog_rules.read_product(sold), at=now, by="bench")
    catalog.mirror_price(tx, catalog_rules.read_price(tiered_price()), at=now, by="bench")
