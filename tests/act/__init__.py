"""The shipped workflows, run by act on this machine, against the GitHub of the tests."""
