"""Git on this machine: how it is run, repositories, their history, and clones."""
