"""Rows at the edges, and where answers part on them."""

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from ml_gitops.serving.culprit import find_culprit
from ml_gitops.serving.edges import edge_rows, threshold_rows
from ml_gitops.serving.parity import finite_rows
from tests.unit.test_onnx_model import (
    FEATURES,
    FRAME,
    NUMBERS,
    TARGETS,
    columns,
    expected_answers,
    fit,
    numbers,
    open_model,
    scaled,
)


def test_edge_rows_hold_what_training_may_lack() -> None:
    """Edge rows have features missing, strings unseen or empty, and numbers of any size."""
    fitted = fit(make_pipeline(scaled(), LogisticRegression()), "binary")

    edges = edge_rows(fitted, FRAME, FEATURES)

    missing, unseen = edges["missing values"], edges["unseen categories"]
    assert len(missing) == 100  # temp and city
    assert missing.temp[:50].isna().all()
    assert (missing.city[50:] == "").all()
    assert not missing.amount.isna().any()
    assert not set(unseen.plan[50:100]) & {"x", "y"}
    assert set(unseen.plan[150:]) == {"x ", "y "}
    assert (edges["empty strings"].plan[50:] == "").all()
    assert {1e9, -1e-9} <= set(edges["very large and very small values"].amount)
    assert "both sides of the thresholds of trees" not in edges


@pytest.mark.parametrize(
    "before", [None, make_pipeline(columns(numbers(StandardScaler())))], ids=["bare", "scaled"]
)
def test_threshold_rows_stand_on_both_sides_of_every_split(before: Any) -> None:
    """Each threshold has a row whose float32 is the last to go left, and one just beyond."""
    tree = DecisionTreeClassifier(max_leaf_nodes=12, random_state=0)
    frame = FRAME if before else FRAME[["amount", "n_items", "flag"]]
    steps = make_pipeline(before, tree) if before else make_pipeline("passthrough", tree)
    fitted = steps.fit(frame, TARGETS["binary"])

    rows = threshold_rows(fitted, frame, [it for it in NUMBERS if it in frame])

    seen = np.asarray(fitted[:-1].transform(rows), dtype=np.float32)
    inner = tree.tree_.feature >= 0
    features, thresholds = tree.tree_.feature[inner], tree.tree_.threshold[inner]
    for feature, threshold in zip(features, thresholds, strict=True):
        if feature < 4:  # the others are categories
            beside = seen[:, feature]
            below = beside[beside <= threshold].max()
            assert np.nextafter(below, np.float32(np.inf)) in beside
            assert np.nextafter(below, np.float32(np.inf)) > threshold


def test_large_trees_are_looked_at_in_part() -> None:
    """However many thresholds a forest has, the rows for each column stay few."""
    fitted = fit(make_pipeline(scaled(), RandomForestClassifier(30, random_state=0)), "binary")

    assert 100 < len(threshold_rows(fitted, FRAME, NUMBERS)) <= 4 * 2 * 100


def test_the_culprit_is_named() -> None:
    """Of a step that answers otherwise in one column: the row, the column, and the step."""
    fitted = fit(make_pipeline(scaled(), StandardScaler(), LogisticRegression()), "binary")
    model = open_model(fitted, "binary")
    scaler = fitted[0].named_transformers_["numbers"][-1]
    first = np.array([1, 0, 0, 0])
    scaler.transform = lambda rows: StandardScaler.transform(scaler, rows) + first * (rows > 80)
    rows = FRAME.head(200)

    told, remedy = find_culprit(
        fitted,
        lambda some: expected_answers(fitted, some),
        lambda some: model.predict(some).predicted,
        rows,
        FEATURES,
    )

    row = int(told.split()[1])
    assert rows.temp[row] > 80
    assert "by its temp=" in told
    assert "amount" not in told
    assert told.endswith("cause is columntransformer.numbers: SimpleImputer, StandardScaler")
    assert remedy == "replace SimpleImputer, StandardScaler"


def test_what_an_estimator_cannot_say_is_not_compared() -> None:
    """Rows that the estimator itself answers with infinity are left out, and no others."""
    answers = np.array([[0.5, 0.5], [np.nan, 1.0]])

    assert finite_rows(answers).tolist() == [True, False]
    assert finite_rows(np.array([1.0, np.inf])).tolist() == [True, False]


def test_answers_of_another_shape_are_the_last_steps() -> None:
    """Where rows cannot be compared, the estimator itself is named."""
    fitted = fit(make_pipeline(scaled(), LogisticRegression()), "binary")

    told, remedy = find_culprit(
        fitted, lambda rows: np.zeros((len(rows), 2)), lambda rows: np.zeros(len(rows)), FRAME, ()
    )

    assert told == "the likely cause is logisticregression: LogisticRegression"
    assert remedy == "replace LogisticRegression"
