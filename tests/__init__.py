"""A package, so that `tests.github` is never taken for the `github` of PyGithub."""
