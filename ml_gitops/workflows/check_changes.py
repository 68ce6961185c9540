"""What a change does to the checks that judge it: tests that are gone, changed, or did not run."""

import ast
import warnings
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from ml_gitops.checks import CheckOutcome, CheckOutcomes
from ml_gitops.config.toml import read_toml
from ml_gitops.document import sha256
from ml_gitops.errors import MlGitopsError

SETTINGS = (
    "conftest.py",
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
"""Files at the top of a repository that pytest obeys when it runs the checks."""
MOST = 20
"""Changes that are named one by one."""

Files = Mapping[str, bytes]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def deciding_parts(files: Files) -> dict[str, str]:
    """Return a digest of everything that decides what the checks find, by name.

    A test has a name of its own (`checks/test_a.py::test_b`), so that the one that changed is
    told from its neighbours. Layout and comments of Python do not count.

    Args:
        files: path and content of what lies in `checks/`, and of pytest's settings.
    """
    found: dict[str, str] = {}
    for path, content in files.items():
        try:
            found |= _parts(path, content)
        except (MlGitopsError, ValueError, SyntaxError, RecursionError, MemoryError):
            found[path] = sha256(content)
    return found


def check_changes(before: Files, now: Files) -> tuple[str, ...]:
    """Name what is gone, moved, different or new among the checks, in this order.

    A new test is left out: it changes no rule that a reviewer knows.
    """
    old, new = deciding_parts(before), deciding_parts(now)
    gone = [name for name in old if name not in new]
    added = [name for name in new if name not in old]
    moved = {
        name: there for name in gone for there in added if _test(name) and old[name] == new[there]
    }
    said = [f"{name} is gone" for name in gone if name not in moved]
    said += [f"{name} moved to {there}" for name, there in moved.items()]
    changed = [name for name in old if name in new and old[name] != new[name]]
    said += [f"{name} changed{' beside its tests' * _of_tests(name)}" for name in changed]
    said += [f"{name} is new" for name in added if not _test(name) and not _of_tests(name)]
    more = len(said) - MOST
    return (*said[:MOST], f"and {more} more") if more > 0 else tuple(said)


def with_absent(outcomes: CheckOutcomes, files: Files) -> CheckOutcomes:
    """Add every test that the files define and that left no outcome, as skipped."""
    seen = {one.nodeid.partition("[")[0] for one in outcomes.outcomes}
    absent = [
        name
        for name in deciding_parts(files)
        if _test(name) and name not in seen and name.partition("::")[0] not in seen
    ]
    skipped = [
        CheckOutcome(nodeid=name, outcome="skipped", message="it is defined and did not run")
        for name in absent
    ]
    return CheckOutcomes(outcomes=(*outcomes.outcomes, *skipped))


def _test(name: str) -> bool:
    return "::" in name


def _of_tests(path: str) -> bool:
    name = PurePosixPath(path).name
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


def _parts(path: str, content: bytes) -> dict[str, str]:
    """Return the tests of a file, and what is left of the file without them."""
    if path == "pyproject.toml":
        tools = read_toml(content, where=path).get("tool")
        said = tools.get("pytest") if isinstance(tools, dict) else None
        return {"[tool.pytest] of pyproject.toml": _digest(repr(said))} if said else {}
    if not path.endswith(".py"):
        return {path: sha256(content)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Python thinks of their style, pytest tells them
        tree = ast.parse(content)
    tests = dict(_tests(path, tree)) if _of_tests(path) else {}
    return {**tests, path: _digest(ast.dump(tree))}


def _tests(path: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the tests of a module and its classes, and take them out of the tree."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    places = [(f"{path}::{node.name}", node.body) for node in classes if node.name[:4] == "Test"]
    for place, body in ((path, tree.body), *places):
        for node in [node for node in body if isinstance(node, Function) and _is_test(node)]:
            yield f"{place}::{node.name}", _digest(ast.dump(node))
            body.remove(node)


def _is_test(function: Function) -> bool:
    decorators = [ast.unparse(decorator).partition("(")[0] for decorator in function.decorator_list]
    fixture = any(name.endswith("fixture") for name in decorators)
    return function.name.startswith("test") and not fixture


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass"))
