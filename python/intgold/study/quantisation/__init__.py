"""What quantisation costs and gives: sweeps, comparisons, errors, pictures."""
