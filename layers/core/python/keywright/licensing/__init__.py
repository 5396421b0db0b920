"""Licenses: exactly one for each paid thing, signed so that anybody can verify them without a network."""
