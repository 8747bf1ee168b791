"""Followers go along with an actor that moves, if both of its addresses say so, and not on and on (P-125, P-026)."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.document import Document
from coop import blocks, follows, moving
from coop.errors import Conflict, Trouble
from coop.events import Notice
from coop.follows import Follow
from coop.moving import COOL_DOWN, SETTLED
from federation import discovery, known
from tests.coop.notices import told
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio

__all__ = ["told"]  # a fixture

Told = list[tuple[str, Notice]]
OLD, NEW = "https://social.example/ada", "https://verne.example/ada"


async def followed(fediverse: Fediverse) -> tuple[Studio, Stranger, Stranger]:
    """Bo follows Ada on Mastodon, who is about to move to another server, and both of those say so."""
    bo, social, verne = await fediverse.studio("bo"), Stranger(fediverse), Stranger(fediverse, "verne.example", key=8)
    social.actor("ada", movedTo=NEW)
    verne.actor("ada", alsoKnownAs=[OLD])
    await discovery.fetch(bo.instance, OLD)
    await bo.does(lambda tx: follows.follow(tx, bo.uri, OLD).uri)
    await fediverse.settle()
    [asked] = [one for one in social.received if one["type"] == "Follow"]
    await social.sends(f"{bo.uri}/inbox", social.activity("Accept", OLD, asked))
    await fediverse.settle()
    fediverse.later(hours=1)
    return bo, social, verne


def says(server: Stranger, by: str, old: str = OLD, new: str = NEW, **more: Any) -> dict[str, Any]:
    return server.activity("Move", by, old, target=new, to=[f"{old}/followers"], **more)


async def hears(bo: Studio, server: Stranger, move: dict[str, Any], **how: Any) -> None:
    answer = await server.sends(f"{bo.uri}/inbox", move, **how)
    assert answer.status_code == 202
    await bo.fediverse.settle()


async def following(bo: Studio) -> list[str]:
    return [row.followed for row in await bo.knows(Follow)]


@pytest.mark.proves("P-125")
@pytest.mark.parametrize("who", ["the old one", "the new one"])
async def test_whoever_of_the_two_says_it_followers_go_along(fediverse: Fediverse, told: Told, who: str) -> None:
    bo, social, verne = await followed(fediverse)
    server, by = (social, OLD) if who == "the old one" else (verne, NEW)

    await hears(bo, server, says(server, by))

    assert await following(bo) == [NEW]
    assert [one["object"]["object"] for one in social.received if one["type"] == "Undo"] == [OLD]
    assert [one["object"] for one in verne.received if one["type"] == "Follow"] == [NEW]
    assert (bo.home, Notice("move", bo.uri, OLD, NEW)) in told


@pytest.mark.proves("P-125", "P-302")
@pytest.mark.parametrize("lie", ["no alias", "other alias", "not moved", "moved elsewhere", "a third party"])
@pytest.mark.parametrize("who", ["the old one", "the new one"])
async def test_nobody_is_led_to_where_only_one_of_them_says_so(fediverse: Fediverse, lie: str, who: str) -> None:
    bo, social, verne = await followed(fediverse)
    server, by = (social, OLD) if who == "the old one" else (verne, NEW)
    if lie == "no alias":
        verne.actor("ada")
    elif lie == "other alias":
        verne.actor("ada", alsoKnownAs=[f"{OLD}2"])
    elif lie == "not moved":
        social.actor("ada")
    elif lie == "moved elsewhere":
        social.actor("ada", movedTo=f"{NEW}2")
    else:
        by = server.actor("mallory")

    await hears(bo, server, says(server, by))

    assert await following(bo) == [OLD]


@pytest.mark.proves("P-125")
@pytest.mark.parametrize(("who", "goes"), [("the old one", True), ("the new one", False)])
async def test_if_the_old_server_cannot_be_asked_its_own_word_is_enough_and_no_other(
    fediverse: Fediverse, who: str, goes: bool
) -> None:
    bo, social, verne = await followed(fediverse)
    social.actor("ada")  # as it was when it was last asked
    server, by = (social, OLD) if who == "the old one" else (verne, NEW)
    await discovery.fetch(bo.instance, OLD)
    fediverse.later(hours=1)

    answer = await server.sends(f"{bo.uri}/inbox", says(server, by))
    fediverse.asleep.add(social.host)
    await fediverse.settle()
    fediverse.later(hours=1)
    await fediverse.settle()

    assert (answer.status_code, await following(bo)) == (202, [NEW] if goes else [OLD])


@pytest.mark.proves("P-125")
async def test_who_moved_lately_is_not_followed_on(fediverse: Fediverse) -> None:
    bo, social, _ = await followed(fediverse)
    other = Stranger(fediverse, "nemo.example", key=9)
    there = other.actor("ada", alsoKnownAs=[OLD, NEW])
    await hears(bo, social, says(social, OLD))
    await bo.does(lambda tx: follows.follow(tx, bo.uri, OLD).uri)
    await bo.does(lambda tx: accept(tx, bo.uri, OLD))
    social.actor("ada", movedTo=there)

    for days in (1, COOL_DOWN.days):
        fediverse.later(days=days)
        await hears(bo, social, says(social, OLD, new=there))
        assert (there in await following(bo)) == (days > 1)


@pytest.mark.proves("P-125")
async def test_whom_one_has_blocked_nobody_is_led_to(fediverse: Fediverse) -> None:
    bo, social, _ = await followed(fediverse)
    await discovery.fetch(bo.instance, NEW)
    await bo.does(lambda tx: blocks.block(tx, bo.uri, NEW))

    await hears(bo, social, says(social, OLD))

    assert await following(bo) == [OLD]


@pytest.mark.proves("P-026", "P-125", "P-028")
async def test_one_of_us_moves_with_everybody_who_follows(fediverse: Fediverse) -> None:
    ada, verne, bo = [await fediverse.studio(name) for name in ("ada", "verne", "bo")]
    await bo.follows(ada)
    await verne.meets(ada)
    await ada.meets(verne)
    await fediverse.settle()
    with pytest.raises(Trouble):
        await ada.does(lambda tx: moving.move(tx, ada.uri, verne.uri))
    with pytest.raises(Trouble):
        await ada.does(lambda tx: moving.move(tx, ada.uri, ada.uri))

    await verne.does(lambda tx: moving.welcome(tx, verne.uri, ada.uri))
    await discovery.fetch(ada.instance, verne.uri)
    await ada.does(lambda tx: moving.move(tx, ada.uri, verne.uri))
    await fediverse.settle()

    assert [(row.followed, row.state) for row in await bo.knows(Follow)] == [(verne.uri, "accepted")]
    assert [row.follower for row in await verne.knows(Follow)] == [bo.uri]
    assert Document((await ada_now(ada)).document).uri("movedTo") == verne.uri
    fediverse.later(days=SETTLED.days - 1)
    with pytest.raises(Conflict):
        await ada.does(lambda tx: moving.move(tx, ada.uri, verne.uri))


@pytest.mark.proves("P-026")
async def test_nobody_has_endless_former_names(fediverse: Fediverse) -> None:
    bo, social = await fediverse.studio("bo"), Stranger(fediverse)
    names = [social.actor(f"ada{number}") for number in range(moving.MAX_NAMES + 1)]
    for one in names:
        await discovery.fetch(bo.instance, one)
    for one in [*names[:-1], names[0]]:
        await bo.does(lambda tx, one=one: moving.welcome(tx, bo.uri, one))  # type: ignore[misc]

    with pytest.raises(Trouble):
        await bo.does(lambda tx: moving.welcome(tx, bo.uri, names[-1]))

    assert Document((await ada_now(bo)).document).uris("alsoKnownAs") == tuple(names[:-1])


async def ada_now(studio: Studio) -> Any:
    return await studio.instance.store.read(lambda db: known.actor(db, studio.uri))


def accept(tx: Any, follower: str, of: str) -> None:
    row = follows.find(tx.db, follower, of)
    assert row is not None
    row.state = "accepted"
