"""Which arrays a vector set holds."""
