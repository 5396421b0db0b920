"""What is deployed as one unit."""
