"""What verify found, as text and as a page."""
