"""`python -m ml_gitops`."""

import sys

if not sys.flags.safe_path:
    # `-m` looks for everything where it runs first: in a repository whose files may be named like
    # libraries. The author's code is imported where it is called, and nowhere else.
    del sys.path[0]

from ml_gitops.cli import main

sys.exit(main())
