"""Where tests find Stripe's document; the loader belongs to the stand-in, which can judge itself with it."""

from __future__ import annotations

from infra.local.stripe.judge.document import StripeDocument, stripe_document

__all__ = ["StripeDocument", "stripe_document"]
