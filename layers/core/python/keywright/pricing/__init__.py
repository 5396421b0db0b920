"""The arithmetic of Stripe's prices, computed here and on the server only, to the minor unit."""
