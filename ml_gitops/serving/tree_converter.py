"""Trees of scikit-learn as nodes of an ONNX graph, in doubles from the input to the answer."""

from typing import Any

import numpy as np

from ml_gitops.serving.graph import Graph
from ml_gitops.serving.trees import Ensemble, Tree, ensemble_of

BRANCH_LEQ = 0
SUM = 1


def infer_answers(operator: Any) -> None:
    """Say that a classifier gives labels and double probabilities, a regressor doubles."""
    from skl2onnx.common.data_types import DoubleTensorType
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

    if hasattr(operator.raw_operator, "classes_"):
        calculate_linear_classifier_output_shapes(operator)
        operator.outputs[1].type = DoubleTensorType([None, len(operator.raw_operator.classes_)])
    else:
        operator.outputs[0].type = DoubleTensorType([None, 1])


def convert_trees(scope: Any, operator: Any, container: Any) -> None:
    """Write a fitted tree, forest or boosted ensemble.

    Args:
        scope: names of the graph (named so by skl2onnx).
        operator: the fitted estimator with its inputs and outputs.
        container: the graph under construction.

    Raises:
        ValueError: a setting of the estimator has no exact form.
    """
    from onnx import TensorProto

    graph, estimator = Graph(scope, container), operator.raw_operator
    ensemble = ensemble_of(estimator)
    given = operator.inputs[0].full_name
    if ensemble.rounds:
        given = graph.add("Cast", given, to=TensorProto.FLOAT, version=13)
    given = graph.add("Cast", given, to=TensorProto.DOUBLE, version=13)
    total = graph.add(
        "TreeEnsemble", given, version=1, domain="ai.onnx.ml", **_attributes(ensemble)
    )
    total = graph.add("Add", total, graph.constant(ensemble.base[None, :]), version=14)
    if ensemble.divisor != 1:
        total = graph.add("Div", total, graph.constant(np.float64(ensemble.divisor)), version=14)
    # Calibration and the like ask a boosted classifier for its sums, and a forest for its shares.
    sums = (
        hasattr(estimator, "decision_function")
        and (container.get_options(estimator, {"raw_scores": False}, fail=False)["raw_scores"])
    )
    answers = _sums(graph, total, ensemble) if sums else _linked(graph, total, ensemble)
    if hasattr(estimator, "classes_"):
        _write_classes(graph, answers, operator)
    else:
        graph.add("Identity", answers, output=operator.outputs[0].full_name, version=16)


def _linked(graph: Graph, total: str, ensemble: Ensemble) -> str:
    """Apply the link; of two classes that share one sum, return both."""
    if ensemble.link == "exp":
        return graph.add("Exp", total, version=13)
    if ensemble.link == "softmax":
        return graph.add("Softmax", total, axis=1, version=13)
    if ensemble.link == "none":
        return total
    if ensemble.link == "sigmoid of twice":
        total = graph.add("Mul", total, graph.constant(np.float64(2)), version=14)
    positive = total if ensemble.link == "share" else graph.add("Sigmoid", total, version=13)
    negative = graph.add("Sub", graph.constant(np.float64(1)), positive, version=14)
    return graph.add("Concat", negative, positive, axis=1, version=13)


def _sums(graph: Graph, total: str, ensemble: Ensemble) -> str:
    """Return a sum per class; two classes share one, with either sign."""
    if len(ensemble.base) > 1:
        return total
    negative = graph.add("Neg", total, version=13)
    return graph.add("Concat", negative, total, axis=1, version=13)


def _write_classes(graph: Graph, probabilities: str, operator: Any) -> None:
    """Write the label of the most probable class and the probabilities."""
    labels, answers = (output.full_name for output in operator.outputs[:2])
    classes = np.asarray(operator.raw_operator.classes_)
    names = classes if classes.dtype.kind in "UO" else classes.astype(np.int64)
    best = graph.add("ArgMax", probabilities, axis=1, keepdims=0, version=13)
    graph.add("Gather", graph.constant(names), best, output=labels, axis=0, version=13)
    graph.add("Identity", probabilities, output=answers, version=16)


def _attributes(ensemble: Ensemble) -> dict[str, Any]:
    """Return the trees as the attributes of one node.

    A leaf of the node adds to one target, so a tree whose leaves add to several
    is written once for each.
    """
    from onnx import numpy_helper

    parts, nodes, leaves = [], 0, 0
    for tree in ensemble.trees:
        for column in range(tree.value.shape[1]):
            part = _part(tree, column, nodes, leaves)
            nodes, leaves = nodes + len(part["splits"]), leaves + len(part["weights"])
            parts.append(part)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    modes = np.full(nodes, BRANCH_LEQ, dtype=np.uint8)
    return {
        "aggregate_function": SUM,
        "post_transform": 0,
        "n_targets": len(ensemble.base),
        "tree_roots": columns["root"].tolist(),
        "nodes_modes": numpy_helper.from_array(modes, "modes"),
        "nodes_splits": numpy_helper.from_array(columns["splits"], "splits"),
        "nodes_featureids": columns["features"].tolist(),
        "nodes_missing_value_tracks_true": columns["missing"].tolist(),
        "nodes_truenodeids": columns["true"].tolist(),
        "nodes_trueleafs": columns["true_is_leaf"].tolist(),
        "nodes_falsenodeids": columns["false"].tolist(),
        "nodes_falseleafs": columns["false_is_leaf"].tolist(),
        "leaf_targetids": columns["targets"].tolist(),
        "leaf_weights": numpy_helper.from_array(columns["weights"], "weights"),
    }


def _part(tree: Tree, column: int, nodes: int, leaves: int) -> dict[str, np.ndarray]:
    """Return one tree for one target, its nodes and leaves counted from those before it."""
    inner = np.flatnonzero(~tree.leaf)
    place = np.where(
        tree.leaf, np.cumsum(tree.leaf) - 1 + leaves, np.cumsum(~tree.leaf) - 1 + nodes
    )
    left, right = tree.left[inner], tree.right[inner]
    feature, threshold = tree.feature[inner], tree.threshold[inner]
    missing = tree.missing_left[inner]
    if not len(inner):  # A tree of one leaf is a node both of whose sides are that leaf.
        left = right = feature = missing = np.array([0])
        threshold = np.array([0.0])
    weights = tree.value[tree.leaf, column]
    return {
        "root": np.array([nodes]),
        "splits": threshold.astype(np.float64),
        "features": feature.astype(np.int64),
        "missing": missing.astype(np.int64),
        "true": place[left],
        "true_is_leaf": tree.leaf[left].astype(np.int64),
        "false": place[right],
        "false_is_leaf": tree.leaf[right].astype(np.int64),
        "targets": np.full(len(weights), tree.target + column),
        "weights": np.ascontiguousarray(weights, dtype=np.float64),
    }


def tree_classes() -> list[type]:
    """Return the estimators of scikit-learn that are written so."""
    from sklearn import ensemble, tree

    names = ["DecisionTree", "ExtraTree"]
    grown = [getattr(tree, f"{name}{kind}") for name in names for kind in KINDS]
    names = ["ExtraTrees", "GradientBoosting", "HistGradientBoosting", "RandomForest"]
    return grown + [getattr(ensemble, f"{name}{kind}") for name in names for kind in KINDS]


KINDS = ("Classifier", "Regressor")
