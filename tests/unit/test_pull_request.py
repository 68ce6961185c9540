"""What a bot wants and what it then does: the laws of `plan`, of markers and of bodies."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.cli.thread_words import BOXES
from ml_gitops.pull_request import (
    FOLLOWS,
    HANDS_OFF,
    LONGEST_TEXT,
    STAGES,
    Action,
    Actor,
    Close,
    Command,
    Comment,
    Facts,
    Issue,
    IssueSpec,
    Keep,
    Marker,
    Open,
    PullRequest,
    PullRequestSpec,
    Stage,
    Tell,
    Update,
    offered,
    open_proposals,
    plan,
    relabelled,
    restaged,
    stage_of,
    tick,
    ticked,
)
from ml_gitops.pull_request.commands import WORDS

BOT = Actor(login="ml-gitops", bot=True)
ADA = Actor(login="ada")
NOW = datetime(2013, 4, 1, tzinfo=UTC)

quick = settings(derandomize=True, deadline=None, max_examples=150)


def spec(
    fingerprint: str = "april", *, text: str = "It decayed.", model: str = "delay"
) -> PullRequestSpec:
    """Return a proposal to retrain."""
    return PullRequestSpec(
        kind="retrain",
        model=model,
        fingerprint=fingerprint,
        branch=f"ml-gitops/retrain-{model}",
        base="main",
        title=f"Retrain {model}",
        body=text,
        commit_message="Retrain",
        changes=(("data.lock.json", b"{}"),),
    )


def opened(wanted: PullRequestSpec, number: int = 1, *, author: Actor = BOT) -> PullRequest:
    """Return the pull request that a proposal becomes."""
    return PullRequest(
        number=number,
        title=wanted.title,
        body=wanted.full_body,
        branch=wanted.branch,
        base=wanted.base,
        head="0" * 40,
        author=author,
        state="open",
        created=NOW,
        updated=NOW,
    )


def applied(action: Action, existing: Sequence[PullRequest]) -> list[PullRequest]:
    """Return the pull requests after a forge did what the action says."""
    after = list(existing)
    match action:
        case Open(wanted):
            after.append(opened(wanted, len(after) + 1))
        case Update(number, wanted):
            update = {"title": wanted.title, "body": wanted.full_body}
            after[number - 1] = after[number - 1].model_copy(update=update)
        case Close(number, _):
            update = {"state": "closed", "closed_by": BOT}
            after[number - 1] = after[number - 1].model_copy(update=update)
        case Tell(number, text):
            said = Comment(number=1, author=BOT, body=text, created=NOW, updated=NOW)
            old = after[number - 1]
            after[number - 1] = old.model_copy(update={"comments": (*old.comments, said)})
        case Keep():
            pass
    return after


wishes = st.none() | st.builds(
    spec, st.sampled_from(["april", "may", "june"]), text=st.sampled_from(["one", "two"])
)
deeds = st.sampled_from(["nothing", "close", "merge", "commit"])
stories = st.lists(st.tuples(wishes, deeds), max_size=12)


def lived(story: Sequence[tuple[PullRequestSpec | None, str]]) -> list[PullRequest]:
    """Return the pull requests after days on which the bot runs, then a person acts."""
    existing: list[PullRequest] = []
    for wanted, deed in story:
        existing = applied(plan("retrain", "delay", wanted, existing), existing)
        for current in open_proposals("retrain", "delay", existing):
            done: dict[str, object] = {
                "nothing": {},
                "close": {"state": "closed", "closed_by": ADA},
                "merge": {"state": "merged", "closed_by": ADA},
                "commit": {"human_commits": True},
            }[deed]
            existing[current.number - 1] = current.model_copy(update=done)
    return existing


@quick
@given(stories, wishes)
def test_planning_twice_is_planning_once(
    story: list[tuple[PullRequestSpec | None, str]], wanted: PullRequestSpec | None
) -> None:
    """After the action is done the same wish changes nothing, whatever happened before."""
    existing = lived(story)

    after = applied(plan("retrain", "delay", wanted, existing), existing)

    assert isinstance(plan("retrain", "delay", wanted, after), Keep)


@quick
@given(stories)
def test_never_two_open_for_one_model(story: list[tuple[PullRequestSpec | None, str]]) -> None:
    """Whatever bots and people do, at most one proposal of a kind is open for a model."""
    for day in range(len(story) + 1):
        assert len(open_proposals("retrain", "delay", lived(story[:day]))) <= 1


@quick
@given(stories, stories)
def test_what_a_person_refused_does_not_come_back(
    before: list[tuple[PullRequestSpec | None, str]],
    later: list[tuple[PullRequestSpec | None, str]],
) -> None:
    """The evidence that was on the table when a person closed is never proposed again."""
    existing = lived([*before, (spec("refused"), "close")])
    refused = [
        it.number
        for it in existing
        if it.state == "closed" and it.closed_by == ADA and it.marker == spec("refused").marker
    ]

    after = lived([*before, (spec("refused"), "close"), *later])

    if refused:
        assert not isinstance(plan("retrain", "delay", spec("refused"), after), Open | Update)


@quick
@given(stories, wishes)
def test_work_of_a_person_is_left_alone(
    story: list[tuple[PullRequestSpec | None, str]], wanted: PullRequestSpec | None
) -> None:
    """A human commit on the branch makes every plan leave it as it is, and say so once."""
    existing = lived([*story, (spec("new"), "commit")])
    theirs = [it for it in open_proposals("retrain", "delay", existing) if it.human_commits]

    action = plan("retrain", "delay", wanted, existing)
    again = plan("retrain", "delay", wanted, applied(action, existing))

    if theirs:
        assert isinstance(action, Tell | Keep)
        assert again == Keep(theirs[0].number, HANDS_OFF)


def test_the_four_answers() -> None:
    """Nothing there opens, new evidence updates, gone evidence closes, the same keeps."""
    there = [opened(spec())]

    assert plan("retrain", "delay", spec(), []) == Open(spec())
    assert plan("retrain", "delay", spec("may"), there) == Update(1, spec("may"))
    assert plan("retrain", "delay", None, there, gone="it recovered") == Close(1, "it recovered")
    assert plan("retrain", "delay", spec(), there) == Keep(1, "already proposed, nothing new")
    assert plan("retrain", "delay", None, [], gone="all is well") == Keep(None, "all is well")


def test_equal_text_on_new_evidence_is_updated() -> None:
    """The marker follows the evidence, so that a refusal counts for what was seen last."""
    april, may = spec("april"), spec("may")

    assert april.marker.content == may.marker.content
    assert plan("retrain", "delay", may, [opened(april)]) == Update(1, may)


@pytest.mark.parametrize(
    ("closed_by", "snoozes"), [(ADA, True), (None, True), (BOT, False)], ids=["ada", "?", "bot"]
)
def test_only_a_person_refuses(closed_by: Actor | None, snoozes: bool) -> None:  # noqa: FBT001
    """What the bot closed itself may come back; an unknown hand counts as a person's."""
    closed = opened(spec()).model_copy(update={"state": "closed", "closed_by": closed_by})

    action = plan("retrain", "delay", spec(), [closed])

    assert isinstance(action, Keep if snoozes else Open)


