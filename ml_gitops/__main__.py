"""`python -m ml_gitops`."""

import sys

from ml_gitops.cli import main

sys.exit(main())
