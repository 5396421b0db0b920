"""The two billers, and the refusal of the second one."""

from __future__ import annotations

from enum import StrEnum

from keywright.platform.errors import Conflict


class Biller(StrEnum):
    """Who bills a thing."""

    STRIPE = "STRIPE"
    CONTRACT = "CONTRACT"


class BilledOtherwise(Conflict):
    """The product is billed for this domain already, and by the other biller."""

    code = "billed-otherwise"
    title = "Somebody else bills this"
