"""A client without a library: what is sent is what the test says."""

from typing import Any

import requests

from tests.github.server import GitHubServer


class Caller:
    """Somebody with a token, who asks about one repository.

    Args:
        token: of whom; empty is nobody.
        repository: `owner/name`; paths are below it.
    """

    def __init__(self, server: GitHubServer, token: str, repository: str = "acme/churn") -> None:
        self.server = server
        self._root = f"{server.url}/repos/{repository}"
        self._api = server.url
        self.session = requests.Session()
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request; `api:/user` is below the root of the API."""
        root = self._api if path.startswith("api:") else self._root
        options.setdefault("allow_redirects", False)
        options.setdefault("timeout", 10)
        return self.session.request(method, root + path.removeprefix("api:"), **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """Ask."""
        return self("GET", path, **options)

    def post(self, path: str, **body: Any) -> requests.Response:
        """Make something of the given fields."""
        return self("POST", path, json=body)

    def put(self, path: str, **body: Any) -> requests.Response:
        """Put something."""
        return self("PUT", path, json=body)

    def patch(self, path: str, **body: Any) -> requests.Response:
        """Change something."""
        return self("PATCH", path, json=body)

    def delete(self, path: str, **body: Any) -> requests.Response:
        """Delete something."""
        return self("DELETE", path, json=body or None)

    def read(self, path: str, **options: Any) -> Any:
        """Ask for a document that has to be there."""
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def made(self, path: str, **body: Any) -> Any:
        """Make something that has to come into being."""
        answer = self.post(path, **body)
        assert answer.status_code in {200, 201, 202}, answer.text
        return answer.json()

    def propose(self, branch: str, title: str = "Change", **body: Any) -> Any:
        """Open a pull request."""
        return self.made("/pulls", head=branch, title=title, **{"base": "main"} | body)


def said(answer: requests.Response) -> tuple[int, str]:
    """Return the status of a refusal and its words, those about fields included."""
    document = answer.json()
    details = [
        it["message"]
        if "message" in it
        else f"{it['field']} {it['code']}"
        if isinstance(it, dict)
        else str(it)
        for it in document.get("errors", [])
    ]
    return answer.status_code, " ".join([document["message"], *details])
