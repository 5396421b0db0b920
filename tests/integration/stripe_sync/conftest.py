from __future__ import annotations

import pytest

from tests.buyers import Buyer, add_buyer
from tests.conftest import Database
from tests.purchases import open_checkout


@pytest.fixture
def buyer(clean_database: Database) -> Buyer:
    """Somebody who has opened a checkout for the tiered subscription."""
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    return buyer


@pytest.fixture
def one_time_buyer(clean_database: Database) -> Buyer:
    """Somebody who has opened a checkout for the air-gapped product."""
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_once", mode="payment")
    return buyer
