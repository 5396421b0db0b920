"""The roles of functions on this machine: what IAM would say to each call, and the place where it is said."""
