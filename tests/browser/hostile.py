"""A server whose people write a corpus of tricks into everything that one can write, and sign it soundly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from activitypub import context, proof
from activitypub.document import Json
from coop import endorsements, follows, invitations, offers, projects
from coop.reports import MAX_OPEN
from federation.tables import Object
from tests.coop.images import picture
from tests.federation.stranger import PUBLIC, Stranger, ed25519
from tests.fediverse import Studio, key_pair
from tests.web.lively import Lively

TOGETHER = 10  # tricks in one complaint, of which a server may make few


@dataclass
class Hostile:
    """`people` are as many as the tricks; `mal` is the one whom Ada has begun to follow."""

    far: Stranger
    house: Lively
    tricks: tuple[str, ...]
    people: list[str]
    mal: str

    async def does(self, kind: str, by: str, object: Any, **more: Any) -> None:
        await self.far.sends(self.house.attic, self.far.activity(kind, by, object, **more))

    async def says(self, by: str, path: str, title: str = "", **more: Any) -> None:
        note = self.far.note(path, by, **more)
        await self.does("Create", by, {**note, "name": title} if title else note)


async def comes(house: Lively, tricks: tuple[str, ...]) -> Hostile:
    """Everything has arrived in the attic."""
    far = Stranger(house.fediverse, "mal.example")
    people = [far.actor(f"m{number}", **_looks(trick)) for number, trick in enumerate(tricks)]
    for number, trick in enumerate(tricks):
        far.documents[f"/m{number}"]["name"] = trick  # type: ignore[index]
    mal = far.actor("mal", summary="A friend, so far")
    hostile = Hostile(far, house, tricks, people, mal)
    attic = house.attic
    await house.fediverse.settle()
    await attic.does(lambda tx: follows.follow(tx, attic.uri, mal))
    await house.fediverse.settle()
    [asked] = [one["id"] for one in far.received if one["type"] == "Follow"]
    await hostile.does("Accept", mal, {"id": asked, "type": "Follow", "actor": attic.uri, "object": mal})
    await house.fediverse.settle()
    for step in (_ask, _say, _offer, _vouch, _complain, _invite):
        await step(hostile)
        await house.fediverse.settle()
    return hostile


def _looks(trick: str) -> dict[str, Any]:
    field = {"type": "PropertyValue", "name": trick, "value": trick}
    image = {"type": "Image", "url": trick, "name": trick, "mediaType": trick}
    listed = {
        "attachment": [field],
        "skill": [trick],
        "availability": trick,
        "tag": [{"type": "Hashtag", "name": trick}],
    }
    return {"summary": trick, "url": trick, "icon": image, "image": image, **listed}


async def _ask(hostile: Hostile) -> None:
    """All would like to follow, with a word."""
    for by, trick in zip(hostile.people, hostile.tricks, strict=True):
        await hostile.does("Follow", by, hostile.house.attic.uri, content=trick, summary=trick)


async def _say(hostile: Hostile) -> None:
    """In answer to Ada, in public and to her alone, and for all who follow."""
    attic, post = hostile.house.attic, hostile.house.has["post"]
    for number, (by, trick) in enumerate(zip(hostile.people, hostile.tricks, strict=True)):
        hostile.far.documents[f"/{number}.png"] = httpx.Response(200, content=picture("PNG"))
        file = {"type": "Image", "url": f"{hostile.far.home}/{number}.png", "name": trick, "mediaType": trick}
        odd = {"type": "Document", "url": trick, "name": trick, "mediaType": "image/png", "blurhash": trick}
        tags = [
            {"type": "Hashtag", "name": f"#{trick}", "href": trick},
            {"type": "Mention", "name": trick, "href": attic.uri},
            {"type": "Emoji", "name": f":{trick}:", "icon": {"type": "Image", "url": trick}},
        ]
        words: dict[str, Any] = {
            "content": f"<p>{trick}</p>{trick}",
            "attachment": [file, odd],
            "tag": tags,
            "url": trick,
        }
        poll = [{"type": "Note", "name": trick, "replies": {"totalItems": 1}}]
        await hostile.says(by, f"answer-{number}", **words, inReplyTo=post)
        await hostile.says(by, f"psst-{number}", content=trick, to=[attic.uri], tag=tags[1:2])
        followers: dict[str, Any] = {"to": [PUBLIC], "cc": [f"{hostile.mal}/followers"]}
        await hostile.says(hostile.mal, f"veiled-{number}", **words, **followers, summary=trick, sensitive=True)
        whole: dict[str, Any] = {"title": trick, "oneOf": poll, "type": "Question", "contentMap": {trick: trick}}
        await hostile.says(hostile.mal, f"asks-{number}", **words, **followers, **whole)
        await hostile.says(hostile.mal, f"essay-{number}", **words, **followers, title=trick, type="Article")
        await hostile.does("Like", by, post, content=trick)


async def _offer(hostile: Hostile) -> None:
    """As offers look that a Boxroom made, but for the words."""
    shop = hostile.house.shop
    draft = offers.Draft("offer", "TITLE", "TEXT", None, ("SKILL",), True, "PLACE")
    uri = await shop.does(lambda tx: offers.open(tx, shop.uri, draft).uri)
    [row] = [one for one in await shop.knows(Object) if one.uri == uri]
    text = msgspec.json.encode(row.document).decode().replace(shop.uri, hostile.mal)
    for number, trick in enumerate(hostile.tricks):
        named = f"{hostile.far.home}/offer-{number}"
        document: Json = msgspec.json.decode(text.replace(uri, named).replace(shop.home, hostile.far.home))
        document = {key: value for key, value in document.items() if key not in ("proof", "source")}
        changed = {"name": trick, "content": trick, "summary": trick, "skill": [trick], "location": trick, "url": trick}
        await hostile.does("Create", hostile.mal, {**document, **changed, "id": named})


async def _vouch(hostile: Hostile) -> None:
    """Each of Ada, who shows what comes of it."""
    attic, far, now = hostile.house.attic, hostile.far, hostile.house.fediverse.now
    for number, (by, trick) in enumerate(zip(hostile.people, hostile.tricks, strict=True)):
        uri = f"{far.home}/word-{number}"
        said = {"id": f"{uri}#endorsement", "type": "Endorsement", "attributedTo": by, "object": attic.uri}
        words = {
            "skill": [trick[:100]],
            "capacity": "peer",
            "content": trick[:2000],
            "context": f"https://evil.example/{number}",
        }
        inner = {"@context": context.ENDORSEMENT, **said, **words, "published": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        signed = proof.sign(inner, f"{by}#proof", ed25519(far.key), now)
        await hostile.says(by, f"word-{number}", content=trick, endorsement=signed, cc=[attic.uri])
    await hostile.house.fediverse.settle()
    for row in await attic.knows(endorsements.Endorsement):
        if row.endorser in hostile.people:
            await attic.does(lambda tx, uri=row.uri: endorsements.accept(tx, attic.uri, uri))  # type: ignore[misc]


async def _complain(hostile: Hostile) -> None:
    attic = hostile.house.attic
    for start in range(0, min(len(hostile.tricks), TOGETHER * (MAX_OPEN - 2)), TOGETHER):
        text = "\n".join(hostile.tricks[start : start + TOGETHER])
        await hostile.does("Flag", hostile.mal, [attic.uri], content=text, name=text)


async def _invite(hostile: Hostile) -> None:
    """Into projects with such names; Ada is in some of them."""
    shop, attic = hostile.house.shop, hostile.house.attic
    for number, trick in enumerate(hostile.tricks[::12]):
        await _invites(shop, attic, trick, is_in=number % 2 == 0)
        await hostile.house.fediverse.settle()


async def _invites(shop: Studio, attic: Studio, trick: str, *, is_in: bool) -> None:
    name = " ".join(trick.split())[:60]
    uri = await shop.does(lambda tx: projects.create(tx, shop.uri, name, trick, key_pair(8)).uri)
    asked = await shop.does(lambda tx: invitations.invite(tx, shop.uri, uri, attic.uri, "member", trick).id)
    await shop.fediverse.settle()
    if is_in:
        await attic.does(lambda tx: invitations.accept(tx, attic.uri, asked))
