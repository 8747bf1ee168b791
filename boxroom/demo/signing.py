"""The mail, counted: every letter between the studios was a signed request, and an unsigned one is turned away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from functools import partial
from http.client import HTTPConnection
from secrets import token_hex

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from boxroom.demo.facts import Fact, kept
from boxroom.demo.sights import never_heard
from boxroom.demo.story import Story
from boxroom.demo.studio import Studio
from federation.tables import Activity, Delivery, Receipt


async def count(story: Story) -> None:
    everyone = story.stage.everyone
    quiet = "studio is under way, and nothing was turned away"
    hosts = {one.host for one in everyone}
    await story.see(*(kept(one, f"No mail from {one}'s {quiet}", partial(_is_quiet, hosts=hosts)) for one in everyone))
    for one in everyone:
        sent = {other: await other.reads(partial(_sent, to=one)) for other in story.stage.others(one)}
        story.happens(f"{one} got {', '.join(f'{len(uris)} letters from {other}' for other, uris in sent.items())}")
        uris = set().union(*sent.values())
        sentence = f"{one}'s studio has a receipt for each of {len(uris)}, and knows by whose key it was signed"
        await story.see(kept(one, sentence, partial(_has_proven, uris=uris)))


async def forge(story: Story) -> None:
    """Somebody with no key at all writes in Bo's name."""
    ada, bo, _, _ = story.stage.everyone
    uri = f"{bo.here.home}/notes/{token_hex(8)}"
    note = {"id": uri, "type": "Note", "attributedTo": bo.me, "content": "Send money", "to": [ada.me]}
    letter = {"id": f"{uri}/activity", "type": "Create", "actor": bo.me, "to": [ada.me], "object": note}
    story.happens("Somebody without a key sends Ada's studio a letter in Bo's name")
    status = await asyncio.to_thread(_post, ada, letter)

    async def is_refused() -> bool:
        return status == 401

    await story.see(
        Fact(ada, "Ada's studio turns it away, because nobody signed it", is_refused),
        kept(ada, "Nothing of the forgery is kept", never_heard(uri)),
    )


def _post(to: Studio, letter: Mapping[str, object]) -> int:
    connection = HTTPConnection(to.host, timeout=10)
    try:
        connection.request("POST", "/inbox", json.dumps(letter), {"Content-Type": "application/activity+json"})
        return connection.getresponse().status
    finally:
        connection.close()


def _is_quiet(db: Session, hosts: Collection[str]) -> bool:
    """Whether all that was for those who are there has arrived; what is for Ivo will wait in vain."""
    open_ = (Delivery.state != "done", Delivery.lane.in_(hosts))
    return db.scalar(select(func.count()).select_from(Delivery).where(*open_)) == 0


def _sent(db: Session, to: Studio) -> set[str]:
    """The activities that were delivered to a studio."""
    arrived = (Delivery.state == "done", Delivery.lane == to.host)
    return set(db.scalars(select(Activity.uri).join(Delivery, Delivery.activity == Activity.id).where(*arrived)))


def _has_proven(db: Session, uris: set[str]) -> bool:
    """Whether all of them came in requests whose signatures were good, and nothing else came."""
    came = dict(db.execute(select(Receipt.uri, Receipt.proven)).tuples().all())
    return bool(uris) and all(came.get(one) for one in uris) and all(came.values())
