"""What the bot leaves to people, on every forge: their labels, their time, and the whole text."""

from dataclasses import replace

import pytest

from ml_gitops.adapters.github.records import GitHubRecords
from ml_gitops.adapters.records import GitRecords
from ml_gitops.ports import Records
from ml_gitops.pull_request import (
    LONGEST_TEXT,
    Actor,
    Close,
    Command,
    Facts,
    Marker,
    PullRequestSpec,
    offered,
    plan,
    tick,
)
from ml_gitops.workflows.overflow import keep_whole, pointed
from ml_gitops.workflows.reconciliation import apply, decide
from ml_gitops.workflows.stages import settle_labels
from tests.contract.forges import BOT, GitHubHarness, Harness, LocalHarness
from tests.contract.test_forge import spec


def proposal(verdict: str = "pass", **changes: object) -> PullRequestSpec:
    """Return a proposal to retrain that was judged, with boxes."""
    boxes: tuple[Command, ...] = ("snooze", "resume")
    made = spec(body="It decayed.\n\n" + "\n".join(f"- {offered(it)}" for it in boxes))
    labels = ("retraining", "delay", f"gate-{verdict}")
    return replace(made, facts=Facts(verdict=verdict, run_key="r1"), labels=labels, **changes)


def records_of(harness: Harness) -> Records:
    """Return the records beside a forge."""
    forge = harness.forge()
    if isinstance(harness, GitHubHarness):
        return GitHubRecords(forge._client, forge._survey)  # type: ignore[attr-defined]
    assert isinstance(harness, LocalHarness)
    bot = Actor(login=BOT, bot=True)
    return GitRecords(harness.folder / "forge.git", actor=bot, clock=harness.clock)


# Labels


def test_labels_of_people_outlive_an_update(harness: Harness) -> None:
    """New evidence replaces the bot's words, and nobody else's."""
    forge = harness.forge()
    number = forge.open_pull_request(proposal("block")).number
    forge.label(number, [*forge.pull_request(number).labels, "urgent", "team-risk"])

    forge.update_pull_request(number, proposal("warn", fingerprint="may"))

    labels = harness.forge().pull_request(number).labels
    assert sorted(labels) == ["delay", "gate-warn", "retraining", "team-risk", "urgent"]


def test_a_label_says_what_became_of_a_proposal(harness: Harness) -> None:
    """Each end has its word, a person's labels stay, and a second look writes nothing."""
    forge, ada = harness.forge(), harness.forge("ada", bot=False)

    def ended() -> list[str]:
        settle_labels(harness.forge(), "delay")
        assert settle_labels(harness.forge(), "delay") == []
        return sorted(harness.forge().pull_requests()[-1].labels)

    def opened(fingerprint: str) -> int:
        return forge.open_pull_request(proposal(fingerprint=fingerprint)).number

    number = opened("april")
    forge.label(number, ["urgent", "gate-pass"])
    assert ended() == ["gate-pass", "urgent"]
    ada.close(number, "No.")
    assert ended() == ["refused", "urgent"]

    forge.close(opened("may"), "It is over.")
    assert ended() == ["delay", "retraining", "withdrawn"]

    number = opened("june")
    body = tick(forge.pull_request(number).body, "snooze")
    assert body is not None
    ada.edit_body(number, body)
    today = harness.forge().pull_request(number).created.date()
    action = plan("retrain", "delay", None, harness.forge().pull_requests(), today=today)
    assert isinstance(action, Close)
    apply(forge, action)
    assert ended() == ["delay", "retraining", "snoozed"]

    number = opened("july")
    branch = forge.pull_request(number).branch
    harness.push(branch, {"b.txt": b"mine\n"}, onto=branch)
    assert ended() == ["delay", "hands-off", "retraining"]
    ada.merge(number)
    assert ended() == ["delay", "merged", "retraining"]

    forge.create_tag("delay@v1.0.0", forge.head("main") or "", "delay@v1.0.0\n\nFine.\n\nrun r1")
    assert ended() == ["delay", "delivered", "retraining"]


