"""Buying: a Stripe Checkout Session for one of the customer's domains and a price on sale."""
