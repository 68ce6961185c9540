"""Outside text stays text, wherever it stands in what we post: on GitHub as GitHub renders it."""

import io
import re
from datetime import UTC, datetime

import pytest

from ml_gitops.pull_request import LONGEST_TEXT, Actor, Issue, Marker, ticked
from ml_gitops.render.runner import Annotation, annotation_line, guarded
from ml_gitops.render.tables import code, escape, fence, unlinked
from tests.hostile.forge_view import escapes, links, look_at
from tests.hostile.payloads import PAYLOADS, harmless, put_together
from tests.hostile.places import MARKER, Posted, cut_report, everything

FORMS = [
    *("{}", "x: {}. **y** `z`", "**{}:** x", "## x {} y", "- {}", "- a\n- b {}\n\nx", "> {}"),
    *("| a | b |\n| :-- | --: |\n| {} | x |", "| {} | b |\n| :-- | --: |\n| x | y |"),
    "<details>\n<summary>x</summary>\n\n{}\n\n</details>",
]
"""Where templates put outside text."""
FOOTER = ("<p>", "<em>", "…", "<code>", "…", "</code>", "…")
KINDS = {"mention", "issue", "commit", "emoji", "address", "formula"}


def test_what_forges_find_is_found() -> None:
    """The payloads are live ammunition: as they are, they become everything that is feared."""
    raw = {name: look_at(text) for name, text in PAYLOADS.items() if "\ud800" not in text}
    tags = {tag.split()[0].strip("<>") for view in raw.values() for tag in view.tree}

    assert len(PAYLOADS) >= 37
    assert {kind for view in raw.values() for kind in view.live} == KINDS
    assert tags >= {"a", "img", "h1", "table", "li", "blockquote", "pre", "base", "form", "em"}
    assert any(view.comments for view in raw.values())
    assert sum(bool(escapes(view, look_at("word"))) for view in raw.values()) >= 37


def test_a_posted_text_has_many_places() -> None:
    """Places are found by trying: what people name and what their code says is among them."""
    found = {
        f"{one.name}: {'.'.join(map(str, path))}" for one in everything() for path, _ in one.places
    }

    assert len(found) >= 100
    for place in (
        "report: validation.violations.0.column",
        "report: checks.outcomes.1.message",
        "report: basis.gate_changes.0",
        "report: comparison.champion",
        "report without a champion: about",
        "retraining: retrain.reasons.0",
        "incident: drift.0.columns.0.name",
        "promotion: differences.0",
        "release notes: doubts.0",
        "dashboard: look.headline",
    ):
        assert place in found, place


@pytest.mark.parametrize("one", everything(), ids=lambda one: one.name)
def test_nothing_escapes_in_what_is_posted(one: Posted) -> None:
    """Every payload in every place leaves the structure that a harmless word leaves there."""
    views = {word: look_at(one.with_text(word)) for word in ("word", "wo|rd", " ")}

    for name, text in PAYLOADS.items():
        posted = one.with_text(text)
        assert not escapes(look_at(posted), views[harmless(text)]), name
        assert Marker.find(posted) is None, name


@pytest.mark.parametrize("form", FORMS)
def test_nothing_escapes_where_templates_put_text(form: str) -> None:
    """Alone, in prose, lists, headings, quotes, folds and tables: text put together stays text."""
    for write in (escape, code):
        views = {word: look_at(form.format(write(word))) for word in ("word", "wo|rd", " ")}
        for text in put_together(150):
            assert not escapes(look_at(form.format(write(text))), views[harmless(text)]), text


def test_nothing_ends_a_fence() -> None:
    """What stands in a code block stays in it, and no forge looks there."""
    whole = look_at("before\n\n" + fence("word") + "\n\nafter")
    for text in (*PAYLOADS.values(), *put_together(150)):
        assert not escapes(look_at("before\n\n" + fence(f"x{text}") + "\n\nafter"), whole), text


def test_a_plain_line_holds_nothing_to_link() -> None:
    """The message of a commit is searched like a comment: it closes no issue, names nobody."""
    for text in (*PAYLOADS.values(), *put_together(1000)):
        assert not links(unlinked(text)), text
        assert "\n" not in unlinked(text)


def test_what_is_cut_is_cut_between_lines() -> None:
    """A report that does not fit loses whole lines: no half name, no open fold, one marker."""
    known = {*look_at(everything()[0].with_text("wo|rd")).tree, *FOOTER, "</em>", "<br>"}
    for n, text in enumerate(PAYLOADS.values()):
        posted = cut_report(text, 97 * n % 1500)
        view = look_at(posted)

        assert len(posted) <= LONGEST_TEXT
        assert "The rest did not fit" in posted
        assert not view.live
        assert not set(view.tree) - known
        assert view.comments == (MARKER.render().removeprefix("<!--").removesuffix("-->"),)
        assert view.tree[-9:] == (*FOOTER, "</em>", "</p>")
        assert view.tree.count("<details>") == view.tree.count("</details>")


def test_no_box_is_ticked_from_outside() -> None:
    """Nothing that a template puts on a line of its own reads as a box that somebody ticked."""
    thread = _written("\n".join(f"- {escape(text)}" for text in PAYLOADS.values()))
    assert ticked(thread) == set()
    assert ticked(_written(PAYLOADS["ticked box"])) == {"train"}


def test_a_runner_obeys_nothing_that_is_printed() -> None:
    """In the log of a job outside text is no command, and an annotation is one line."""
    obeyed = re.compile(r"^\s*::|##\[", re.MULTILINE)
    for text in (*PAYLOADS.values(), *put_together(1000)):
        out = io.StringIO()
        guarded(out).write(f"{text}\n")
        assert not obeyed.search(out.getvalue()), text
        line = annotation_line(Annotation("error", text, text, 1, text))
        assert not set(line) & {"\r", "\n"}
        assert line.startswith("::error file=")
        assert "##[" not in line


def _written(body: str) -> Issue:
    """Return what a bot wrote."""
    then = datetime(2024, 1, 1, tzinfo=UTC)
    author = Actor(login="ml-gitops[bot]", bot=True)
    return Issue(
        number=1, title="x", body=body, author=author, state="open", created=then, updated=then
    )
