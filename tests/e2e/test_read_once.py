"""One look at production reads what lies there once, however much is asked of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ml_gitops.adapters.warehouse import DuckDBWarehouse
from ml_gitops.document import Missing
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.observing import observe
from tests.e2e.world import QUIET, World

READERS = ("READ_JSON", "READ_CSV")


class CountingWarehouse(DuckDBWarehouse):
    """The engine, which also counts how often its plans read the rows of files."""

    def __init__(self) -> None:
        super().__init__(threads=1)
        self.read: Counter[str] = Counter()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Count, then answer."""
        self._count(sql, parameters)
        return super().rows(sql, parameters)

    def batches(
        self, sql: str, parameters: Sequence[Any], size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Count, then answer."""
        self._count(sql, parameters)
        yield from super().batches(sql, parameters, size)

    def _count(self, sql: str, parameters: Sequence[Any]) -> None:
        if "SELECT" not in sql or sql.startswith("DESCRIBE"):
            return
        ((_, plan),) = super().rows(f"EXPLAIN {sql}", parameters)
        self.read.update({reader: plan.count(f" {reader} ") for reader in READERS})


def test_log_and_labels_are_read_once(worse: World) -> None:
    """Drift, quality, labels and the release before are answered from one read of both."""
    with CountingWarehouse() as engine, Terminal() as terminal:
        observation = observe(worse.config, worse.forge, engine, terminal, worse.root, QUIET)
        left = engine.rows("SELECT count(*) FROM information_schema.tables")

    assert observation.windows[-1].labelled
    assert observation.drift[-1].rows
    assert not isinstance(observation.rollback.loss, Missing)
    assert engine.read == {"READ_JSON": 1, "READ_CSV": 1}
    assert left == [(0,)], "the rows of a look are forgotten when it is over"
