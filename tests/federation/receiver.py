"""Another server whose inboxes answer as a test wants them to, and a studio that sends things there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import select

from federation import discovery, outbox
from federation.tables import Activity, Delivery, Lane
from tests.federation.stranger import Stranger
from tests.fediverse import Studio

Reply = tuple[int, dict[str, str]]


@dataclass
class Receiver(Stranger):
    """Deliveries are answered with `replies`, one after another, and from then on with the last."""

    replies: list[Reply | Callable[[httpx.Request], Reply]] = field(default_factory=lambda: [(202, {})])

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return super().answer(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        status, headers = reply(request) if callable(reply) else reply
        return httpx.Response(status, headers=headers, text="as I say")

    @property
    def posts(self) -> list[httpx.Request]:
        """What came to its inboxes, as it was on the wire."""
        return [one for one in self.fediverse.requests if one.method == "POST" and one.url.host == self.host]


async def knows(studio: Studio, *uris: str) -> None:
    for uri in uris:
        await discovery.fetch(studio.instance, uri)


async def says(studio: Studio, to: Iterable[str], *, collapse: bool = False, settle: bool = True, **more: Any) -> str:
    """Publish an activity of no meaning, and let it go out; return its id."""
    to = list(to)

    def publish(tx: Any) -> str:
        said = {"id": outbox.new_uri(tx), "type": "View", "actor": studio.uri, "to": to, **more}
        return outbox.publish(tx, said, to, collapse=collapse).uri

    uri = await studio.does(publish)
    if settle:
        await studio.fediverse.settle()
    return uri


async def lane_to(studio: Studio, host: str = "social.example") -> Lane:
    return await studio.instance.store.read(lambda db: db.scalars(select(Lane).where(Lane.host == host)).one())


async def states(studio: Studio) -> list[str]:
    """Of all deliveries, in order."""
    return [one.state for one in sorted(await studio.knows(Delivery), key=lambda one: one.id)]


async def body_of(studio: Studio, uri: str) -> bytes:
    query = select(Activity.body).where(Activity.uri == uri)
    return await studio.instance.store.read(lambda db: db.scalars(query).one())
