"""What Stripe billed beside what we say that it costs, to the minor unit. A difference is recorded, never mended."""
