"""What is for sale: Stripe's products and prices, mirrored. Metadata says what sort of license a product gives."""
