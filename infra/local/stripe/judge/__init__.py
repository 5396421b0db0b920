"""
Stripe's own OpenAPI document as the judge of every request, answer and event. Used by tests only.

Loading :mod:`document` needs development dependencies; nothing imports it unless a judge was asked for.
"""
