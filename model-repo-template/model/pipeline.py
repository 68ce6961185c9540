"""How the model learns: categories become numbers, and boosted trees do the rest."""

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

CATEGORIES = ["carrier", "origin", "dest"]


def build_pipeline(params: dict[str, Any]) -> Pipeline:
    """Return the unfitted pipeline.

    Args:
        params: what `params.toml` says; arguments of the trees.
    """
    # A carrier or airport that training never saw becomes -1; the trees take missing values.
    numbers = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer([("numbers", numbers, CATEGORIES)], remainder="passthrough")
    return Pipeline([("columns", columns), ("trees", HistGradientBoostingClassifier(**params))])
