"""What all measurements share: who the remote actors are, what they send, and how it is signed.

An actor is a number and lives on a port of this machine. A few keys are shared by all: making RSA keys is slow.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from activitypub import keys, signatures
from activitypub.audience import PUBLIC
from activitypub.message import Request

KEYS = 4
AS2 = "https://www.w3.org/ns/activitystreams"


@dataclass
class World:
    """Remote hosts on the ports from `port`; `size` of them, one actor each, whose keys are kept in `folder`."""

    size: int
    port: int
    folder: Path
    name: str = field(default="localhost")
    said: int = 0  # how many things each actor has said within a week, for whoever reads its outbox
    page: int = 40  # of them to a page

    @cached_property
    def keys(self) -> list[RSAPrivateKey]:
        file = self.folder / "keys.json"
        if not file.exists():
            file.write_bytes(msgspec.json.encode([keys.write_private(keys.new_rsa()) for _ in range(KEYS)]))
        loaded = [keys.load_private(pem) for pem in msgspec.json.decode(file.read_bytes(), type=list[str])]
        return [key for key in loaded if isinstance(key, RSAPrivateKey)]

    def origin(self, actor: int) -> str:
        return f"http://{self.name}:{self.port + actor}"

    def uri(self, actor: int) -> str:
        return f"{self.origin(actor)}/users/remote"

    def key(self, actor: int) -> RSAPrivateKey:
        return self.keys[actor % KEYS]

    def document(self, actor: int) -> bytes:
        uri = self.uri(actor)
        key = {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": keys.write_pem(self.key(actor).public_key())}
        return msgspec.json.encode(
            {
                "@context": [AS2, "https://w3id.org/security/v1"],
                "id": uri,
                "type": "Person",
                "preferredUsername": "remote",
                "inbox": f"{uri}/inbox",
                "followers": f"{uri}/followers",
                "outbox": f"{uri}/outbox",
                "endpoints": {"sharedInbox": f"{self.origin(actor)}/inbox"},
                "publicKey": key,
            }
        )

    def outbox(self, actor: int, page: int | None) -> bytes:
        """What an actor has said, latest first."""
        uri = f"{self.uri(actor)}/outbox"
        if page is None:
            first = {"first": f"{uri}?page=0", "totalItems": self.said}
            return msgspec.json.encode({"@context": AS2, "id": uri, "type": "OrderedCollection", **first})
        numbers = range(page * self.page, min(self.said, (page + 1) * self.page))
        items = [self._listed(actor, number) for number in numbers]
        head = {"@context": AS2, "id": f"{uri}?page={page}", "type": "OrderedCollectionPage", "orderedItems": items}
        following = {"next": f"{uri}?page={page + 1}"} if numbers.stop < self.said else {}
        return msgspec.json.encode(head | following)

    def _listed(self, actor: int, number: int) -> dict[str, Any]:
        when = (datetime.now(UTC) - number * timedelta(days=6) / self.said).strftime("%Y-%m-%dT%H:%M:%SZ")
        note = {**self.note(actor, str(number), self.uri(actor)), "published": when, "tag": []}
        return {**self.activity(actor, "Create", str(number), note), "published": when}

    def activity(self, actor: int, kind: str, name: str, about: Any) -> dict[str, Any]:
        """``{name}`` makes its id unique."""
        uri = self.uri(actor)
        head = {"@context": [AS2], "id": f"{uri}/activities/{name}", "type": kind, "actor": uri, "object": about}
        return {**head, "to": [PUBLIC], "cc": [f"{uri}/followers"], "published": timestamp()}

    def note(self, actor: int, name: str, to: str) -> dict[str, Any]:
        """About as long as what people say to each other every day."""
        uri = self.uri(actor)
        words = "A few words of an ordinary length, as people write them to each other every day. " * 2
        return {
            "id": f"{uri}/notes/{name}",
            "type": "Note",
            "attributedTo": uri,
            "content": f'<p><a href="{to}" class="u-url mention">@studio</a> {words}</p>',
            "published": timestamp(),
            "to": [PUBLIC],
            "cc": [f"{uri}/followers", to],
            "url": f"{uri}/notes/{name}",
            "tag": [{"type": "Mention", "href": to, "name": "@studio"}],
        }

    def signed(self, actor: int, inbox: str, activity: dict[str, Any]) -> bytes:
        """The whole HTTP request, ready for the socket."""
        body, url = msgspec.json.encode(activity), urlsplit(inbox)
        headers = {"content-type": "application/activity+json"}
        request = Request("POST", f"{url.scheme}://{url.netloc}", url.path, headers, body)
        key_id = f"{self.uri(actor)}#main-key"
        added = signatures.sign("cavage", request, key_id, self.key(actor), datetime.now(UTC))
        lines = {"host": url.netloc, **headers, **added, "content-length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"POST {url.path} HTTP/1.1\r\n{head}\r\n".encode() + body

    def all_signed(self, inbox: str, activities: list[tuple[int, dict[str, Any]]]) -> list[bytes]:
        """Signed on all cores, before any clock starts."""
        with ThreadPoolExecutor() as pool:
            return list(pool.map(lambda one: self.signed(one[0], inbox, one[1]), activities))


def timestamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
