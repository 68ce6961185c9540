"""Is the model useful everywhere it is used? Each docstring is the sentence of the report."""

import pytest
from pandas import DataFrame

from ml_gitops.checks import Model, at_least

WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]


@pytest.mark.parametrize("airport", ["EWR", "JFK", "LGA"])
def test_every_airport_is_served_well(candidate: Model, holdout: DataFrame, airport: str) -> None:
    """At every airport it ranks late flights above punctual ones better than chance."""
    flights = holdout[holdout["origin"] == airport]

    assert at_least(candidate, flights, "late", "roc_auc", 0.55)


def test_schedule_alone_is_worth_something(candidate: Model, holdout: DataFrame) -> None:
    """When the weather feed is down, the schedule alone still beats chance."""
    blind = holdout.assign(**dict.fromkeys(WEATHER, float("nan")))

    assert at_least(candidate, blind, "late", "roc_auc", 0.55)
