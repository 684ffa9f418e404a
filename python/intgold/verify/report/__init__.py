"""What verify found, in blocks: as text and as a page; and as JSON."""
