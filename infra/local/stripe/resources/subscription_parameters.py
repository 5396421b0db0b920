"""The parameters of subscriptions and their items. Declarations only."""

from __future__ import annotations

from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS
from infra.local.stripe.parameters import (
    Choice,
    DecimalText,
    Each,
    Fields,
    Flag,
    Integer,
    Kind,
    Metadata,
    Moment,
    Text,
)

STATUSES = (
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
)
_FEEDBACK = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
_QUANTITY = Integer(minimum=0, maximum=999_999_999_999)
_CANCELLATION_DETAILS = Fields({"comment": Text(), "feedback": Choice(_FEEDBACK)})
PRORATION: dict[str, Kind] = {
    "proration_behavior": Choice(("always_invoice", "create_prorations", "none")),
    "proration_date": Integer(),
}
_BEHAVIOR = Choice(("allow_incomplete", "default_incomplete", "error_if_incomplete"))
_PRICE_DATA: dict[str, Kind] = {
    "currency": Text(3),
    "product": Text(),
    "tax_behavior": Choice(("exclusive", "inclusive", "unspecified")),
    "unit_amount": Integer(),
    "unit_amount_decimal": DecimalText(),
}
ONE_TIME_DATA = Fields(_PRICE_DATA, required=("currency", "product"))
RECURRING_DATA = Fields(
    {
        **_PRICE_DATA,
        "recurring": Fields(
            {
                "interval": Choice(("day", "week", "month", "year")),
                "interval_count": Integer(minimum=1, maximum=1095),
            },
            required=("interval",),
        ),
    },
    required=("currency", "product", "recurring"),
)
ITEM: dict[str, Kind] = {
    "metadata": Metadata(),
    "price": Text(),
    "price_data": RECURRING_DATA,
    "quantity": _QUANTITY,
}
CHANGED_ITEM = Fields({**ITEM, "clear_usage": Flag(), "deleted": Flag(), "id": Text()})
TRIAL_SETTINGS = Fields(
    {
        "end_behavior": Fields(
            {"missing_payment_method": Choice(("cancel", "create_invoice", "pause"))},
            required=("missing_payment_method",),
        )
    },
    required=("end_behavior",),
)
_SHARED: dict[str, Kind] = {
    "add_invoice_items": Each(
        Fields({"metadata": Metadata(), "price": Text(), "price_data": ONE_TIME_DATA, "quantity": _QUANTITY})
    ),
    "cancel_at": Moment(),
    "cancel_at_period_end": Flag(),
    "collection_method": Choice(("charge_automatically", "send_invoice")),
    "days_until_due": Integer(minimum=0),
    "default_payment_method": Text(),
    "description": Text(500),
    "metadata": Metadata(),
    "off_session": Flag(),
    "payment_behavior": _BEHAVIOR,
    "payment_settings": Fields(
        {
            "payment_method_types": Each(Choice(("card",))),
            "save_default_payment_method": Choice(("off", "on_subscription")),
        }
    ),
    "proration_behavior": PRORATION["proration_behavior"],
    "trial_end": Moment(("now",)),
    "trial_settings": TRIAL_SETTINGS,
}
CREATE = Fields(
    {
        **_SHARED,
        "billing_cycle_anchor": Integer(),
        "currency": Text(3),
        "customer": Text(),
        "items": Each(Fields(ITEM)),
        "trial_period_days": Integer(minimum=0, maximum=730),
    },
    required=("customer", "items"),
)
UPDATE = Fields(
    {
        **_SHARED,
        "billing_cycle_anchor": Choice(("now", "unchanged")),
        "cancellation_details": _CANCELLATION_DETAILS,
        "items": Each(CHANGED_ITEM),
        "pause_collection": Fields(
            {"behavior": Choice(("keep_as_draft", "mark_uncollectible", "void")), "resumes_at": Integer()},
            required=("behavior",),
        ),
        "proration_date": Integer(),
    }
)
CANCEL = Fields({"cancellation_details": _CANCELLATION_DETAILS, "invoice_now": Flag(), "prorate": Flag()})
RESUME = Fields({**PRORATION, "billing_cycle_anchor": Choice(("now", "unchanged"))})
LIST = Fields(
    {
        **PAGE_PARAMETERS,
        "collection_method": Choice(("charge_automatically", "send_invoice")),
        "created": CREATED,
        "customer": Text(),
        "price": Text(),
        "status": Choice(STATUSES),
    }
)
_ITEM_CHANGE: dict[str, Kind] = {**ITEM, **PRORATION, "payment_behavior": _BEHAVIOR}
ITEM_CREATE = Fields({**_ITEM_CHANGE, "subscription": Text()}, required=("subscription",))
ITEM_UPDATE = Fields({**_ITEM_CHANGE, "off_session": Flag()})
ITEM_DELETE = Fields({**PRORATION, "clear_usage": Flag(), "payment_behavior": _BEHAVIOR})
ITEM_LIST = Fields({**PAGE_PARAMETERS, "subscription": Text()}, required=("subscription",))
PREVIEW_DETAILS = Fields(
    {
        **PRORATION,
        "billing_cycle_anchor": Moment(("now", "unchanged")),
        "cancel_at_period_end": Flag(),
        "cancel_now": Flag(),
        "items": Each(CHANGED_ITEM),
        "trial_end": Moment(("now",)),
    }
)
