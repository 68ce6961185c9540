"""Reviews of pull requests, and who is asked for one."""

from tests.github import documents
from tests.github.accounts import ACTIONS_APP, Account
from tests.github.answers import Answer, Refusal, created, not_found, page
from tests.github.documents import page_of, thread_url, user
from tests.github.issues import LONGEST_BODY
from tests.github.pulls import find, pull_document
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, Review, Thread, stamp

_REVIEWS = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"
_REVIEWERS = "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers"
_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def _document(request: Request, thread: Thread, review: Review) -> Document:
    web = f"{page_of(request.world, request.repository)}/pull/{thread.number}"
    web += f"#pullrequestreview-{review.id}"
    url = thread_url(request.world, request.repository, thread, "pulls")
    document: Document = {
        "id": review.id,
        "node_id": documents.node("PRR", review.id),
        "user": user(request.world, review.author),
        "body": review.body,
        "state": review.state,
        "html_url": web,
        "pull_request_url": url,
        "author_association": documents.association(request.repository, review.author),
        "_links": {"html": {"href": web}, "pull_request": {"href": url}},
        "commit_id": review.commit,
    }
    if review.submitted:
        document["submitted_at"] = stamp(review.submitted)
    return document


def _refused(problem: str) -> Refusal:
    return Refusal(422, "Unprocessable Entity", [problem])


@route("GET", _REVIEWS, "pull_requests:read")
def reviews(request: Request) -> Answer:
    """List reviews, the oldest first."""
    thread, pull = find(request)
    return page(_document(request, thread, it) for it in pull.reviews)


@route("POST", _REVIEWS, "pull_requests:write")
def create(request: Request) -> Answer | Document:
    """Review, unless it is one's own; without an event the review stays pending."""
    thread, pull = find(request)
    event, text = request.json.get("event"), request.json.get("body") or ""
    if event is not None and event not in _STATES:
        raise _refused("Variable $event of type PullRequestReviewEvent was provided invalid value")
    if event in {"APPROVE", "REQUEST_CHANGES"} and thread.author.id == request.me.id:
        deed = "approve" if event == "APPROVE" else "request changes on"
        raise _refused(f"Review Can not {deed} your own pull request")
    app = request.token.app
    if event == "APPROVE" and app and app.id == ACTIONS_APP:
        problem = "GitHub Actions is not permitted to create or approve pull requests."
        raise Refusal(403, problem)
    if event in {"REQUEST_CHANGES", "COMMENT"} and not text:
        raise Refusal(422, "Unprocessable Entity")
    if len(text) > LONGEST_BODY:
        raise _refused(f"Body is too long (maximum is {LONGEST_BODY} characters)")
    world, state = request.world, _STATES.get(event or "", "PENDING")
    when = world.now() if event else None
    commit = request.json.get("commit_id") or pull.head
    review = Review(world.next_id(), request.me, state, text, commit, when)
    pull.reviews.append(review)
    pull.reviewers = [it for it in pull.reviewers if it.id != request.me.id]
    world.touch(thread)
    return _document(request, thread, review)


@route("GET", _REVIEWS + "/{review_id}", "pull_requests:read")
def review(request: Request) -> Document:
    """Give a review."""
    return _document(request, *_find(request))


@route("PUT", _REVIEWS + "/{review_id}/dismissals", "pull_requests:write", "write")
def dismiss(request: Request) -> Document:
    """Take a verdict back."""
    request.required("message")
    thread, it = _find(request)
    if it.state not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise _refused("Can not dismiss a commented pull request review")
    it.state = "DISMISSED"
    request.world.touch(thread)
    return _document(request, thread, it)


def _find(request: Request) -> tuple[Thread, Review]:
    thread, pull = find(request)
    number = request.number("review_id")
    found = next((it for it in pull.reviews if it.id == number), None)
    if found is None:
        raise not_found()
    return thread, found


@route("GET", _REVIEWERS, "pull_requests:read")
def reviewers(request: Request) -> Document:
    """Say who is asked for a review and has not given one."""
    _, pull = find(request)
    return {"users": [user(request.world, it) for it in pull.reviewers], "teams": []}


@route("POST", _REVIEWERS, "pull_requests:write", "triage")
def ask(request: Request) -> Answer:
    """Ask collaborators for a review; nobody reviews what they opened."""
    thread, pull = find(request)
    asked = [_reviewer(request, thread, it) for it in request.json.get("reviewers") or []]
    if request.json.get("team_reviewers"):
        raise _no_collaborator(request)
    pull.reviewers = list({it.id: it for it in [*pull.reviewers, *asked]}.values())
    request.world.touch(thread)
    return created(pull_document(request, thread, whole=False))


@route("DELETE", _REVIEWERS, "pull_requests:write", "triage")
def ask_no_more(request: Request) -> Document:
    """Take requests for a review back."""
    thread, pull = find(request)
    names = {str(it).lower() for it in request.required("reviewers")}
    pull.reviewers = [it for it in pull.reviewers if it.login.lower() not in names]
    request.world.touch(thread)
    return pull_document(request, thread, whole=False)


def _reviewer(request: Request, thread: Thread, login: str) -> Account:
    account = request.world.account(login)
    if account is not None and account.id == thread.author.id:
        raise Refusal(422, "Review cannot be requested from pull request author.")
    if account is None or not request.repository.may(account, "triage"):
        raise _no_collaborator(request)
    return account


def _no_collaborator(request: Request) -> Refusal:
    problem = "Reviews may only be requested from collaborators. One or more of the users or teams"
    name = request.repository.full_name
    return Refusal(422, f"{problem} you specified is not a collaborator of the {name} repository.")