def test_other_kinds_and_models_do_not_count() -> None:
    """A proposal for another model or of another kind is somebody else's business."""
    other = opened(spec(model="price"))
    rollback = opened(replace(spec(), kind="rollback"), 2)

    assert plan("retrain", "delay", spec(), [other, rollback]) == Open(spec())


def test_a_forged_marker_is_not_believed() -> None:
    """A person who copies the marker neither blocks the bot nor snoozes its evidence."""
    forged = opened(spec(), author=ADA)
    closed = forged.model_copy(update={"number": 2, "state": "closed", "closed_by": ADA})

    assert forged.marker is None
    assert plan("retrain", "delay", spec(), [forged, closed]) == Open(spec())


@quick
@given(st.text(max_size=40), st.text(max_size=40))
def test_a_marker_comes_back_as_it_was(model: str, fingerprint: str) -> None:
    """Any name survives the way through a body, even one that tries to end the comment."""
    try:
        marker = Marker(kind="retrain", model=model, fingerprint=fingerprint)
    except ValueError:
        return  # not text at all: half a surrogate pair
    body = f"Text\n\n{marker.render()}\n"

    assert Marker.find(body) == marker
    assert marker.render().count("-->") == 1


@pytest.mark.parametrize("name", ["} -->", '"} --> <b>', "-->", "<!-- ml-gitops:{} -->"])
def test_a_name_cannot_end_the_marker(name: str) -> None:
    """What looks like the end of a comment inside a name stays inside the marker."""
    marker = Marker(kind="retrain", model=name)

    assert Marker.find(marker.render()) == marker


@pytest.mark.parametrize(
    "text", ["", "<!-- ml-gitops:{} -->", "<!-- ml-gitops:{oops} -->", "<!-- ml-gitops: -->"]
)
def test_what_is_no_marker_is_none(text: str) -> None:
    """A damaged marker is no marker, and no traceback."""
    assert Marker.find(text) is None


