"""The host that keeps the bytes of artifacts and assets, behind signed addresses."""

import hashlib
from dataclasses import dataclass, field

from tests.github.answers import Answer
from tests.github.web import Incoming


@dataclass
class Storage:
    """Bytes by address. It knows no tokens, and refuses whoever shows it one, as Azure does."""

    url: str = ""
    kept: dict[str, tuple[bytes, str, str]] = field(default_factory=dict)

    def address(self, kind: str, number: int, content: bytes, media: str, name: str) -> str:
        """Keep bytes and return the address to read them from."""
        sign = hashlib.sha256(content).hexdigest()[:24]
        path = f"/{kind}/{number}/{sign}"
        self.kept[path] = content, media, name
        return f"{self.url}{path}?sig={sign}"

    def answer(self, asked: Incoming) -> Answer:
        """Give out what is at an address."""
        kept = self.kept.get(asked.path)
        if "authorization" in asked.headers:
            return Answer(
                400, body=b"<Error>InvalidAuthenticationInfo</Error>", content_type="text/xml"
            )
        if kept is None or asked.query != "sig=" + asked.path.rpartition("/")[2]:
            return Answer(403, body=b"<Error>AuthenticationFailed</Error>", content_type="text/xml")
        content, media, name = kept
        shown = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Answer(200, body=content, content_type=media, headers=shown)
