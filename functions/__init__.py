"""One folder = one deployed Lambda function. Nothing imports from here."""
