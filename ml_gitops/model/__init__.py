"""The candidate, and what we know of it."""
