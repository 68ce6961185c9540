"""Who may import whom: the import graph is the lineage graph."""

import ast
from collections.abc import Iterator
from pathlib import Path

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


def imports(path: Path, *, typing: bool) -> Iterator[str]:
    """Yield the dotted names a module imports, with or without those for types only."""
    tree = ast.parse(path.read_text())
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not typing:
            skipped |= {id(child) for child in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the room they come from"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    """Return the room of a module: its folder, or its own name on the top floor."""
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_run_down_the_table(path: Path) -> None:
    """A room imports only rooms that its row of the table names."""
    mine = room(path)

    used = {
        name.split(".")[1]
        for name in imports(path, typing=True)
        if name.startswith("ml_gitops.") and name != "ml_gitops.__version__"
    }

    assert used - {mine} <= MAY_IMPORT[mine], f"{mine} may not import {used - MAY_IMPORT[mine]}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_foreign_library_has_one_room(path: Path) -> None:
    """A foreign library is imported only in the room that owns it, and pickle nowhere."""
    relative = str(path.relative_to(PACKAGE))

    for name in imports(path, typing=False):
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
    used = set(imports(PACKAGE / "serving" / "parity.py", typing=True))

    ours = {name.split(".")[1] for name in used if name.startswith("ml_gitops.")}
    assert ours <= GROUND
    assert not {name.split(".")[0] for name in used} & {"onnxruntime", "sklearn", "pandas"}
