"""Clone and push over HTTP: `git http-backend`, with the tokens of the API."""

import os
import re
import subprocess

from tests.github.accounts import Token
from tests.github.answers import Answer, Refusal
from tests.github.web import Incoming
from tests.github.world import Repository, World

_PATH = re.compile(
    r"/(?P<owner>[^/]+)/(?P<name>[^/]+?)(\.git)?/(?P<rest>info/refs|git-upload-pack|git-receive-pack)"
)


def serves(path: str) -> bool:
    """Whether a path is one that Git asks for."""
    return _PATH.fullmatch(path) is not None


def answer(world: World, asked: Incoming, token: Token) -> Answer:
    """Answer Git.

    Raises:
        Refusal: 401 asks for a token, 403 refuses a push, 404 hides the repository.
    """
    match = _PATH.fullmatch(asked.path)
    assert match is not None
    repository = world.repository(match["owner"], match["name"])
    pushing = "git-receive-pack" in (match["rest"], asked.query.partition("service=")[2])
    _admit(repository, token, pushing=pushing)
    assert repository is not None
    variables = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(repository.git.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(repository.git.path),
        "PATH_INFO": "/" + match["rest"],
        "QUERY_STRING": asked.query,
        "REQUEST_METHOD": asked.method,
        "CONTENT_TYPE": asked.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(asked.body)),
        "HTTP_CONTENT_ENCODING": asked.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": asked.headers.get("git-protocol", ""),
    }
    if token.account is not None:
        variables["REMOTE_USER"] = token.account.login
    if not token.allows("workflows", "write"):
        variables["NO_WORKFLOWS"] = "1"
    done = subprocess.run(
        ["git", "http-backend"], input=asked.body, env=variables, capture_output=True, check=True
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(headers.pop("Status", "200").split()[0])
    kind = headers.pop("Content-Type", "text/plain")
    headers.pop("Content-Length", None)
    return Answer(status, body=body, content_type=kind, headers=headers)


def _admit(repository: Repository | None, token: Token, *, pushing: bool) -> None:
    """Refuse who may not clone, or not push."""
    ask = {"WWW-Authenticate": 'Basic realm="GitHub"'}
    if repository is None or repository.private or pushing:
        if token.account is None:
            raise Refusal(401, "Authentication required", headers=ask)
        inside = repository is not None and token.reaches(repository.id)
        if repository is None or not (
            inside and (token.app or repository.may(token.account, "read"))
        ):
            raise Refusal(404, "Repository not found.")
    role = token.app is not None or repository.may(token.account, "write")
    if pushing and not (role and token.allows("contents", "write")):
        who = token.account.login if token.account else "nobody"
        raise Refusal(403, f"Permission to {repository.full_name}.git denied to {who}.")
    if not pushing and repository.private and not token.allows("contents", "read"):
        raise Refusal(403, "Write access to repository not granted.")
