"""What the repository needs and users do not."""
