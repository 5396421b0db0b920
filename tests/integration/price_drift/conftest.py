from __future__ import annotations

from typing import Any

import pytest

from tests.buyers import Buyer, add_buyer
from tests.integration.metering.conftest import shop
from tests.purchases import catalog_events, fold, subscription_events
from tests.queue_hints import drop

__all__ = ["ada", "shop"]


@pytest.fixture
def ada(clean_database: Any) -> Buyer:
    """Somebody who has bought a tiered price, of which nobody was shown a preview here."""
    buyer = add_buyer()
    fold(*catalog_events(), *subscription_events(buyer))
    drop("JOBS")
    return buyer
