"""Files, folders, long work, messages: nothing of models."""
