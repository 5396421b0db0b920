"""Whatever a test here does, Stripe is asked only by those who may ask it; see ``tests.stripe_callers``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.stripe.ledger import FOLDER
from tests.stripe_callers import offenders


@pytest.fixture(scope="package", autouse=True)
def books_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where every stand-in leaves who asked it what, those in other processes too."""
    folder = tmp_path_factory.mktemp("callers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER, str(folder))
        yield folder


@pytest.fixture(autouse=True)
def _nobody_else_asks_stripe(books_of_all: Path) -> Iterator[None]:
    before = offenders(books_of_all)
    yield
    assert offenders(books_of_all) - before == set()
