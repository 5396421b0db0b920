"""The control API under ``/_control``: what a test or a person does to the stand-in, and what Stripe has nothing of."""
