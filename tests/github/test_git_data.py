"""Git over JSON makes real objects, and refuses what GitHub refuses."""

import base64
import subprocess

import pytest

from tests.github.caller import Caller, said
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository


def test_objects_are_those_of_git(churn: TestRepository, bot: Caller) -> None:
    """What the API stores, Git reads and finds no fault with."""
    data = bytes(range(256))
    text = base64.b64encode(data).decode()
    blob = bot.made("/git/blobs", content=text, encoding="base64")
    base = bot.read("/git/ref/heads/main")["object"]["sha"]
    entry = {"path": "deep/er/x.bin", "mode": "100755", "type": "blob", "sha": blob["sha"]}
    inline = {"path": "model/ü.txt", "mode": "100644", "type": "blob", "content": "ü\n"}
    tree = bot.made("/git/trees", base_tree=base, tree=[entry, inline])
    commit = bot.made("/git/commits", message="Add\n\nBody", tree=tree["sha"], parents=[base])
    bot.made("/git/refs", ref="refs/heads/made", sha=commit["sha"])

    files = git(churn, "ls-tree", "-r", "-z", "--name-only", "made").split("\0")
    assert files[:-1] == ["a.txt", "b.txt", "deep/er/x.bin", "model/run.py", "model/ü.txt"]
    assert git(churn, "show", "made:model/ü.txt") == "ü\n"
    assert base64.b64decode(bot.read(f"/git/blobs/{blob['sha']}")["content"]) == data
    git(churn, "fsck", "--strict", "--full")


def test_a_commit_of_an_app_is_signed_unless_it_names_somebody(
    churn: TestRepository, bot: Caller, ada: Caller
) -> None:
    """GitHub signs for apps that speak for themselves, never for people or borrowed names."""
    head = churn.head()
    tree = bot.read(f"/git/commits/{head}")["tree"]["sha"]
    body = {"message": "Hello", "tree": tree, "parents": [head]}

    own = bot.made("/git/commits", **body)
    borrowed = bot.made("/git/commits", **body, author={"name": "Ada", "email": "ada@example.com"})
    person = ada.made("/git/commits", **body)

    assert own["verification"]["verified"]
    assert own["author"]["name"] == "ml-gitops[bot]"
    assert own["author"]["email"].endswith("+ml-gitops[bot]@users.noreply.github.com")
    assert own["committer"]["name"] == "GitHub"
    assert not borrowed["verification"]["verified"]
    assert not person["verification"]["verified"]
    assert bot.read(f"/commits/{own['sha']}")["author"]["type"] == "Bot"
    assert bot.read(f"/commits/{borrowed['sha']}")["author"]["login"] == "ada"


def test_taking_out_a_path(churn: TestRepository, bot: Caller) -> None:
    """Null deletes a path and folders left empty; a path that is not there is 422."""
    base = churn.head()

    def without(path: str) -> object:
        entry = {"path": path, "mode": "100644", "type": "blob", "sha": None}
        return bot.post("/git/trees", base_tree=base, tree=[entry])

    names = [it["path"] for it in without("model/run.py").json()["tree"]]
    assert names == ["a.txt", "b.txt"]
    assert said(without("gone.txt")) == (422, "GitRPC::BadObjectState")
    assert said(without("gone/deep.txt")) == (422, "GitRPC::BadObjectState")
    assert said(without("../a.txt"))[0] == 422


def test_refs_are_created_moved_and_deleted_as_git_allows(
    churn: TestRepository, bot: Caller
) -> None:
    """Each refusal has GitHub's words; only force moves a ref back."""
    old = churn.head()
    new = churn.push("main", {"c.txt": "c\n"})
    assert bot.post("/git/refs", ref="refs/heads/x/y", sha=old).status_code == 201

    def refused(method: str, path: str, **body: object) -> tuple[int, str]:
        return said(bot(method, path, json=body))

    assert refused("POST", "/git/refs", ref="refs/heads/x/y", sha=old) == (
        422,
        "Reference already exists",
    )
    assert refused("POST", "/git/refs", ref="refs/heads/z", sha="0" * 40) == (
        422,
        "Object does not exist",
    )
    assert refused("POST", "/git/refs", ref="heads/z", sha=old)[0] == 422
    assert refused("POST", "/git/refs", ref="refs/heads/a..b", sha=old)[0] == 422
    assert refused("POST", "/git/refs", ref="refs/heads/x", sha=old)[0] == 422
    assert bot.patch("/git/refs/heads/x/y", sha=new).json()["object"]["sha"] == new
    assert refused("PATCH", "/git/refs/heads/x/y", sha=old) == (
        422,
        "Update is not a fast forward",
    )
    assert bot.patch("/git/refs/heads/x/y", sha=old, force=True).status_code == 200
    assert git(churn, "rev-parse", "x/y").strip() == old
    assert bot.delete("/git/refs/heads/x/y").status_code == 204
    assert refused("DELETE", "/git/refs/heads/x/y") == (422, "Reference does not exist")
    assert refused("PATCH", "/git/refs/heads/x/y", sha=old) == (422, "Reference does not exist")
    assert bot.get("/git/ref/heads/x/y").status_code == 404
    assert [it["ref"] for it in bot.read("/git/matching-refs/heads/ma")] == ["refs/heads/main"]
    assert bot.read("/git/matching-refs/heads/none") == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "m", "tree": "0" * 40}, "Tree SHA does not exist"),
        ({"message": "m", "tree": "short"}, "The tree parameter must be exactly 40 characters"),
        ({"message": "m"}, '"tree" wasn\'t supplied.'),
    ],
)
def test_a_commit_of_nothing_is_refused(bot: Caller, body: dict[str, str], words: str) -> None:
    """Tree and parents have to be there, by their whole ids."""
    status, message = said(bot.post("/git/commits", **body))

    assert status == 422
    assert words in message


