"""The parameters that price routes take, and those of prices that come inline. Declarations only."""

from __future__ import annotations

from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS
from infra.local.stripe.parameters import Choice, Each, EachNamed, Fields, Flag, Integer, Kind, Metadata, Text
from infra.local.stripe.resources.price_tiers import AMOUNT_FIELDS, TIERS

_INTERVAL: dict[str, Kind] = {
    "interval": Choice(("day", "week", "month", "year")),
    "interval_count": Integer(minimum=1, maximum=1095),
}
_TAX_BEHAVIOR = Choice(("exclusive", "inclusive", "unspecified"))
_PRODUCT_DATA: dict[str, Kind] = {
    "metadata": Metadata(),
    "name": Text(),
    "statement_descriptor": Text(22),
    "tax_code": Text(),
    "unit_label": Text(),
}
CURRENCY_OPTIONS = EachNamed(Fields({**AMOUNT_FIELDS, "tax_behavior": _TAX_BEHAVIOR, "tiers": TIERS}))
INLINE = Fields(
    {
        **AMOUNT_FIELDS,
        "currency_options": CURRENCY_OPTIONS,
        "currency": Text(3),
        "metadata": Metadata(),
        "recurring": Fields(_INTERVAL, required=("interval",)),
        "tax_behavior": _TAX_BEHAVIOR,
    },
    required=("currency",),
)
SESSION_INLINE = Fields(
    {
        **{name: kind for name, kind in INLINE.kinds.items() if name not in ("currency_options", "metadata")},
        "product": Text(),
        "product_data": Fields({**_PRODUCT_DATA, "description": Text(), "images": Each(Text())}, required=("name",)),
    },
    required=("currency",),
)
CREATE = Fields(
    {
        **AMOUNT_FIELDS,
        "active": Flag(),
        "billing_scheme": Choice(("per_unit", "tiered")),
        "currency": Text(3),
        "currency_options": CURRENCY_OPTIONS,
        "lookup_key": Text(200),
        "metadata": Metadata(),
        "nickname": Text(),
        "product": Text(),
        "product_data": Fields({**_PRODUCT_DATA, "active": Flag(), "id": Text()}, required=("name",)),
        "recurring": Fields(
            {**_INTERVAL, "meter": Text(), "usage_type": Choice(("licensed", "metered"))}, required=("interval",)
        ),
        "tax_behavior": _TAX_BEHAVIOR,
        "tiers": TIERS,
        "tiers_mode": Choice(("graduated", "volume")),
        "transfer_lookup_key": Flag(),
        "transform_quantity": Fields(
            {"divide_by": Integer(minimum=1), "round": Choice(("up", "down"))}, required=("divide_by", "round")
        ),
    },
    required=("currency",),
)
UPDATE = Fields(
    {
        name: CREATE.kinds[name]
        for name in (
            "active",
            "currency_options",
            "lookup_key",
            "metadata",
            "nickname",
            "tax_behavior",
            "transfer_lookup_key",
        )
    }
)
LIST = Fields(
    {
        **PAGE_PARAMETERS,
        "active": Flag(),
        "created": CREATED,
        "currency": Text(3),
        "lookup_keys": Each(Text()),
        "product": Text(),
        "recurring": Fields(
            {"interval": _INTERVAL["interval"], "meter": Text(), "usage_type": Choice(("licensed", "metered"))}
        ),
        "type": Choice(("one_time", "recurring")),
    }
)