def test_a_promotion_is_delivered_when_its_tag_records_it(harness: Harness) -> None:
    """A release that is promoted twice waits for a second tag; others' proposals are let alone."""
    forge = harness.forge()

    def promoted(fingerprint: str, content: bytes, model: str) -> str:
        made = replace(
            spec((("a.txt", content),), fingerprint=fingerprint),
            kind="promotion",
            model=f"{model}#production",
            facts=Facts(release=f"{model}@v1.0.0"),
            labels=("promotion", "proposed"),
        )
        number = forge.open_pull_request(made).number
        forge.merge(number)
        settle_labels(harness.forge(), "delay")
        return next(it for it in forge.pull_request(number).labels if it != "promotion")

    assert promoted("a", b"one", "delay") == "merged"
    forge.create_tag("delay#production#1", forge.head("main") or "", "delay@v1.0.0")
    settle_labels(harness.forge(), "delay")
    assert "delivered" in forge.pull_request(1).labels
    assert promoted("b", b"two", "delay") == "merged"
    assert promoted("c", b"three", "churn") == "proposed"


# Reviewers


def test_who_shall_review_is_asked_when_it_opens(harness: Harness) -> None:
    """The local forge shows whom the bot asks; GitHub asks them, and says whom it did not let."""
    if isinstance(harness, GitHubHarness):
        harness.repository.add_collaborator("ada")
    forge = harness.forge()

    opened = forge.open_pull_request(proposal(reviewers=("ada", "acme/risk")))
    forge.update_pull_request(1, proposal(reviewers=("ada",), fingerprint="may"))

    if isinstance(harness, GitHubHarness):
        pull = harness.repository.record.threads[1].pull
        assert pull is not None
        assert [it.login for it in pull.reviewers] == ["ada"]
        assert forge.remarks == (
            "#1: GitHub does not let acme/risk be asked for a review; look at bot.reviewers",
        )
    else:
        assert opened.reviewers == ("ada", "acme/risk")
        assert forge.pull_request(1).reviewers == ("ada", "acme/risk")
        assert forge.remarks == ()


# Long texts


def test_what_does_not_fit_is_kept_whole_beside_the_runs(harness: Harness) -> None:
    """The body ends between two blocks and says where the rest is; the branch changes its file."""
    whole = "\n\n".join(f"## Part {n}\n\n{'word ' * 400}".rstrip() for n in range(100))
    assert len(whole) > 200_000
    forge, records = harness.forge(), records_of(harness)
    wanted = pointed(forge, replace(proposal(), body=whole))

    keep_whole(records, wanted)
    opened = apply(forge, decide(forge, "retrain", "delay", wanted))
    keep_whole(records, wanted)
    again = decide(harness.forge(), "retrain", "delay", wanted)

    assert opened is not None
    body, _, last = opened.body.rpartition("\n\n")
    kept, _, said = body.rpartition("\n\n")
    ((path, text),) = records.read_all("texts/")
    assert again.number == opened.number  # type: ignore[union-attr]
    assert len(opened.body) <= LONGEST_TEXT
    assert Marker.find(last) == wanted.marker
    assert whole.startswith(f"{kept}\n\n")
    assert text == whole + "\n"
    assert path in said
    assert forge.diff(opened.number).count("diff --git") == 1
    if isinstance(harness, GitHubHarness):
        assert f"]({forge.address}/blob/ml-gitops-records/{path})" in said


def test_what_fits_is_kept_nowhere_else(harness: Harness) -> None:
    """A short text makes no record."""
    forge, records = harness.forge(), records_of(harness)
    wanted = pointed(forge, proposal())

    keep_whole(records, wanted)

    assert wanted == proposal()
    assert records.read_all("texts/") == []


@pytest.mark.parametrize("asked", [("ada",), ()])
def test_nobody_is_asked_twice(harness: Harness, asked: tuple[str, ...]) -> None:
    """An update asks nobody: who was asked has been told already."""
    forge = harness.forge()
    forge.open_pull_request(proposal(reviewers=asked))
    if isinstance(harness, GitHubHarness):
        before = len(harness.server.calls)

        forge.update_pull_request(1, proposal(reviewers=("ada",), fingerprint="may"))

        paths = [it.path for it in harness.server.calls[before:]]
        assert not any("requested_reviewers" in path for path in paths)
