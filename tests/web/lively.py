"""Houses where much is going on: two studios and a stranger, with something of everything that pages show."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from activitypub.proposal import Price
from coop import (
    accounts,
    agreements,
    blocks,
    commitments,
    correspondence,
    endorsement_requests,
    endorsements,
    fulfilment,
    imports,
    invitations,
    offers,
    pins,
    posts,
    profiles,
    projects,
    promises,
    reactions,
    responses,
)
from coop.offers import Draft as Offered
from coop.posts import Draft
from coop.profiles import Changes
from tests.databases import Files
from tests.federation.stranger import PUBLIC, Stranger
from tests.fediverse import Fediverse, Studio, key_pair
from tests.web.inhabitants import Inhabitant, at_home
from tests.web.test_letters import letter
from tests.web.uploads import attaches, picture, uploads

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
TEXT = f"# Sheets\n\nNine, `inked` by *hand*. {LONG}\n\n> Paper is patient.\n\n- one\n- two\n\n#maps https://a.example/{LONG}"
WORK = "https://attic-letters.example/atlas"


@dataclass
class Lively:
    """The attic, where Ada lives, with all that `has` names: addresses, by what is there. In the barn is nothing."""

    fediverse: Fediverse
    attic: Studio
    shop: Studio
    barn: Studio
    has: dict[str, str] = field(default_factory=dict)
    ada: Inhabitant = field(init=False)
    nobody: Inhabitant = field(init=False)  # who has just moved into the barn


async def lively(folder: Path) -> Lively:
    """Close its fediverse when done."""
    fediverse = Fediverse(Files(folder))
    attic, shop, barn = [await fediverse.studio(name) for name in ("attic", "shop", "barn")]
    for one, other in ((attic, shop), (shop, attic)):
        await one.follows(other)
        await fediverse.settle()
    found = Lively(fediverse, attic, shop, barn)
    found.has |= {"me": attic.uri, "friend": shop.uri, "handle": "attic"}
    found.has["circle"] = correspondence.circle([shop.uri])
    for happens in (_introduces, _talks, _offers, _vouches, _shares, _strangers):
        await happens(found, folder)
        await fediverse.settle()
        fediverse.later(hours=5)
    found.ada, found.nobody = await at_home(attic), await at_home(barn)
    return found


async def _introduces(one: Lively, folder: Path) -> None:
    attic, shop = one.attic, one.shop
    said = Changes(
        name="Ada in the attic",
        bio=f"# Hello\n\nBooks, maps and catalogues, set with care. {LONG}",
        availability="Free from March",
        skills=("Typesetting", "Cartography", LONG[:60]),
        links=("https://attic-letters.example/", f"https://codeberg.example/{LONG}"),
    )
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, said))
    face, header, red = [await uploads(attic, folder / "media", picture(), "red.png") for _ in range(3)]
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, Changes(avatar=face, header=header)))
    await shop.does(lambda tx: profiles.edit(tx, shop.uri, Changes(bio="Nets and *sails*.", availability="In May")))
    one.has["picture"] = await attaches(attic, red, "A lot of paint")
    me = await attic.instance.store.read(lambda db: accounts.numbers(db)[attic.uri])
    await attic.does(lambda tx: imports.take_in(tx, me, "arrived", f"{LONG}.zip"))
    seen = ({"post": 1204, "picture": 87}, {"boost": 310, "direct message": 12}, 3)
    await attic.does(lambda tx: imports.note(tx, me, state="looked", counted=seen))


async def _talks(one: Lively, _: Path) -> None:
    attic, shop = one.attic, one.shop
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft(TEXT)).uri)
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("By the page", warning="Money")))
    for number in range(25):
        await shop.does(lambda tx, number=number: posts.publish(tx, shop.uri, Draft(f"Net number {number} is *dry*.")))  # type: ignore[misc]
    await one.fediverse.settle()
    answer = await shop.does(lambda tx: posts.publish(tx, shop.uri, Draft("Nine!", reply_to=post)).uri)
    await one.fediverse.settle()
    for number in range(16):
        deep = Draft(f"Or {number + 10}.", reply_to=answer)
        answer = await attic.does(lambda tx, draft=deep: posts.publish(tx, attic.uri, draft).uri)  # type: ignore[misc]
    book = Draft("\n\n".join(f"Page {number}: {LONG}" for number in range(60)))
    one.has["book"] = await shop.does(lambda tx: posts.publish(tx, shop.uri, book).uri)
    psst = Draft(f"@{attic.address} between us", "direct")
    message = await shop.does(lambda tx: posts.publish(tx, shop.uri, psst).uri)
    for act in (reactions.like, reactions.boost):
        await shop.does(lambda tx, act=act: act(tx, shop.uri, post))  # type: ignore[misc]
    await attic.does(lambda tx: pins.pin(tx, attic.uri, post))
    one.has |= {"post": post, "answer": answer, "message": message}


def _draft(purpose: Any, title: str, days: int = 30) -> Offered:
    price = Price("EUR", Decimal(2400), Decimal(3600), "day")
    from datetime import UTC, datetime

    until = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=days)
    return Offered(purpose, title, TEXT, price, ("Typesetting", LONG[:60]), True, "Bremen", None, until)


async def _offers(one: Lively, _: Path) -> None:
    attic, shop = one.attic, one.shop
    mine = await attic.does(lambda tx: offers.open(tx, attic.uri, _draft("request", f"Typesetter {LONG[:60]}")).uri)
    taken = await attic.does(lambda tx: offers.open(tx, attic.uri, _draft("offer", "Maps, taken")).uri)
    for number in range(26):
        draft = _draft("offer" if number % 2 else "request", f"Sail number {number}")
        theirs = await shop.does(lambda tx, draft=draft: offers.open(tx, shop.uri, draft).uri)  # type: ignore[misc]
    await one.fediverse.settle()
    for offer in (mine, taken):
        uri = await shop.does(lambda tx, offer=offer: responses.respond(tx, shop.uri, offer, "From *Monday*.").uri)  # type: ignore[misc]
    asked = await attic.does(lambda tx: responses.respond(tx, attic.uri, theirs, "Me!").uri)
    await one.fediverse.settle()
    await attic.does(lambda tx: agreements.accept(tx, attic.uri, uri))
    await shop.does(lambda tx: responses.decline(tx, shop.uri, asked, "Another *time*."))
    await attic.does(lambda tx: offers.fill(tx, attic.uri, taken))
    await one.fediverse.settle()
    [agreed] = await attic.knows(agreements.Agreement)
    one.has |= {"offer": mine, "taken": taken, "theirs": theirs, "response": uri, "agreement": agreed.uri}


async def _vouches(one: Lively, _: Path) -> None:
    attic, shop = one.attic, one.shop

    async def gives(by: Studio, of: Studio, skill: str) -> str:
        about = [skill, LONG]
        return await by.does(lambda tx: endorsements.give(tx, by.uri, of.uri, about, f"Good *work*. {LONG}").uri)

    kept, revoked, pending = [await gives(shop, attic, name) for name in ("Typesetting", "Cartography", "Patience")]
    given = await gives(attic, shop, "Sails")
    await one.fediverse.settle()
    for uri in (kept, revoked):
        await attic.does(lambda tx, uri=uri: endorsements.accept(tx, attic.uri, uri))  # type: ignore[misc]
    await shop.does(lambda tx: endorsements.revoke(tx, shop.uri, revoked))
    asked = await shop.does(lambda tx: endorsement_requests.ask(tx, shop.uri, attic.uri, ["Nets"], "Please?").uri)
    await one.fediverse.settle()
    seals = {row.uri: row.hash for row in await attic.knows(endorsements.Endorsement)}
    one.has |= {"seal": seals[kept], "broken": seals[revoked], "pending": pending, "given": given, "asked": asked}


async def _shares(one: Lively, _: Path) -> None:
    attic, shop = one.attic, one.shop
    uri = await attic.does(
        lambda tx: projects.create(tx, attic.uri, "The harbour atlas", TEXT, key_pair(7), public=True).uri
    )
    come = await attic.does(lambda tx: invitations.invite(tx, attic.uri, uri, shop.uri, "member", "Do *join*.").id)
    await one.fediverse.settle()
    await shop.does(lambda tx: invitations.accept(tx, shop.uri, come))
    await one.fediverse.settle()
    said = Draft("In the *room*", "project", project=uri)
    room = await attic.does(lambda tx: posts.publish(tx, attic.uri, said).uri)
    await one.fediverse.settle()
    for number in range(8):
        more = Draft(f"Answer {number}", "project", reply_to=room, project=uri)
        await shop.does(lambda tx, draft=more: posts.publish(tx, shop.uri, draft))  # type: ignore[misc]
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("For all", project=uri)))
    made = [promises.Draft(f"Sheet {number}, by *noon*.", one.fediverse.now + timedelta(days=9)) for number in range(3)]
    promised = [
        await shop.does(lambda tx, draft=draft: promises.propose(tx, shop.uri, uri, shop.uri, attic.uri, draft).uri)  # type: ignore[misc]
        for draft in made
    ]
    await one.fediverse.settle()
    for promise in promised[:2]:
        await attic.does(lambda tx, promise=promise: promises.accept(tx, attic.uri, promise))  # type: ignore[misc]
    await one.fediverse.settle()
    await shop.does(lambda tx: fulfilment.keep(tx, shop.uri, promised[0], shown=True))
    await one.fediverse.settle()
    await attic.does(lambda tx: fulfilment.keep(tx, attic.uri, promised[0], shown=True))
    await _invited(one)
    assert await attic.knows(commitments.Commitment)
    one.has |= {"project": uri, "room": room, "promise": promised[1], "proposed": promised[2]}


async def _invited(one: Lively) -> None:
    """Ada, to a project of Bo's; and somebody elsewhere, by a letter."""
    shop, attic = one.shop, one.attic
    uri = await shop.does(lambda tx: projects.create(tx, shop.uri, "Lanterns", "Of *paper*", key_pair(8)).uri)
    text = f"Will you? {LONG}"
    come = await shop.does(lambda tx: invitations.invite(tx, shop.uri, uri, attic.uri, "member", text).id)
    address, invitation = await letter(attic, one.barn)
    [token] = re.findall(r"/invitations/([\w-]+)", address)
    one.has |= {"letter": token, "invited": uri, "invitation": invitation, "invitation_to_me": come}


