"""Stripe's subscriptions and invoices, mirrored. Stripe is asked for nothing here: observations are folded in."""
