"""Why a device differs: hypotheses that reproduce its results bit for bit, and the report."""
