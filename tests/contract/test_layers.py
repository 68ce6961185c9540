"""Who may import whom: the import graph is the lineage graph."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

PACKAGE = Path(__file__).parents[2] / "ml_gitops"
GROUND = {"errors", "document", "names", "secret"}
NOUNS = {
    "account",
    "data",
    "pull_request",
    "model",
    "checks",
    "serving",
    "delivery",
    "monitoring",
    "report",
    "status",
}

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "names": set(),
    "secret": set(),
    "document": {"errors"},
    "account": set(),
    "data": GROUND,
    "pull_request": GROUND,
    "ports": {"account", "pull_request"},
    "model": GROUND | {"data"},
    "serving": GROUND | {"data", "model"},
    "delivery": GROUND | {"data", "model"},
    "checks": GROUND | {"model"},
    "monitoring": GROUND | {"data", "model"},
    "status": GROUND,
    "report": GROUND | {"data", "model", "checks", "serving"},
    "adapters": GROUND | {"account", "pull_request", "ports"},
    "render": GROUND | NOUNS,
    "config": GROUND | NOUNS,
    "workflows": GROUND | NOUNS | {"config", "ports", "render"},
    "cli": GROUND | NOUNS | {"config", "ports", "render", "workflows", "adapters"},
    "pytest_plugin": GROUND | NOUNS | {"adapters", "config"},
    "__main__": {"cli"},
    "__init__": set(),
}

LIBRARIES: dict[str, set[str]] = {
    "bentoml": {"serving/service.py"},
    "duckdb": {"adapters/warehouse.py", "adapters/frames.py"},
    "github": {"adapters/github"},
    "google": {"serving/onnx_file.py"},
    "markdown_it": {"render/page.py"},
    "numpy": {"checks.py", "data", "model", "serving"},
    "onnx": {"serving"},
    "onnxruntime": {"serving"},
    "pandas": {"data", "model", "serving"},
    "psutil": {"adapters/server.py"},
    "pydantic": {
        "config",
        "data",
        "delivery",
        "document.py",
        "model",
        "monitoring",
        "pull_request",
        "serving",
    },
    "pydantic_core": {"cli", "config"},
    "pytest": {"pytest_plugin.py"},
    "requests": {"adapters/github"},
    "rich": {"render/console.py", "render/progress.py", "render/terminal.py"},
    "skl2onnx": {"serving"},
    "sklearn": {"serving"},
    "starlette": {"serving/service.py"},
    "typing_extensions": {"serving/requests.py"},
}
"""Every foreign library and where it is imported; one that is not here is imported nowhere."""

EFFECTS: dict[str, set[str]] = {
    "argparse": {"cli"},
    "asyncio": set(),
    "atexit": {"serving/prediction_log.py"},
    "builtins": set(),
    "ctypes": {"adapters"},
    "fcntl": {"adapters", "serving/prediction_log.py"},
    "ftplib": set(),
    "http": {"adapters/github/transport.py"},
    "importlib": {"adapters", "cli/__init__.py"},
    "io": {"adapters", "cli"},
    "linecache": {"config/hyperparameters.py"},  # the line of theirs that is wrong
    "locale": set(),
    "logging": {"serving/prediction_log.py"},
    "marshal": set(),
    "multiprocessing": set(),
    "os": {
        "adapters",
        "cli",
        "pytest_plugin.py",
        "serving/prediction_log.py",
        "serving/service.py",
    },
    "pickle": set(),
    "platform": {"adapters", "cli"},
    "random": {"adapters"},
    "resource": {"cli"},
    "runpy": set(),
    "secrets": {"cli"},
    "shelve": set(),
    "shutil": {"adapters", "cli"},
    "signal": {"adapters"},
    "smtplib": set(),
    "socket": {"adapters/server.py"},
    "sqlite3": set(),
    "ssl": set(),
    "subprocess": {"adapters", "cli/demo"},
    "sys": {
        "__main__.py",
        "adapters",
        "cli",
        "model/metrics.py",  # the smallest float
        "pytest_plugin.py",
        "render/terminal.py",
    },
    "tempfile": {"adapters", "cli"},
    "threading": {"adapters", "cli/demo", "serving/prediction_log.py"},
    "time": {
        "adapters",
        "cli/demo",
        "render/terminal.py",  # how long a step has taken, to those who wait
        "serving/prediction_log.py",
        "workflows/fitting.py",  # what a fit cost, which the report says
        "workflows/training.py",
    },
    "urllib.request": {"adapters", "cli/demo"},
    "uuid": {"monitoring/look.py", "serving/predictor.py"},  # names that nobody else has
    "webbrowser": set(),
}
"""What of the standard library touches the world, and where it may: never in the heart."""

CALLS: list[tuple[set[str], set[str]]] = [
    ({"__import__", "eval", "exec", "input"}, set()),
    (
        {"now", "today", "utcnow"},
        {"adapters", "cli", "render/progress.py", "serving"},  # progress is given its clock
    ),
    (
        {"exists", "is_file", "iterdir", "mkdir", "open", "read_bytes", "read_text", "rglob"}
        | {"touch", "unlink", "write_bytes", "write_text"},
        {
            "adapters",
            "cli",
            "pytest_plugin.py",
            "render/charts/drawing.py",  # its own style sheet
            "render/page.py",
            "serving/prediction_log.py",
            "serving/predictor.py",
        },
    ),
]
"""Functions and methods that need no import to read a file or a clock, or to run text."""


def modules() -> list[Path]:
    """Return every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def nodes(text: str, *, typing: bool) -> Iterator[ast.AST]:
    """Yield every node of a module, with or without what stands there for types only."""
    waiting: list[ast.AST] = [ast.parse(text)]
    while waiting:
        node = waiting.pop()
        yield node
        unseen = node.body if for_types(node) and not typing else ()
        waiting += [child for child in ast.iter_child_nodes(node) if child not in unseen]


