"""Real engines, asked and compared: what they answer to a file."""
