"""What scikit-learn 1.9 offers for tables, and how it answers in ONNX: measured, not believed.

`tests/unit/test_support.py` fits each one, compares it with its ONNX file on
random rows and at their edges, and holds this table to what it finds.
"""

from typing import Literal

from ml_gitops.document import Part

Kind = Literal["transformer", "classifier", "regressor"]
State = Literal["exact", "setting", "refused"]

EXACT: dict[Kind, str] = {
    "transformer": """
        FunctionTransformer GaussianRandomProjection IncrementalPCA MaxAbsScaler MinMaxScaler
        Normalizer PCA RobustScaler SelectFdr SelectFpr SelectFromModel SelectFwe SelectKBest
        SelectPercentile SimpleImputer StandardScaler TargetEncoder TruncatedSVD VarianceThreshold
    """,
    "classifier": """
        BaggingClassifier CalibratedClassifierCV DecisionTreeClassifier ExtraTreeClassifier
        ExtraTreesClassifier GaussianNB GradientBoostingClassifier HistGradientBoostingClassifier
        LogisticRegression LogisticRegressionCV MLPClassifier OneVsRestClassifier
        QuadraticDiscriminantAnalysis RandomForestClassifier StackingClassifier
    """,
    "regressor": """
        ARDRegression BaggingRegressor BayesianRidge DecisionTreeRegressor ElasticNet ElasticNetCV
        ExtraTreeRegressor ExtraTreesRegressor GammaRegressor GradientBoostingRegressor
        HistGradientBoostingRegressor HuberRegressor Lars LarsCV Lasso LassoCV LassoLars
        LassoLarsCV LassoLarsIC LinearRegression LinearSVR MLPRegressor OrthogonalMatchingPursuit
        OrthogonalMatchingPursuitCV PLSRegression PoissonRegressor QuantileRegressor RANSACRegressor
        RandomForestRegressor Ridge RidgeCV SGDRegressor StackingRegressor TheilSenRegressor
        TweedieRegressor VotingRegressor
    """,
}
"""Answer as their ONNX files do, as they are."""

SETTINGS: dict[str, tuple[Kind, str]] = {
    "LinearSVC": ("classifier", "wrap it in CalibratedClassifierCV, which gives probabilities"),
    "OneHotEncoder": ("transformer", 'use OneHotEncoder(handle_unknown="ignore")'),
    "OrdinalEncoder": (
        "transformer",
        'use OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)',
    ),
    "PolynomialFeatures": ("transformer", "use PolynomialFeatures(include_bias=False)"),
    "RidgeClassifier": (
        "classifier",
        "wrap it in CalibratedClassifierCV, which gives probabilities",
    ),
    "SGDClassifier": ("classifier", 'use SGDClassifier(loss="log_loss")'),
    "VotingClassifier": (
        "classifier",
        'use VotingClassifier(voting="soft", flatten_transform=False)',
    ),
}
"""Answer so once they are set so."""

REFUSED: dict[Kind, str] = {
    "transformer": """
        AdditiveChi2Sampler BernoulliRBM Binarizer Birch BisectingKMeans CountVectorizer
        DictVectorizer DictionaryLearning FactorAnalysis FastICA FeatureAgglomeration FeatureHasher
        GenericUnivariateSelect HashingVectorizer Isomap KBinsDiscretizer KMeans KNNImputer
        KNeighborsTransformer KernelCenterer KernelPCA LabelBinarizer LabelEncoder
        LatentDirichletAllocation LocallyLinearEmbedding MiniBatchDictionaryLearning
        MiniBatchKMeans MiniBatchNMF MiniBatchSparsePCA MissingIndicator MultiLabelBinarizer NMF
        NeighborhoodComponentsAnalysis Nystroem PLSSVD PatchExtractor PolynomialCountSketch
        PowerTransformer QuantileTransformer RBFSampler RFE RFECV RadiusNeighborsTransformer
        RandomTreesEmbedding SequentialFeatureSelector SkewedChi2Sampler SparseCoder SparsePCA
        SparseRandomProjection SplineTransformer TfidfTransformer TfidfVectorizer
    """,
    "classifier": """
        AdaBoostClassifier BernoulliNB CategoricalNB ClassifierChain ComplementNB DummyClassifier
        FixedThresholdClassifier GaussianProcessClassifier KNeighborsClassifier LabelPropagation
        LabelSpreading LinearDiscriminantAnalysis MultiOutputClassifier MultinomialNB
        NearestCentroid NuSVC OneVsOneClassifier OutputCodeClassifier PassiveAggressiveClassifier
        Perceptron RadiusNeighborsClassifier RidgeClassifierCV SVC SelfTrainingClassifier
        TunedThresholdClassifierCV GridSearchCV RandomizedSearchCV
    """,
    "regressor": """
        AdaBoostRegressor CCA DummyRegressor GaussianProcessRegressor IsotonicRegression
        KNeighborsRegressor KernelRidge MultiOutputRegressor MultiTaskElasticNet
        MultiTaskElasticNetCV MultiTaskLasso MultiTaskLassoCV NuSVR PLSCanonical
        PassiveAggressiveRegressor RadiusNeighborsRegressor RegressorChain SVR
        TransformedTargetRegressor
    """,
}
"""Answer otherwise, have no ONNX form, or are no part of one model for one table."""

