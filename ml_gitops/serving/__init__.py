"""The model in the form that answers requests."""
