"""How fast the C engine is, and what bounds it: measured in one run, on one core."""
