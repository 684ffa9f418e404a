"""What a text says, as blocks, and renderers of it: terminal, Markdown, HTML."""
