"""What was shipped, and what should be running."""
