"""What runs under a contract: its rows, its usage as it is billed, and its license."""