INSTEAD: dict[Kind, str] = {
    "transformer": "compute it where the rows are loaded",
    "classifier": "use HistGradientBoostingClassifier or LogisticRegression",
    "regressor": "use HistGradientBoostingRegressor or Ridge",
}
REMEDIES = {
    "AdaBoostClassifier": "use GradientBoostingClassifier",
    "AdaBoostRegressor": "use GradientBoostingRegressor",
    "Binarizer": "compare with the threshold where the rows are loaded",
    "FastICA": "use PCA",
    "FactorAnalysis": "use PCA",
    "GenericUnivariateSelect": "use SelectKBest",
    "GridSearchCV": "search where you experiment and keep what it found",
    "KNNImputer": "use SimpleImputer, or an estimator that takes missing values",
    "KernelPCA": "use PCA",
    "LinearDiscriminantAnalysis": "use LogisticRegression",
    "MiniBatchSparsePCA": "use PCA",
    "MissingIndicator": "add a boolean feature where the rows are loaded",
    "PowerTransformer": "use RobustScaler, or take the logarithm where the rows are loaded",
    "QuantileTransformer": "use RobustScaler",
    "RFE": "use SelectFromModel",
    "RFECV": "use SelectFromModel",
    "RandomizedSearchCV": "search where you experiment and keep what it found",
    "SequentialFeatureSelector": "use SelectFromModel",
    "SparsePCA": "use PCA",
    "SparseRandomProjection": "use GaussianRandomProjection",
    "SVC": "use CalibratedClassifierCV(LinearSVC())",
    "NuSVC": "use CalibratedClassifierCV(LinearSVC())",
    "RidgeClassifierCV": "use CalibratedClassifierCV(RidgeClassifier())",
    "SVR": "use LinearSVR",
    "NuSVR": "use LinearSVR",
    "TransformedTargetRegressor": "transform the target where the rows are loaded",
}


class Support(Part):
    """How one class of scikit-learn answers in ONNX.

    Attributes:
        name: the class.
        kind: what it is.
        state: exact as it is, exact with a setting, or refused.
        remedy: the setting, or what to use instead; empty where it is exact.
    """

    name: str
    kind: Kind
    state: State
    remedy: str = ""


def support_table() -> tuple[Support, ...]:
    """Return a row for each class, by kind and name."""
    rows = [
        *(
            Support(name=name, kind=kind, state="exact")
            for kind, names in EXACT.items()
            for name in names.split()
        ),
        *(
            Support(name=name, kind=kind, state="setting", remedy=remedy)
            for name, (kind, remedy) in SETTINGS.items()
        ),
        *(
            Support(name=name, kind=kind, state="refused", remedy=REMEDIES.get(name, INSTEAD[kind]))
            for kind, names in REFUSED.items()
            for name in names.split()
        ),
    ]
    kinds = list(INSTEAD)
    return tuple(sorted(rows, key=lambda row: (kinds.index(row.kind), row.name.lower())))
