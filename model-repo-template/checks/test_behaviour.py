"""What everybody at an airport knows, the model must not deny.

A directional check changes an input and says which way no answer may go. Trees learn steps and
noise, so a movement of 5 percentage points the wrong way is tolerated.
"""

from pandas import DataFrame

from ml_gitops.checks import Model, directional, handles_missing, handles_unseen

WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
TOLERANCE = 0.05


def test_evenings_are_worse_than_mornings(candidate: Model, holdout: DataFrame) -> None:
    """A morning flight moved to the evening is not less likely to be late: delays add up."""
    mornings = holdout[holdout["minute_of_day"] < 10 * 60]

    assert directional(candidate, mornings, {"minute_of_day": 19 * 60}, "up", tolerance=TOLERANCE)


def test_fog_does_not_help(candidate: Model, holdout: DataFrame) -> None:
    """When visibility falls to a mile, no flight becomes less likely to be late."""
    assert directional(
        candidate, holdout, {"visib": lambda miles: miles.clip(upper=1)}, "up", tolerance=TOLERANCE
    )


def test_rain_does_not_help(candidate: Model, holdout: DataFrame) -> None:
    """With a tenth of an inch more rain, hardly any flight becomes less likely to be late."""
    # Rain is rare in a few months, so what is learned of it is rough: 95% of flights must hold it.
    assert directional(
        candidate,
        holdout,
        {"precip": lambda inches: inches + 0.1},
        "up",
        tolerance=TOLERANCE,
        share=0.95,
    )


def test_a_storm_matters(candidate: Model, holdout: DataFrame) -> None:
    """In a storm flights are late more often, by 5 percentage points at least."""
    calm = {"wind_speed": 5.0, "precip": 0.0, "visib": 10.0, "humid": 50.0}
    storm = {"wind_speed": 30.0, "precip": 0.3, "visib": 1.0, "humid": 95.0}

    in_calm = candidate.predict(holdout.assign(**calm)).scores.mean()
    in_storm = candidate.predict(holdout.assign(**storm)).scores.mean()

    assert in_storm - in_calm > 0.05


def test_missing_weather_is_answered(candidate: Model, holdout: DataFrame) -> None:
    """Every flight gets an answer when any one reading is missing."""
    assert handles_missing(candidate, holdout, ["plane_age", *WEATHER])


def test_new_routes_are_answered(candidate: Model, holdout: DataFrame) -> None:
    """A carrier or a destination that training never saw gets an answer, not an error."""
    assert handles_unseen(candidate, holdout, ["carrier", "dest"])
