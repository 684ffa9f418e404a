"""The engines' formulas: scales as integers, tables, thresholds."""
