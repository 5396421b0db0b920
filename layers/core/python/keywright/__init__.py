"""Keywright: paid Stripe events become signed licenses."""
