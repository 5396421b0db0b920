"""What becomes of a contract subscription by its own log, and what that bills: values and arithmetic. Pure."""
