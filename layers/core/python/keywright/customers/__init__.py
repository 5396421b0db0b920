"""Customers own what is bought; users act for them as members. A customer outlives its users."""
