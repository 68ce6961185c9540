"""What a secret looks like, for all that tell others something: comments and bug files alike."""

import re
from collections.abc import Iterator, Mapping

FORM = (
    r"(?:gh[pousr]_|github_pat_)\w{12,}|(?:glpat-|xox[a-z]-)[\w-]{10,}|(?:AKIA|ASIA)[0-9A-Z]{12,}"
    r"|\beyJ[\w.-]{12,}|-----BEGIN[\s\S]*"
)
"""A token or a private key, told by its form; it captures no group."""
_NAME = re.compile(r"TOKEN|SECRET|PASSW|KEY|CREDENTIAL|AUTH(?!OR)", re.IGNORECASE)


def secret_values(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the values of the variables whose names say that they are secret."""
    for name, value in variables.items():
        if _NAME.search(name) and len(value) >= 8:
            yield value