def test_annotated_tags_are_objects_with_a_ref_beside(churn: TestRepository, bot: Caller) -> None:
    """A tag object names nothing until its ref is made; then Git describes by it."""
    head = churn.head()
    body = {"tag": "delay@v1.0.0", "message": "First\n\nOf all.", "object": head, "type": "commit"}
    tag = bot.made("/git/tags", **body)
    assert bot.get("/git/ref/tags/delay@v1.0.0").status_code == 404

    bot.made("/git/refs", ref="refs/tags/delay@v1.0.0", sha=tag["sha"])

    ref = bot.read("/git/ref/tags/delay@v1.0.0")
    assert (ref["object"]["type"], ref["object"]["sha"]) == ("tag", tag["sha"])
    assert bot.read(f"/git/tags/{tag['sha']}")["object"]["sha"] == head
    assert git(churn, "describe", "main").strip() == "delay@v1.0.0"
    assert bot.read("/tags")[0]["commit"]["sha"] == head


def test_contents_are_files_of_a_commit(churn: TestRepository, bot: Caller) -> None:
    """Replacing needs the blob that is there; every write is a commit on the branch."""
    shown = bot.read("/contents/a.txt")
    assert base64.b64decode(shown["content"]) == b"1\n2\n3\n"
    assert {it["name"] for it in bot.read("/contents/")} == {"a.txt", "b.txt", "model"}
    raw = bot.get("/contents/a.txt", headers={"Accept": "application/vnd.github.raw+json"})
    assert raw.content == b"1\n2\n3\n"
    text = base64.b64encode(b"new\n").decode()

    missing = bot.put("/contents/a.txt", message="m", content=text)
    wrong = bot.put("/contents/a.txt", message="m", content=text, sha="0" * 40)
    made = bot.put("/contents/new/x.txt", message="Make", content=text, sha="0" * 40)
    done = bot.put("/contents/a.txt", message="m", content=text, sha=shown["sha"])

    assert said(missing) == (422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    assert said(wrong)[0] == 409
    assert (made.status_code, done.status_code) == (201, 200)
    assert git(churn, "show", "main:a.txt") == "new\n"
    assert done.json()["commit"]["sha"] == churn.head()
    assert bot.get("/contents/gone.txt").status_code == 404
    assert bot.get("/contents/a.txt", params={"ref": "gone"}).status_code == 404
    assert bot.delete("/contents/a.txt", message="m", sha=done.json()["content"]["sha"]).ok
    assert bot.get("/contents/a.txt").status_code == 404


def test_a_large_file_is_given_raw_only(churn: TestRepository, bot: Caller) -> None:
    """Beyond a megabyte the content is empty, and `encoding` says none."""
    churn.push("main", {"big.bin": b"x" * (2**20 + 1)})

    shown = bot.read("/contents/big.bin")

    assert (shown["content"], shown["encoding"], shown["size"]) == ("", "none", 2**20 + 1)
    raw = bot.get("/contents/big.bin", headers={"Accept": "application/vnd.github.raw"})
    assert len(raw.content) == 2**20 + 1


def test_an_empty_repository_says_so(server: GitHubServer) -> None:
    """Git data is 409 and contents 404, until a first file is put."""
    server.create_repository("acme/new").add_collaborator("ada", "admin")
    ada = Caller(server, server.token("ada"), "acme/new")

    assert said(ada.post("/git/blobs", content="x")) == (409, "Git Repository is empty.")
    assert said(ada.get("/git/ref/heads/main"))[0] == 409
    assert said(ada.get("/contents/a.txt")) == (404, "This repository is empty.")
    assert ada.put("/contents/a.txt", message="Begin", content="eA==").status_code == 201
    assert ada.read("/branches/main")["commit"]["commit"]["message"] == "Begin"


def test_compare_counts_both_sides(churn: TestRepository, bot: Caller) -> None:
    """Ahead, behind and the files are counted from the merge base; unknown names are 404."""
    churn.push("feature", {"x.txt": "x"}, {"y.txt": "y"})
    churn.push("main", {"z.txt": "z"})

    both = bot.read("/compare/main...feature")

    assert (both["status"], both["ahead_by"], both["behind_by"]) == ("diverged", 2, 1)
    assert [it["filename"] for it in both["files"]] == ["x.txt", "y.txt"]
    assert bot.read("/compare/main...main")["status"] == "identical"
    assert bot.get("/compare/main...gone").status_code == 404


def git(churn: TestRepository, *args: str) -> str:
    """Run Git in the bare repository."""
    command = ["git", "-C", str(churn.path), *args]
    return subprocess.run(command, check=True, capture_output=True).stdout.decode()