@quick
@given(st.text(max_size=200), st.integers(0, 400))
def test_a_body_fits_and_ends_with_its_marker(text: str, times: int) -> None:
    """However long the report is, and whatever markers it quotes, the last one is ours."""
    wanted = spec(text=f"{spec('quoted').marker.render()}\n{text * times}")

    body = wanted.full_body

    assert len(body) <= LONGEST_TEXT
    assert Marker.find(body) == wanted.marker


def test_everything_proposed_is_in_the_content() -> None:
    """A change of any part that people see or merge is a new content; the order of files is not."""
    wanted = replace(spec(), changes=(("a", b"1"), ("b", None)))
    others = [
        replace(wanted, title="x"),
        replace(wanted, body="x"),
        replace(wanted, commit_message="x"),
        replace(wanted, labels=("x",)),
        replace(wanted, draft=True),
        replace(wanted, changes=(("a", b"2"), ("b", None))),
        replace(wanted, changes=(("a", b"1"), ("b", b""))),
        replace(wanted, changes=(("a", b"1"),)),
    ]

    contents = {wanted.marker.content, *(other.marker.content for other in others)}

    assert len(contents) == len(others) + 1
    swapped = replace(wanted, changes=(("b", None), ("a", b"1")))
    assert swapped.marker == wanted.marker


def test_an_issue_obeys_the_rule_of_pull_requests() -> None:
    """It is opened once, follows newer evidence, closes with its reason, and stays refused."""
    wanted = IssueSpec("incident", "delay", "april", "delay: data drifts", "Look at load.")
    newer = replace(wanted, fingerprint="may")
    issue = Issue(
        number=4, title=wanted.title, body=wanted.full_body, author=BOT, state="open",
        created=NOW, updated=NOW,
    )  # fmt: skip
    refused = issue.model_copy(update={"state": "closed", "closed_by": ADA})
    over = issue.model_copy(update={"state": "closed", "closed_by": BOT})

    def planned(spec: IssueSpec | None, existing: list[Issue]) -> object:
        return plan("incident", "delay", spec, existing, gone="It is over.")

    assert planned(wanted, []) == Open(wanted)
    assert planned(wanted, [issue]) == Keep(4, "already proposed, nothing new")
    assert planned(newer, [issue]) == Update(4, newer)
    assert planned(None, [issue]) == Close(4, "It is over.")
    assert planned(wanted, [refused]) == Keep(
        4, "#4 proposed this on the same evidence and was closed"
    )
    assert planned(newer, [refused]) == Open(newer)
    assert planned(wanted, [over]) == Open(wanted)


# Boxes

TODAY = date(2013, 4, 1)


def boxed(fingerprint: str = "april") -> PullRequestSpec:
    """Return a proposal that offers every box."""
    boxes = "\n".join(f"- {offered(it)}" for it in get_args(Command))
    return spec(fingerprint, text=f"It decayed.\n\n{boxes}")


def asked(wanted: PullRequestSpec, command: Command) -> PullRequest:
    """Return a proposal in which somebody ticked a box."""
    pull_request = opened(wanted)
    body = tick(pull_request.body, command)
    assert body is not None
    return pull_request.model_copy(update={"body": body})


def test_the_command_line_knows_every_box() -> None:
    """What people may tick on a page they may also type."""
    assert get_args(Command) == BOXES == tuple(WORDS)


@pytest.mark.parametrize("command", get_args(Command))
def test_a_box_is_read_where_a_bot_offered_it_alone(command: Command) -> None:
    """A ticked box counts in the words of a bot, and never in those of a person."""
    theirs = asked(boxed(), command)
    copied = theirs.model_copy(update={"author": ADA})

    assert ticked(opened(boxed())) == set()
    assert ticked(theirs) == {command}
    assert ticked(copied) == set()
    assert tick(theirs.body, command) is None


@pytest.mark.parametrize("command", ["train", "refresh"])
def test_an_obeyed_box_is_empty_again(command: Command) -> None:
    """Equal evidence is written again where a box is ticked, and then kept."""
    existing = [asked(boxed(), command)]

    action = plan("retrain", "delay", boxed(), existing, today=TODAY)
    after = applied(action, existing)

    assert isinstance(action, Update)
    assert ticked(after[0]) == set()
    assert isinstance(plan("retrain", "delay", boxed(), after, today=TODAY), Keep)


