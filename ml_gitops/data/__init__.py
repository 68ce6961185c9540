"""Rows, and what may be said about them before a model sees them."""
