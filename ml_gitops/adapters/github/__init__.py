"""A forge on GitHub, or on a GitHub Enterprise Server."""
