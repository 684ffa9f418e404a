"""Reals to integers and back, in float64 on the host (SPEC 8)."""
