"""Who holds for whom: both sides say so, and either ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activitypub import mailbox
from coop import blocks, buddies, departures, rotation
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.mailboxes import Buddy
from coop.notifications import Notification
from federation.tables import Key
from tests.coop.mail import agrees, falls_asleep, held, leaves, named, profile, puts, sealed, state, village
from tests.coop.neighbours import does, lives_at, made_up, says, sends
from tests.coop.test_rotation import rotates
from tests.fediverse import Fediverse, Studio


async def strangers(fediverse: Fediverse) -> tuple[Studio, Studio]:
    sam, bo = await fediverse.studio("sam"), await fediverse.studio("bo")
    await sam.meets(bo)
    return sam, bo


async def told(studio: Studio) -> list[str]:
    return [row.kind for row in await studio.knows(Notification) if "buddy" in row.kind]


async def test_a_buddy_is_named_once_both_have_said_so(fediverse: Fediverse) -> None:
    sam, bo = await strangers(fediverse)

    await does(sam, buddies.ask, bo.uri)
    assert (await state(sam), await state(bo), await named(sam)) == (["asked"], ["asked"], ())
    assert not (await profile(sam)).has("keyAgreement")
    await does(bo, buddies.accept, sam.uri)

    assert (await state(sam), await state(bo)) == (["agreed"], ["agreed"])
    assert await named(sam, by=bo) == (bo.uri,)
    assert (await profile(sam, by=bo)).embeddeds("keyAgreement")[0].text("publicKeyMultibase").startswith("z6LS")
    assert (await told(bo), await told(sam)) == (["buddy request"], ["buddy accepted"])


async def test_who_is_asked_may_decline(fediverse: Fediverse) -> None:
    sam, bo = await strangers(fediverse)
    await does(sam, buddies.ask, bo.uri)

    await does(bo, buddies.decline, sam.uri)

    assert (await state(sam), await state(bo), await named(sam)) == ([], [], ())
    assert await told(sam) == ["buddy declined"]


@pytest.mark.parametrize("owner_ends", [True, False])
async def test_either_ends_it_and_what_was_held_is_gone(fediverse: Fediverse, owner_ends: bool) -> None:
    ada, bo, sam = await village(fediverse)
    await falls_asleep(sam)
    await says(ada, "Hello?")
    await leaves(ada)
    assert await held(bo) == ["ada"]
    fediverse.asleep.clear()

    await (does(sam, buddies.drop, bo.uri) if owner_ends else does(bo, buddies.drop, sam.uri))

    assert (await state(sam), await state(bo), await held(bo)) == ([], [], [])
    assert (await named(sam), await named(sam, by=bo)) == ((), ())
    assert (await told(bo if owner_ends else sam))[-1] == "buddy left"


async def test_an_answer_by_another_has_no_effect(fediverse: Fediverse) -> None:
    sam, bo = await strangers(fediverse)
    cy = await fediverse.studio("cy")
    await does(sam, buddies.ask, bo.uri)
    [asked] = await sam.knows(Buddy)
    about = {"object": mailbox.write(asked.uri, sam.uri), "to": [sam.uri]}

    await sends(cy, sam, made_up(cy, "Accept", **about))
    assert await state(sam) == ["asked"]
    await sends(cy, sam, made_up(cy, "Reject", **about))
    await sends(cy, bo, made_up(cy, "Undo", **about))

    assert (await state(sam), await state(bo)) == (["asked"], ["asked"])


async def test_a_mailbox_is_asked_for_by_its_owner_alone_of_one_person(fediverse: Fediverse) -> None:
    sam, bo = await strangers(fediverse)
    dan = await lives_at(bo, "dan")
    mine, theirs = mailbox.write(f"{sam.uri}#mailboxes/1", sam.uri), mailbox.write(f"{sam.uri}#mailboxes/1", bo.uri)

    receipts = [
        await sends(sam, bo, made_up(sam, "Offer", object=theirs, to=[bo.uri])),
        await sends(sam, bo, made_up(sam, "Offer", object=mine, to=[bo.uri, dan])),
        await sends(sam, bo, made_up(sam, "Offer", object=mine, to=[f"{bo.home}/actor"])),
        await sends(sam, bo, made_up(sam, "Offer", object=mine)),
    ]

    assert [one.state for one in receipts] == ["refused"] * 4
    assert await state(bo) == []


async def test_an_end_that_comes_before_the_request_counts(fediverse: Fediverse) -> None:
    sam, bo = await strangers(fediverse)
    about = {"object": mailbox.write(f"{sam.uri}#mailboxes/1", sam.uri), "to": [bo.uri]}

    await sends(sam, bo, made_up(sam, "Undo", **about))
    await sends(sam, bo, made_up(sam, "Offer", **about))

    assert await state(bo) == []


async def test_of_one_site_only_so_many_requests_wait(fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch) -> None:
    sam, bo = await strangers(fediverse)
    monkeypatch.setattr(buddies, "MAX_OPEN", 2)
    for name in ("tom", "uma", "vic"):
        who = await lives_at(sam, name)
        await sam.does(lambda tx, who=who: buddies.ask(tx, who, bo.uri).id)  # type: ignore[misc]
    await fediverse.settle()

    assert await state(bo) == ["asked", "asked"]
    fediverse.later(days=61)
    await fediverse.settle()
    assert await state(bo) == []


async def test_what_cannot_be_asked_is_said(fediverse: Fediverse) -> None:
    sam, bo = await strangers(fediverse)
    dan = await lives_at(sam, "dan")

    with pytest.raises(Trouble, match="live on this server"):
        await does(sam, buddies.ask, dan)
    with pytest.raises(NotFound):
        await does(bo, buddies.accept, sam.uri)
    with pytest.raises(NotFound):
        await does(bo, buddies.drop, sam.uri)
    await does(sam, buddies.ask, bo.uri)
    with pytest.raises(Conflict, match="already"):
        await does(sam, buddies.ask, bo.uri)
    for name in ("cy", "dee"):
        other = await fediverse.studio(name)
        await sam.meets(other)
        await does(sam, buddies.ask, other.uri)
    last = await fediverse.studio("eve")
    await sam.meets(last)
    with pytest.raises(Conflict, match="3 buddies"):
        await does(sam, buddies.ask, last.uri)
    await does(sam, blocks.block, bo.uri)
    with pytest.raises(NotAllowed):
        await does(sam, buddies.ask, bo.uri)


async def test_one_account_holds_for_a_few_alone(fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch) -> None:
    sam, bo = await strangers(fediverse)
    monkeypatch.setattr(buddies, "MAX_OWNERS", 0)
    await does(sam, buddies.ask, bo.uri)

    with pytest.raises(Conflict, match="drop one"):
        await does(bo, buddies.accept, sam.uri)


@pytest.mark.parametrize("owner_blocks", [True, False])
async def test_a_block_ends_it(fediverse: Fediverse, owner_blocks: bool) -> None:
    sam, bo = await strangers(fediverse)
    await agrees(sam, bo)

    await (does(sam, blocks.block, bo.uri) if owner_blocks else does(bo, blocks.block, sam.uri))

    assert (await state(sam), await state(bo), await named(sam)) == ([], [], ())


@pytest.mark.parametrize("owner_leaves", [True, False])
async def test_whoever_leaves_holds_nothing_and_is_held_nothing(fediverse: Fediverse, owner_leaves: bool) -> None:
    ada, bo, sam = await village(fediverse)
    assert await puts(await sealed(b"?", ada, sam), ada, bo) == 202

    await does(sam if owner_leaves else bo, departures.leave)

    assert (await state(sam), await state(bo), await held(bo)) == ([], [], [])
    if owner_leaves:
        assert [row.id for row in await sam.knows(Key) if row.use == "keyAgreement"] == []
    else:
        assert await named(sam) == ()


async def test_new_keys_are_listed_and_the_old_one_opens_what_it_sealed(fediverse: Fediverse) -> None:
    ada, _, sam = await village(fediverse)
    first = (await profile(sam)).embeddeds("keyAgreement")
    await falls_asleep(sam)
    await says(ada, "Hello?")
    await leaves(ada)

    await rotates(sam, stolen=True)

    [listed] = (await profile(sam)).embeddeds("keyAgreement")
    assert listed.id not in [one.id for one in first]
    fediverse.later(days=2)
    await sam.does(lambda tx: rotation.switch(tx))
    assert [one.id for one in (await profile(sam)).embeddeds("keyAgreement")] == [listed.id]
    fediverse.asleep.clear()
    fediverse.asleep.add(ada.host)
    await fediverse.settle()
    assert len([row for row in await sam.knows(Key) if row.use == "keyAgreement" and row.private]) == 2
    fediverse.later(seconds=timedelta(days=61).total_seconds())
    await fediverse.settle()
    assert [row.id for row in await sam.knows(Key) if row.use == "keyAgreement"] == [listed.id]
