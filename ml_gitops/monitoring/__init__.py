"""What we observe in production, and what it makes us want."""
