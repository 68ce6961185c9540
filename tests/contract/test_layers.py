"""Who may import whom: the import graph is the lineage graph."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

PACKAGE = Path(__file__).parents[2] / "ml_gitops"
GROUND = {"errors", "document", "names"}
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
}

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "names": set(),
    "document": {"errors"},
    "account": set(),
    "data": GROUND,
    "pull_request": GROUND,
    "ports": {"account", "pull_request"},
    "model": GROUND | {"data"},
    "serving": GROUND | {"data", "model"},
    "delivery": GROUND | {"data", "model"},
    "checks": GROUND | {"data", "model"},
    "monitoring": GROUND | {"data", "model", "delivery"},
    "report": GROUND | {"data", "model", "checks", "serving"},
    "adapters": GROUND | {"account", "data", "pull_request", "ports"},
    "render": GROUND | NOUNS,
    "config": GROUND | NOUNS,
    "workflows": GROUND | NOUNS | {"config", "ports", "render"},
    "cli": GROUND | NOUNS | {"config", "ports", "render", "workflows", "adapters"},
    "pytest_plugin": GROUND | NOUNS | {"adapters", "config"},
    "__main__": {"cli"},
    "__init__": set(),
}

ONE_ROOM: dict[str, set[str]] = {
    "sklearn": {"model", "serving/onnx_model.py", "serving/imputer.py"},
    "skl2onnx": {"serving"},
    "onnx": {"serving"},
    "onnxruntime": {"serving"},
    "bentoml": {"serving/service.py", "adapters/bento.py"},
    "duckdb": {"adapters/warehouse.py", "adapters/frames.py"},
    "github": {"adapters/github"},
    "rich": {"render/terminal.py", "render/progress.py"},
    "markdown_it": {"render/page.py"},
    "argparse": {"cli.py", "cli"},
    "pytest": {"pytest_plugin.py"},
    "pandas": {
        "data",
        "model",
        "checks.py",
        "serving",
        "adapters/workspace.py",
        "adapters/frames.py",
        "pytest_plugin.py",
    },
    "pickle": set(),
    "joblib": set(),
    "cloudpickle": set(),
}


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
    """A foreign library is imported only in the room that owns it, and pickle nowhere."""
    relative = str(path.relative_to(PACKAGE))

    for name in imports(path.read_text(), typing=False):
        owners = ONE_ROOM.get(name.split(".")[0])
        allowed = owners is None or any(
            relative == owner or relative.startswith(f"{owner}/") for owner in owners
        )
        assert allowed, f"{relative} may not import {name}"


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
