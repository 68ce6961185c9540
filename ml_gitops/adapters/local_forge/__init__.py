"""A forge in a bare Git repository: what runs where there is no GitHub."""
