"""Who bills what: a product on a domain is billed by Stripe or by a contract, never by both."""
