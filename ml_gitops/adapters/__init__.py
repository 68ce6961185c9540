"""The only rooms that touch the world: Git, forges, files, engines, services."""
