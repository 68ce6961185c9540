"""The loops. They take ports and plain values and return outcomes; no IO of their own."""
