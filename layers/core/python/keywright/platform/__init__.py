"""The ground that the domains stand on: database, HTTP, queue, clock. It knows no domain."""
