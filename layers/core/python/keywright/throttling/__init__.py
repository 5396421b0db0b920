"""How often something may be tried: buckets that fill again with time, kept in the database for all containers."""