def for_types(node: ast.AST) -> TypeGuard[ast.If]:
    """Say whether this is `if TYPE_CHECKING:` itself, whose body never runs; its `else` does."""
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def imports(text: str, *, typing: bool) -> Iterator[str]:
    """Yield the dotted names a module imports, with or without those for types only."""
    for node in nodes(text, typing=typing):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the room they come from"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    """Return the room of a module: its folder, or its own name on the top floor."""
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


@cache
def imported(path: Path) -> set[str]:
    """Return the dotted names that a module imports when it runs."""
    return set(imports(path.read_text(), typing=False))


@cache
def effects(path: Path) -> set[str]:
    """Return the rows of `EFFECTS` that a module imports."""
    return {row for row in EFFECTS for name in imported(path) if f"{name}.".startswith(f"{row}.")}


@cache
def called(path: Path) -> set[str]:
    """Return the names of the functions and methods that a module calls."""
    tree = ast.parse(path.read_text())
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {it.attr if isinstance(it, ast.Attribute) else ast.unparse(it) for it in calls}


def granted(path: Path, places: set[str]) -> bool:
    """Say whether a module is one of these places, or in the folder that is."""
    relative = path.relative_to(PACKAGE).as_posix()
    return any(relative == place or relative.startswith(f"{place}/") for place in places)


def unused(places: set[str], name: str, used: dict[Path, set[str]]) -> set[str]:
    """Return the places none of whose modules uses a name."""
    return {
        place
        for place in places
        if not any(name in names for path, names in used.items() if granted(path, {place}))
    }


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("if TYPE_CHECKING:\n    import pickle", False),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import pickle", True),
        ("if not TYPE_CHECKING:\n    import pickle", True),
        ("if TYPE_CHECKING or True:\n    import pickle", True),
    ],
)
def test_only_what_never_runs_is_skipped(text: str, *, seen: bool) -> None:
    """An import is for types only in the body of `if TYPE_CHECKING:`, and nowhere else."""
    assert ("pickle" in imports(text, typing=False)) is seen


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_run_down_the_table(path: Path) -> None:
    """A room imports only rooms that its row of the table names."""
    mine = room(path)

    used = {
        name.split(".")[1]
        for name in imports(path.read_text(), typing=True)
        if name.startswith("ml_gitops.") and name != "ml_gitops.__version__"
    }

    assert used - {mine} <= MAY_IMPORT[mine], f"{mine} may not import {used - MAY_IMPORT[mine]}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_foreign_library_has_one_room(path: Path) -> None:
    """An import is the standard library's, ours, or of a library whose row names this place."""
    for name in imported(path):
        top = name.split(".")[0]
        if top not in sys.stdlib_module_names | {"ml_gitops"}:
            assert granted(path, LIBRARIES.get(top, set())), f"{path} may not import {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_edges_touch_the_world(path: Path) -> None:
    """Processes, files, sockets, clocks and variables are used only where a row says so."""
    for module in effects(path):
        assert granted(path, EFFECTS[module]), f"{path} may not import {module}"
    for names, places in CALLS:
        used = called(path) & names
        assert not used or granted(path, places), f"{path} may not call {used}"


def test_every_grant_is_used() -> None:
    """No row permits what no module does: a grant that went stale would let something back in."""
    foreign = {path: {name.split(".")[0] for name in imported(path)} for path in modules()}
    touched = {path: effects(path) for path in modules()}
    stale = [
        *((name, it) for name in LIBRARIES for it in unused(LIBRARIES[name], name, foreign)),
        *((name, it) for name in EFFECTS for it in unused(EFFECTS[name], name, touched)),
        *(
            (min(names), place)
            for names, places in CALLS
            for place in places
            if not any(called(path) & names for path in modules() if granted(path, {place}))
        ),
    ]

    assert not stale, stale


def test_no_room_may_import_what_it_does_not() -> None:
    """The rows of the nouns and the adapters name no room, above the ground, that goes unused."""
    for mine in NOUNS | {"adapters", "ports"}:
        used = {
            name.split(".")[1]
            for path in modules()
            if room(path) == mine
            for name in imports(path.read_text(), typing=True)
            if name.startswith("ml_gitops.")
        }
        assert MAY_IMPORT[mine] - GROUND <= used, f"{mine}: {MAY_IMPORT[mine] - GROUND - used}"


def test_modules_stay_small() -> None:
    """No module grows past 300 lines; the aim is 250."""
    long = {
        str(path.relative_to(PACKAGE)): lines
        for path in modules()
        if (lines := len(path.read_text().splitlines())) > 300
    }

    assert not long, long


def test_parity_knows_neither_model_nor_runtime() -> None:
    """`serving/parity.py` compares arrays: of ours it imports only the ground, of others numpy."""
    used = set(imports((PACKAGE / "serving" / "parity.py").read_text(), typing=True))

    ours = {name.split(".")[1] for name in used if name.startswith("ml_gitops.")}
    assert ours <= GROUND
    assert not {name.split(".")[0] for name in used} & {"onnxruntime", "sklearn", "pandas"}
