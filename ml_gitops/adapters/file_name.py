"""Any text as the name of one file, the same wherever a forge keeps things under names."""

from urllib.parse import quote

from ml_gitops.errors import ForgeError


def to_file_name(name: str) -> str:
    """Return a name as one that Git, file systems and GitHub's artifacts accept.

    Raises:
        ForgeError: the name is empty.
    """
    if not name:
        raise ForgeError("a name is empty", hint="give it one")
    path = quote(name, safe=" #@+=,").replace("~", "%7E")
    return "%2E" + path[1:] if path.startswith(".") else path
