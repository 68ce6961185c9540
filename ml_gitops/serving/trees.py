"""Trees in ONNX, compared and added up in doubles as scikit-learn does it.

The stock converters round thresholds, leaves and sums to float32. Then a row
near a threshold takes another way, and a forest's vote near a tie another side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Link = Literal["none", "share", "sigmoid", "sigmoid of twice", "softmax", "exp"]


@dataclass(frozen=True)
class Tree:
    """One fitted tree; row i of every array is node i, and node 0 the root.

    Attributes:
        leaf: whether the node is one, of shape (nodes,).
        feature: which column an inner node looks at.
        threshold: values up to it go left.
        missing_left: whether missing values go left.
        left: the node on that side.
        right: the node on the other.
        value: what a leaf adds to each target, of shape (nodes, targets).
        target: the first of these targets.
    """

    leaf: NDArray[np.bool_]
    feature: NDArray[np.integer]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.integer]
    left: NDArray[np.integer]
    right: NDArray[np.integer]
    value: NDArray[np.float64]
    target: int = 0


@dataclass(frozen=True)
class Ensemble:
    """Trees that answer together: `link((base + the sum of their leaves) / divisor)`.

    Attributes:
        trees: in the order of their sum.
        base: what is there before any tree, of shape (targets,).
        divisor: how many trees share in a mean; 1 for a sum.
        rounds: whether scikit-learn rounds the input to float32 before it compares.
        link: what makes probabilities or values of the sum.
    """

    trees: Sequence[Tree]
    base: NDArray[np.float64]
    divisor: float
    rounds: bool
    link: Link = "none"


def ensemble_of(estimator: Any) -> Ensemble:
    """Return the trees of a fitted estimator of scikit-learn.

    Args:
        estimator: one of those in `tree_converter.TREES`.

    Raises:
        ValueError: a setting has no exact form.
    """
    if hasattr(estimator, "_predictors"):
        return _histogram(estimator)
    if hasattr(estimator, "init_"):
        return _boosted(estimator)
    if estimator.n_outputs_ != 1:
        raise ValueError("it has several targets")
    trees = [_tree(one.tree_) for one in getattr(estimator, "estimators_", [estimator])]
    if len(getattr(estimator, "classes_", ())) == 2:  # The other share is what is left of 1.
        trees = [replace(tree, value=tree.value[:, 1:]) for tree in trees]
        return Ensemble(trees, np.zeros(1), len(trees), rounds=True, link="share")
    return Ensemble(trees, np.zeros(trees[0].value.shape[1]), len(trees), rounds=True)


def _tree(tree: Any, *, rate: float = 1.0, target: int = 0) -> Tree:
    left, right = tree.children_left, tree.children_right
    missing, value = tree.missing_go_to_left, tree.value[:, 0, :] * rate
    return Tree(left == right, tree.feature, tree.threshold, missing, left, right, value, target)


def _boosted(estimator: Any) -> Ensemble:
    """Read GradientBoosting: its first guess, and trees that each add a share of what is left."""
    if estimator.init not in (None, "zero"):
        raise ValueError("it starts from another estimator; leave init out")
    rows = estimator.estimators_
    rate = estimator.learning_rate
    trees = [_tree(one.tree_, rate=rate, target=k) for row in rows for k, one in enumerate(row)]
    base = np.zeros(rows.shape[1])
    if estimator.init is None:
        nothing = np.zeros((1, estimator.n_features_in_), dtype=np.float32)
        base = np.asarray(estimator._raw_predict_init(nothing), dtype=np.float64).ravel()  # noqa: SLF001
    return Ensemble(trees, base, 1.0, rounds=True, link=_link(estimator))


def _histogram(estimator: Any) -> Ensemble:
    """Read HistGradientBoosting, which compares doubles: nothing is rounded."""
    trees = [
        _histogram_tree(predictor.nodes, target)
        for row in estimator._predictors  # noqa: SLF001
        for target, predictor in enumerate(row)
    ]
    base = np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel()  # noqa: SLF001
    return Ensemble(trees, base, 1.0, rounds=False, link=_link(estimator))


def _histogram_tree(nodes: Any, target: int) -> Tree:
    if nodes["is_categorical"].any():
        raise ValueError("it has categorical_features")
    return Tree(
        nodes["is_leaf"].astype(bool),
        nodes["feature_idx"].astype(np.int64),
        nodes["num_threshold"].astype(np.float64),
        nodes["missing_go_to_left"].astype(np.int64),
        nodes["left"].astype(np.int64),
        nodes["right"].astype(np.int64),
        nodes["value"].astype(np.float64)[:, None],
        target,
    )


def _link(estimator: Any) -> Link:
    """Return what makes answers of an ensemble's sum."""
    loss = type(estimator._loss).__name__  # noqa: SLF001
    links: dict[str, Link] = {
        "AbsoluteError": "none",
        "ExponentialLoss": "sigmoid of twice",
        "HalfBinomialLoss": "sigmoid",
        "HalfGammaLoss": "exp",
        "HalfMultinomialLoss": "softmax",
        "HalfPoissonLoss": "exp",
        "HalfSquaredError": "none",
        "HuberLoss": "none",
        "PinballLoss": "none",
    }
    if loss not in links:
        raise ValueError(f"its loss {loss} is not known")
    return links[loss]