@pytest.mark.parametrize("wanted", [boxed(), boxed("may"), None], ids=["same", "other", "none"])
def test_a_snooze_silences_every_evidence_until_its_day(wanted: PullRequestSpec | None) -> None:
    """Thirty days nothing of the kind is proposed for this model; for another one it is."""
    existing = applied_reason(
        plan("retrain", "delay", wanted, [asked(boxed(), "snooze")], today=TODAY)
    )

    later = [TODAY + timedelta(days=days) for days in (1, 29, 30)]
    actions = [plan("retrain", "delay", boxed("may"), existing, today=day) for day in later]
    other = plan("retrain", "churn", spec(model="churn"), existing, today=TODAY)

    assert [type(it) for it in actions] == [Keep, Keep, Open]
    assert isinstance(other, Open)


def applied_reason(action: Action) -> list[PullRequest]:
    """Return what closing leaves: the thread, closed by the bot, with its reason as a comment."""
    assert isinstance(action, Close)
    said = Comment(number=1, author=BOT, body=action.reason, created=NOW, updated=NOW)
    update = {"state": "closed", "closed_by": BOT, "comments": (said,)}
    return [opened(boxed()).model_copy(update=update)]


def test_hands_off_is_said_once_and_a_box_brings_the_bot_back() -> None:
    """A person's branch is theirs; the bot says so once, and goes on elsewhere when asked."""
    taken = [opened(spec()).model_copy(update={"human_commits": True})]

    told = plan("retrain", "delay", spec("may"), taken, today=TODAY)
    after = applied(told, taken)
    kept = plan("retrain", "delay", spec("june"), after, today=TODAY)
    comment = after[0].comments[0]
    back = comment.model_copy(update={"body": tick(comment.body, "resume")})
    asked_back = [after[0].model_copy(update={"comments": (back,)})]
    closed = plan("retrain", "delay", spec("june"), asked_back, today=TODAY)
    again = plan("retrain", "delay", spec("june"), applied(closed, asked_back), today=TODAY)

    assert [type(it) for it in (told, kept, closed, again)] == [Tell, Keep, Close, Open]


# Stages


def test_every_stage_has_what_may_follow() -> None:
    """The table knows every stage, all of them are reached, and what is delivered stays so."""
    assert set(FOLLOWS) == {None, *STAGES}
    assert set().union(*FOLLOWS.values()) == set(STAGES)
    assert FOLLOWS["delivered"] == frozenset()


@pytest.mark.parametrize(
    ("facts", "stage"),
    [
        ({"state": "open"}, "gate-warn"),
        ({"state": "open", "human_commits": True}, "hands-off"),
        ({"state": "closed", "closed_by": ADA}, "refused"),
        ({"state": "closed", "closed_by": None}, "refused"),
        ({"state": "closed", "closed_by": BOT}, "withdrawn"),
        ({"state": "merged", "closed_by": ADA, "human_commits": True}, "merged"),
    ],
)
def test_a_stage_follows_from_facts(facts: dict[str, object], stage: Stage) -> None:
    """Whatever the labels say, the stage is what the forge and the marker show."""
    wanted = replace(spec(), facts=Facts(verdict="warn"))
    for labels in ((), ("delivered",), ("mine", "gate-block")):
        proposal = opened(wanted).model_copy(update={**facts, "labels": labels})

        after = restaged(proposal, stage_of(proposal))

        assert stage_of(proposal) == stage
        assert after is not None
        assert set(after) == {stage, *({"mine"} & set(labels))}
        settled = proposal.model_copy(update={"labels": after})
        assert restaged(settled, stage_of(settled)) is None


def test_a_proposal_that_nobody_judged_is_proposed() -> None:
    """A marker without a verdict, or with a word that is no verdict, is no reason to stop."""
    for facts in (None, Facts(), Facts(verdict="splendid")):
        assert stage_of(opened(replace(spec(), facts=facts))) == "proposed"


def test_labels_of_people_are_kept() -> None:
    """Of what is there only our own words go; what is wanted comes first, each once."""
    present = ["retraining", "urgent", "gate-block", "unreviewed"]

    assert relabelled(present, ["retraining", "gate-pass"]) == ("retraining", "gate-pass", "urgent")


def test_facts_of_a_marker_are_no_identity() -> None:
    """Machines find verdict, days and run in the body; what is looked for is found without them."""
    facts = Facts(verdict="pass", window="2013-01-01..2013-04-01", run_key="sha256:1")
    bare, told = spec(), replace(spec(), facts=facts)

    found = Marker.find(told.full_body)

    assert found is not None
    assert found.facts == facts
    assert open_proposals("retrain", "delay", [opened(told)])
    assert plan("retrain", "delay", bare, [opened(told)]) == Update(1, bare)
    closed = opened(told).model_copy(update={"state": "closed", "closed_by": ADA})
    assert isinstance(plan("retrain", "delay", bare, [closed]), Keep)
