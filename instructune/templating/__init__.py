"""Chat templates, rendered without trusting them, and the tokens that end a turn."""
