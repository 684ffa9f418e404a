"""What a choice costs: of quantisation, of an engine's contract."""
