"""The parameters of Checkout Sessions. Declarations only."""

from __future__ import annotations

from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS
from infra.local.stripe.parameters import Choice, Each, Fields, Flag, Integer, Metadata, Text
from infra.local.stripe.resources.price_parameters import SESSION_INLINE
from infra.local.stripe.resources.subscription_parameters import TRIAL_SETTINGS

_ENABLED = Fields({"enabled": Flag()}, required=("enabled",))
_AUTO_NEVER = Choice(("auto", "never"))

CREATE = Fields(
    {
        "allow_promotion_codes": Flag(),
        "automatic_tax": _ENABLED,
        "billing_address_collection": Choice(("auto", "required")),
        "cancel_url": Text(),
        "client_reference_id": Text(200),
        "currency": Text(3),
        "customer": Text(),
        "customer_creation": Choice(("always", "if_required")),
        "customer_email": Text(800),
        "customer_update": Fields({"address": _AUTO_NEVER, "name": _AUTO_NEVER, "shipping": _AUTO_NEVER}),
        "expires_at": Integer(),
        "line_items": Each(
            Fields(
                {
                    "metadata": Metadata(),
                    "price": Text(),
                    "price_data": SESSION_INLINE,
                    "quantity": Integer(minimum=0, maximum=999_999_999_999),
                }
            )
        ),
        "locale": Text(),
        "metadata": Metadata(),
        "mode": Choice(("payment", "subscription")),
        "payment_intent_data": Fields(
            {
                "description": Text(),
                "metadata": Metadata(),
                "receipt_email": Text(),
                "setup_future_usage": Choice(("off_session", "on_session")),
            }
        ),
        "payment_method_collection": Choice(("always", "if_required")),
        "payment_method_types": Each(Choice(("card",))),
        "phone_number_collection": _ENABLED,
        "submit_type": Choice(("auto", "book", "donate", "pay", "subscribe")),
        "subscription_data": Fields(
            {
                "description": Text(500),
                "metadata": Metadata(),
                "trial_end": Integer(),
                "trial_period_days": Integer(minimum=1, maximum=730),
                "trial_settings": TRIAL_SETTINGS,
            }
        ),
        "success_url": Text(),
        "tax_id_collection": _ENABLED,
        "ui_mode": Choice(("hosted_page",)),
    },
    required=("mode", "line_items", "success_url"),
)
UPDATE = Fields({"metadata": Metadata()})
LIST = Fields(
    {
        **PAGE_PARAMETERS,
        "created": CREATED,
        "customer": Text(),
        "payment_intent": Text(),
        "status": Choice(("complete", "expired", "open")),
        "subscription": Text(),
    }
)
