"""Versions and tags: totally ordered, round trip, and a grammar that refuses odd names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_gitops.delivery.version import (
    FIRST,
    Assignment,
    Bump,
    Version,
    assignments,
    bump_for,
    is_name,
    latest,
    next_assignment,
    parse_assignment,
    parse_release,
    release_tag,
)

NUMBERS = st.integers(min_value=0, max_value=10**6)
VERSIONS = st.builds(Version, NUMBERS, NUMBERS, NUMBERS)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
BUMPS: st.SearchStrategy[Bump] = st.sampled_from(["major", "minor", "patch"])


@given(VERSIONS, VERSIONS, VERSIONS)
def test_versions_are_totally_ordered(a: Version, b: Version, c: Version) -> None:
    """Exactly one of less, equal and more holds, and order carries over."""
    assert (a < b) + (a == b) + (a > b) == 1
    assert not (a <= b <= c) or a <= c


@given(VERSIONS, BUMPS)
def test_the_next_version_is_larger(version: Version, bump: Bump) -> None:
    """Every bump goes up, and what is right of it starts again."""
    after = version.next(bump)

    place = ("major", "minor", "patch").index(bump)
    assert after > version
    assert after[:place] == version[:place]
    assert after[place] == version[place] + 1
    assert set(after[place + 1 :]) <= {0}


@given(VERSIONS)
def test_a_heavier_bump_goes_further(version: Version) -> None:
    """Patch stays below minor, minor below major."""
    assert version.next("patch") < version.next("minor") < version.next("major")


@pytest.mark.parametrize("digits", ["9" * 10, "9" * 5_000, "٣"])
def test_numbers_without_end_are_no_versions(digits: str) -> None:
    """What Python refuses to count is refused here, in a tag as on the command line."""
    assert parse_release(f"delay@v1.0.{digits}") is None
    assert parse_assignment(f"delay#production#{digits}") is None
    assert parse_release("delay@v1.0.999999999") is not None


@given(NAMES, VERSIONS)
def test_release_tags_round_trip(name: str, version: Version) -> None:
    """What is written is read, and is no assignment."""
    tag = release_tag(name, version)

    assert parse_release(tag) == (name, version)
    assert parse_assignment(tag) is None


@given(NAMES, NAMES, st.integers(min_value=1, max_value=10**9 - 1))
def test_assignment_tags_round_trip(model: str, environment: str, number: int) -> None:
    """What is written is read, and is no release."""
    assignment = Assignment(model, environment, number)

    assert parse_assignment(str(assignment)) == assignment
    assert parse_release(str(assignment)) is None


@given(st.text(alphabet="ab-@#v.019 \n٣A", max_size=14))
def test_whatever_is_read_is_written_the_same(tag: str) -> None:
    """The grammar has one spelling for each release and each assignment."""
    release, assignment = parse_release(tag), parse_assignment(tag)

    assert release is None or release_tag(*release) == tag
    assert assignment is None or str(assignment) == tag


@pytest.mark.parametrize(
    "tag",
    [
        "", "delay", "delay@1.0.0", "delay@v1.0", "delay@v1.0.0.0", "delay@v01.0.0",
        "delay@v1.0.0-rc1", "Delay@v1.0.0", "de lay@v1.0.0", "-delay@v1.0.0", "delay-@v1.0.0",
        "de--lay@v1.0.0", "1delay@v1.0.0", "delay@v1.0.0\n", "\ndelay@v1.0.0", "délay@v1.0.0",
        "delay@v٣.0.0", "delay@v1.0.-1", "x/delay@v1.0.0", "delay#production#3",
    ],
)  # fmt: skip
def test_odd_releases_are_refused(tag: str) -> None:
    """A tag that is nearly a release is none."""
    assert parse_release(tag) is None


@pytest.mark.parametrize(
    "tag",
    [
        "delay#production", "delay#production#0", "delay#production#03", "delay#production#-1",
        "delay#Production#1", "delay##1", "#production#1", "delay#production#1\n",
        "delay#production#1#2", "delay#production#٣", "delay#production#!", "delay@v1.0.0",
    ],
)  # fmt: skip
def test_odd_assignments_are_refused(tag: str) -> None:
    """A tag that is nearly an assignment is none."""
    assert parse_assignment(tag) is None


@given(NAMES)
def test_names_of_the_grammar_are_names(name: str) -> None:
    """What can stand in a tag is a name; with a line break behind it is none."""
    assert is_name(name)
    assert not is_name(f"{name}\n")
    assert not is_name(f"{name}-")


@given(st.lists(VERSIONS), st.lists(VERSIONS))
def test_the_latest_version_is_the_models_own_highest(
    ours: list[Version], theirs: list[Version]
) -> None:
    """Neither order nor the tags of others matter, nor what is no tag of ours."""
    tags = [release_tag("delay", version) for version in ours]
    tags += [release_tag("delay-more", version) for version in theirs]
    tags += ["v9.9.9", "delay#production#1"]

    assert latest("delay", tags[::-1]) == max(ours, default=None)


@given(st.lists(st.integers(min_value=1, max_value=99)))
def test_the_next_assignment_was_never_used(numbers: list[int]) -> None:
    """It is one above the highest of its model and environment alone."""
    tags = [f"delay#production#{number}" for number in numbers]
    others = ["delay#staging#500", "other#production#600", "delay@v7.0.0"]

    found = next_assignment("delay", "production", [*tags, *others])

    assert str(found) not in tags
    assert found.number == max(numbers, default=0) + 1


@pytest.mark.parametrize("far", [1_004, 999_999_999])
def test_a_number_that_nobody_counted_to_is_passed_over(far: int) -> None:
    """A tag that was pushed by hand uses up no numbers; one that fills a gap is counted."""
    tags = [f"delay#production#{number}" for number in (3, 1, far)]

    counted, made_up = assignments("delay", "production", tags)

    assert [one.number for one in counted] == [1, 3]
    assert [one.number for one in made_up] == [far]
    assert next_assignment("delay", "production", tags).number == 4
    assert next_assignment("delay", "production", ["delay#production#1000"]).number == 1001


@pytest.mark.parametrize(
    ("changed", "same_signature", "bump"),
    [
        (["data"], True, "patch"),
        ([], True, "patch"),
        (["code"], True, "minor"),
        (["data", "hyper-parameters"], True, "minor"),
        (["environment"], True, "minor"),
        (["data"], False, "major"),
        (["code", "contract"], False, "major"),
    ],
)
def test_the_weight_of_a_change(changed: list[str], *, same_signature: bool, bump: Bump) -> None:
    """New rows are a patch, a new pipeline is minor, a request that no longer fits is major."""
    assert bump_for(changed, same_signature=same_signature) == bump


def test_the_first_version() -> None:
    """A model that was never released starts at v1.0.0."""
    assert str(FIRST) == "v1.0.0"