async def _strangers(one: Lively, _: Path) -> None:
    """Whoever has other software: asks to follow, asks something, answers, reports."""
    attic, far = one.attic, Stranger(one.fediverse)
    cleo, dan, mal = (far.actor(name, summary="<p>From <b>far</b> away.</p>") for name in _NAMES)
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, Changes(approves_followers=True)))
    await far.sends(attic, far.activity("Follow", cleo, attic.uri))
    options = [{"type": "Note", "name": name, "replies": {"totalItems": 3}} for name in ("Ink", "Lead")]
    far.documents["/a.png"] = httpx.Response(200, content=picture())
    alt = [{"type": "Image", "url": f"{far.home}/a.png", "name": "A net", "mediaType": "image/png"}]
    more = {"to": [PUBLIC], "inReplyTo": one.has["post"], "summary": "Ink", "attachment": alt, "oneOf": options}
    for author in (cleo, dan):
        note = far.note(f"{author.rpartition('/')[2]}-asks", author, **more, type="Question", votersCount=6)
        await far.sends(attic, far.activity("Create", author, note))
    complaint = far.activity("Flag", dan, [attic.uri, one.has["post"]], content="<p>Too much <b>ink</b>.</p>")
    await far.sends(attic, complaint)
    await far.sends(attic, far.activity("Follow", mal, attic.uri))
    await one.fediverse.settle()
    await attic.does(lambda tx: blocks.block(tx, attic.uri, mal))
    await attic.does(lambda tx: blocks.block_domain(tx, "spam.example", "Nothing but spam"))
    one.has |= {"stranger": cleo, "blocked": mal}


_NAMES = ("cleo", "dan", "mal")
