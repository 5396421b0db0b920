"""Plans: what contracts sell, in versions that never change."""
