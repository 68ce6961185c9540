"""Releases and their files behave as on GitHub."""

import hashlib
from typing import Any

import requests

from tests.github.caller import Caller, said
from tests.github.setup import TestRepository

OCTETS = {"Accept": "application/octet-stream"}


def upload(bot: Caller, release: Any, name: str, content: bytes) -> requests.Response:
    """Upload a file to a release, as its document says where."""
    url = release["upload_url"].partition("{")[0]
    options = {"data": content, "params": {"name": name}, "timeout": 10}
    return bot.session.post(url, headers={"Content-Type": "application/x-onnx"}, **options)


def test_a_release_makes_its_tag(churn: TestRepository, bot: Caller) -> None:
    """A new tag is light and stands on the target; an annotated one that is there stays."""
    head = churn.head()
    tag = bot.made("/git/tags", tag="v1", message="One", object=head, type="commit")
    bot.made("/git/refs", ref="refs/tags/v1", sha=tag["sha"])

    bot.made("/releases", tag_name="v1", name="One", body="Notes")
    bot.made("/releases", tag_name="v2", target_commitish="main")

    assert bot.read("/git/ref/tags/v1")["object"]["type"] == "tag"
    assert bot.read("/git/ref/tags/v2")["object"] == {
        "sha": head,
        "type": "commit",
        "url": bot.read("/git/ref/tags/v2")["object"]["url"],
    }
    assert [it["tag_name"] for it in bot.read("/releases")] == ["v2", "v1"]
    assert bot.read("/releases/latest")["tag_name"] == "v2"
    assert said(bot.post("/releases", tag_name="v1")) == (
        422,
        "Validation Failed tag_name already_exists",
    )
    assert bot.get("/releases/tags/v9").status_code == 404


def test_a_draft_has_no_tag_and_few_readers(bot: Caller, eve: Caller) -> None:
    """Publishing makes the tag; until then only writers see it, and not by its tag."""
    draft = bot.made("/releases", tag_name="v1", draft=True)

    assert bot.get("/git/ref/tags/v1").status_code == 404
    assert bot.get("/releases/tags/v1").status_code == 404
    assert eve.read("/releases") == []
    assert eve.get(f"/releases/{draft['id']}").status_code == 404
    assert bot.patch(f"/releases/{draft['id']}", draft=False).json()["published_at"]
    assert bot.get("/git/ref/tags/v1").status_code == 200
    assert bot.delete(f"/releases/{draft['id']}").status_code == 204
    assert bot.get("/git/ref/tags/v1").status_code == 200


def test_files_come_back_byte_for_byte(bot: Caller) -> None:
    """The API leads to another host, which knows no tokens; the digest is that of the bytes."""
    release, content = bot.made("/releases", tag_name="v1"), bytes(range(256)) * 10

    asset = upload(bot, release, "model.onnx", content).json()
    led = bot.get(f"/releases/assets/{asset['id']}", headers=OCTETS)

    assert (asset["name"], asset["size"], asset["state"]) == ("model.onnx", 2560, "uploaded")
    assert asset["digest"] == "sha256:" + hashlib.sha256(content).hexdigest()
    assert led.status_code == 302
    where = led.headers["Location"]
    assert requests.get(where, timeout=10).content == content
    assert bot.session.get(where, timeout=10).status_code == 400
    assert requests.get(where.partition("?")[0], timeout=10).status_code == 403
    assert requests.get(asset["browser_download_url"], timeout=10).content == content


def test_names_of_files_are_unique_and_plain(bot: Caller) -> None:
    """A second one is 422, so is an empty file; odd characters become full stops."""
    release = bot.made("/releases", tag_name="v1")

    assert upload(bot, release, "a b~(1).txt", b"x").json()["name"] == "a.b.1.txt"
    assert said(upload(bot, release, "a b 1 .txt", b"y")) == (
        422,
        "Validation Failed name already_exists",
    )
    status, words = said(upload(bot, release, "empty", b""))
    assert (status, words) == (422, "Validation Failed size must be greater than or equal to 1")
    assert [it["name"] for it in bot.read(f"/releases/{release['id']}/assets")] == ["a.b.1.txt"]
    number = bot.read("/releases")[0]["assets"][0]["id"]
    assert bot.delete(f"/releases/assets/{number}").status_code == 204
    assert bot.get(f"/releases/assets/{number}").status_code == 404
