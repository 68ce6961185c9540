"""A GitHub on 127.0.0.1: the REST API over real bare Git repositories, for tests."""
