"""Contracts: what was agreed on with a customer, what runs under it, and our own deterministic billing of both."""
