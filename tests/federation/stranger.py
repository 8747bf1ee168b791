"""Another server with software of its own: it answers, signs and sends whatever a test wants it to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from activitypub import keys, proof, signatures
from activitypub.document import Json
from activitypub.message import Request, Scheme
from tests.fediverse import Fediverse, Studio, key_pair

AS2 = "https://www.w3.org/ns/activitystreams"
PUBLIC = f"{AS2}#Public"
ACTIVITY_JSON = "application/activity+json"


def rsa(number: int) -> RSAPrivateKey:
    key = keys.load_private(key_pair(number).rsa)
    assert isinstance(key, RSAPrivateKey)
    return key


def ed25519(number: int) -> Ed25519PrivateKey:
    key = keys.load_private(key_pair(number).ed25519)
    assert isinstance(key, Ed25519PrivateKey)
    return key


@dataclass
class Stranger:
    """A server at ``https://{host}``. `documents` is what it has by path: JSON, or a status in place of it."""

    fediverse: Fediverse
    host: str = "social.example"
    documents: dict[str, Json | int | httpx.Response] = field(default_factory=dict)
    key: int = 7  # which of the shared key pairs its actors have

    def __post_init__(self) -> None:
        self.fediverse.strangers[self.host] = self.answer

    @property
    def home(self) -> str:
        return f"https://{self.host}"

    @property
    def asked(self) -> list[str]:
        """The paths that it was asked for, in order."""
        gets = [one for one in self.fediverse.requests if one.method == "GET"]
        return [one.url.path for one in gets if one.url.host == self.host]

    @property
    def received(self) -> list[Json]:
        """The activities that came to its inboxes, in order."""
        posts = [one for one in self.fediverse.requests if one.method == "POST" and one.url.host == self.host]
        return [msgspec.json.decode(one.content) for one in posts]

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202)
        found = self.documents.get(request.url.path, 404)
        if isinstance(found, httpx.Response):
            return found
        if isinstance(found, int):
            return httpx.Response(found)
        return httpx.Response(200, headers={"content-type": ACTIVITY_JSON}, content=msgspec.json.encode(found))

    def actor(self, name: str, kind: str = "Person", **more: Any) -> str:
        """Let somebody live there, with both keys; return their URI."""
        uri = f"{self.home}/{name}"
        pem = keys.write_pem(rsa(self.key).public_key())
        multikey = keys.write_multikey(ed25519(self.key).public_key())
        self.documents[f"/{name}"] = {
            "@context": [AS2, "https://w3id.org/security/v1"],
            "id": uri,
            "type": kind,
            "preferredUsername": name,
            "inbox": f"{uri}/inbox",
            "followers": f"{uri}/followers",
            "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": pem},
            "assertionMethod": [
                {"id": f"{uri}#proof", "type": "Multikey", "controller": uri, "publicKeyMultibase": multikey}
            ],
            **more,
        }
        return uri

    def note(self, name: str, author: str, **more: Any) -> Json:
        """A public note that it serves."""
        note: Json = {"id": f"{self.home}/{name}", "type": "Note", "attributedTo": author, "to": [PUBLIC]}
        note |= {"content": f"<p>{name}</p>", "published": "2026-03-01T12:00:00Z", **more}
        self.documents[f"/{name}"] = {"@context": AS2, **note}
        return note

    def activity(self, kind: str, actor: str, object: Any, **more: Any) -> Json:
        number = len(self.fediverse.requests)
        return {
            "@context": [AS2],
            "id": f"{actor}/did/{number}",
            "type": kind,
            "actor": actor,
            "object": object,
            **more,
        }

    def proves(self, activity: Json, key: int | None = None) -> Json:
        """With the proof of its actor."""
        secret = ed25519(self.key if key is None else key)
        return proof.sign(activity, f"{activity['actor']}#proof", secret, self.fediverse.now)

    def signed(
        self,
        url: str,
        body: Json | bytes,
        key_id: str,
        *,
        key: int | None = None,
        scheme: Scheme = "cavage",
        **headers: str | None,
    ) -> httpx.Request:
        """A request to an inbox, soundly signed, whose `headers` are changed afterwards; ``None`` takes one away."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        address = httpx.URL(url)
        home = f"{address.scheme}://{address.netloc.decode()}"
        request = Request("POST", home, address.raw_path.decode(), {"content-type": ACTIVITY_JSON}, content)
        made = signatures.sign(scheme, request, key_id, rsa(self.key if key is None else key), self.fediverse.now)
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {**request.headers, "host": address.netloc.decode(), **made, **changed}
        return httpx.Request("POST", url, headers={n: v for n, v in sent.items() if v is not None}, content=content)

    async def sends(self, to: Studio | str, body: Json | bytes, by: str | None = None, **how: Any) -> httpx.Response:
        """What is answered to `body`, signed `by` its actor or another; `how` is as of `signed`."""
        inbox = to if isinstance(to, str) else f"{to.home}/inbox"
        signer = by or (body["actor"] if isinstance(body, dict) else "")
        key_id = signer if "#" in signer else f"{signer}#main-key"
        return await self.brings(self.signed(inbox, body, key_id, **how))

    async def brings(self, request: httpx.Request) -> httpx.Response:
        answer = await self.fediverse.carry(request)
        await answer.aread()
        return answer
