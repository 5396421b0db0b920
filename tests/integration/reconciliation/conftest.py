from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.conftest import Database
from tests.integration.reconciliation.working import Works
from tests.queue_hints import drop
from tests.stories import DAY_S, theater


@pytest.fixture
def works(clean_database: Database, invoke: Callable[[str, object], Any], monkeypatch: Any) -> Iterator[Works]:
    """A stand-in that delivers nothing, our workers in this process, and somebody of the staff."""
    with _working(clean_database, invoke, monkeypatch, behind_s=0) as works:
        yield works


@pytest.fixture
def late_works(clean_database: Database, invoke: Callable[[str, object], Any], monkeypatch: Any) -> Iterator[Works]:
    """The same, with all that happens at Stripe two days old: no overlap of two looks covers it."""
    with _working(clean_database, invoke, monkeypatch, behind_s=2 * DAY_S) as works:
        yield works


@contextmanager
def _working(
    database: Database, invoke: Callable[[str, object], Any], monkeypatch: Any, *, behind_s: int
) -> Iterator[Works]:
    drop("EVENTS")
    drop("JOBS")
    with theater(1, behind_s=behind_s) as stripe:
        monkeypatch.setenv("KEYWRIGHT_STRIPE_API_URL", stripe.url)
        stripe.open()
        yield Works(stripe, database, invoke)
