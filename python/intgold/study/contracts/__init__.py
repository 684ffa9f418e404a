"""Where two contracts differ, with witnesses."""
