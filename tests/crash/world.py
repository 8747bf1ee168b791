"""The rest of the fediverse, seen from a server that keeps dying: people who write to it, and people who read it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec

from activitypub import keys
from activitypub.document import Json, timestamp
from federation.client import Client, Signer, Unreachable
from federation.transport import transport
from tests.federation.peer import Asked, Peer, document, listening, reply
from tests.federation.stranger import rsa

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
NAME = "/emil"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Person:
    """Emil, on a server of his own: he follows our studio, reads what it says, and writes to it until it has heard."""

    peer: Peer
    chance: Random
    client: Client
    written: list[Json] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)

    @property
    def uri(self) -> str:
        return self.peer.url(NAME)

    def moves_in(self) -> None:
        """Serve his document, and take what comes into his inbox; sometimes that takes a moment."""
        pem = keys.write_pem(rsa(0).public_key())
        key = {"id": f"{self.uri}#main-key", "owner": self.uri, "publicKeyPem": pem}
        emil = {"id": self.uri, "type": "Person", "preferredUsername": "emil", "inbox": f"{self.uri}/inbox"}
        written = msgspec.json.encode({**emil, "followers": f"{self.uri}/followers", "publicKey": key}).decode()
        self.peer.answers[NAME] = document(written)

        async def take(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(self.chance.uniform(0, 0.02))
            writer.write(reply(202))

        self.peer.odd[f"{NAME}/inbox"] = take

    @property
    def read(self) -> list[str]:
        """The ids of the posts that came into his inbox, in order, repeats included."""
        came = [one for one in self.peer.asked if one.method == "POST"]
        return [said["id"] for one in came if (said := _said(one))["type"] == "Create"]

    def writes(self, to: str) -> Json:
        """A note that names the studio's owner, who is told of it."""
        number = len(self.written)
        uri = f"{self.uri}/notes/{number}"
        mention = [{"type": "Mention", "href": to, "name": "@ada"}]
        note = {"id": uri, "type": "Note", "attributedTo": self.uri, "content": f"<p>{number}</p>", "tag": mention}
        told = {"to": [PUBLIC], "cc": [to], "published": timestamp(now())}
        activity = {"id": f"{uri}/create", "type": "Create", "actor": self.uri, "object": {**note, **told}, **told}
        self.written.append(activity)
        return activity

    async def sends(self, inbox: str, activity: Json) -> bool:
        """Whether it was acknowledged."""
        signer = Signer(f"{self.uri}#main-key", rsa(0))
        try:
            answer, _ = await self.client.post(inbox, msgspec.json.encode(activity), signer, "cavage")
        except Unreachable:
            return False
        if answer.is_success:
            self.acknowledged.add(activity["id"])
        return answer.is_success


def _said(asked: Asked) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.json.decode(asked.body)
    return said


@asynccontextmanager
async def people(number: int, chance: Random) -> AsyncIterator[list[Person]]:
    """So many people, each on a server of their own on this machine."""
    home = "http://127.0.0.1:1"  # none of our servers is there
    client = Client(transport(True), home, now, agent="Emil/1", allow_private=True)
    async with AsyncExitStack() as stack:
        found = [Person(await stack.enter_async_context(listening(Peer())), chance, client) for _ in range(number)]
        for person in found:
            person.moves_in()
        try:
            yield found
        finally:
            await client.close()
