"""Stripe's events: verified, stored as they came, folded later. A set: order and repetition mean nothing."""
