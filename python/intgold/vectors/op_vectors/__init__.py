"""Vectors of one op, as lines and as sets."""
