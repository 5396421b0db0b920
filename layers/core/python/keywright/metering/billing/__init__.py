"""Usage that is billed by an invoice of its own."""
