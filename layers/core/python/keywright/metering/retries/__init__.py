"""Usage that was refused, taken up again by staff once the cause is mended."""
