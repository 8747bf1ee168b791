"""What members of a project promise each other: proposed, signed by both, changed by both, kept, released."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import delete, update

from activitypub import context, proof
from activitypub.commitment import Commitment as Wire
from activitypub.commitment import Fulfilment
from activitypub.document import Document, Json
from coop import commitments, fulfilment, projects, promises
from coop.commitments import Commitment
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Notice
from coop.promises import Draft
from federation.instance import own_proof_key
from federation.tables import Activity, Actor, Delivery, Object, Receipt
from tests.coop.guild import Guild, guild_of, sends
from tests.coop.notices import told
from tests.fediverse import Fediverse, Studio

__all__ = ["told"]  # a fixture

Told = list[tuple[str, Notice]]
PROOFS = "Read the *proofs*."


async def proposes(guild: Guild, giver: Studio, to: Studio, text: str = PROOFS, **more: Any) -> str:
    """`giver` says that they will do something for `to`."""
    draft = Draft(text, **more)
    uri = await giver.does(lambda tx: promises.propose(tx, giver.uri, guild.uri, giver.uri, to.uri, draft).uri)
    await guild.fediverse.settle()
    return uri


async def agree(guild: Guild, giver: Studio, to: Studio, text: str = PROOFS, **more: Any) -> str:
    uri = await proposes(guild, giver, to, text, **more)
    await accepts(to, uri)
    return uri


async def accepts(studio: Studio, uri: str) -> None:
    await studio.does(lambda tx: promises.accept(tx, studio.uri, uri))
    await studio.fediverse.settle()


async def changes(studio: Studio, uri: str, text: str) -> str:
    version = await studio.does(lambda tx: promises.change(tx, studio.uri, uri, Draft(text)).uri)
    await studio.fediverse.settle()
    return version


async def keeps(studio: Studio, uri: str, **how: Any) -> None:
    await studio.does(lambda tx: fulfilment.keep(tx, studio.uri, uri, **how))
    await studio.fediverse.settle()


async def standings(studio: Studio) -> list[str]:
    """How each version stands, by when it was made."""
    rows = await studio.knows(Commitment)
    return [row.standing(studio.instance.now()) for row in sorted(rows, key=lambda row: row.uri.rpartition("/")[2])]


async def refusals(studio: Studio, *kinds: str) -> list[str | None]:
    return [one.error for one in await studio.knows(Receipt) if one.type in kinds and one.state == "refused"]


async def signed(studio: Studio, document: Json, key_id: str | None = None) -> Json:
    """`document` with the proof of the owner of `studio`, whoever it says that it is by."""
    own_id, key = await studio.instance.store.read(lambda db: own_proof_key(db, studio.uri))
    return proof.sign({"@context": context.COMMITMENT, **document}, key_id or own_id, key, studio.instance.now())


def said_by(studio: Studio, guild: Guild, to: Studio, number: int = 1, **more: Any) -> Wire:
    uri = f"{studio.home}/commitments/made-up-{number}"
    text = "<p>Read the proofs.</p>"
    return Wire(uri, studio.uri, guild.uri, studio.uri, to.uri, text, studio.instance.now(), **more)


async def activity(studio: Studio, guild: Guild, kind: str, object: Any, **more: Any) -> Json:
    """An activity in the room, of our own making, with its actor's proof."""
    made = {"id": f"{studio.home}/made-up/{kind}-{len(studio.fediverse.requests)}", "type": kind, "actor": studio.uri}
    place = {"context": guild.uri, "audience": guild.uri, "to": [guild.uri]}
    return await signed(studio, {**made, **place, "object": object, **more})


# --- Making one --------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-265")
async def test_a_promise_counts_once_both_have_signed_it(fediverse: Fediverse, told: Told) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    due = fediverse.now + timedelta(days=7)

    uri = await proposes(guild, bo, guild.ada, due=due, hours=Decimal(3))
    before = [await standings(one) for one in (guild.ada, bo, cy)]
    await accepts(guild.ada, uri)

    assert before == [["proposed"]] * 3
    for studio in (guild.ada, bo, cy):
        [row] = await studio.knows(Commitment)
        assert (row.standing(fediverse.now), row.provider, row.receiver) == ("open", bo.uri, guild.ada.uri)
        assert (row.text, row.due, row.hours) == ("<p>Read the <em>proofs</em>.</p>", due, Decimal(3))
        assert row.accepted is not None
        assert row.accepted["actor"] == guild.ada.uri
        assert proof.hash_of(row.accepted["result"]) == row.hash
    kinds = [(home, one.kind, one.to) for home, one in told if one.kind.startswith("commitment")]
    assert kinds == [
        (guild.ada.home, "commitment", guild.ada.uri),
        (bo.home, "commitment accepted", bo.uri),
    ]


@pytest.mark.proves("P-265", "P-267", "P-080")
async def test_it_goes_to_the_members_alone_that_know_what_it_is(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    cellar = await fediverse.studio("cellar")
    await cellar.follows(guild.ada)
    await fediverse.settle()
    uri = await proposes(guild, bo, guild.ada)
    fediverse.requests.clear()

    await accepts(guild.ada, uri)

    assert {str(one.url) for one in fediverse.requests if one.method == "POST"} == {f"{bo.uri}/inbox"}
    [accept] = [one for one in await guild.ada.knows(Activity) if (one.type, one.object) == ("Accept", uri)]
    said = msgspec.json.decode(accept.body)
    assert (said["audience"], said["context"], said["object"]) == (guild.uri, guild.uri, uri)
    assert (said["to"], "proof" in said, said["capability"].startswith(guild.ada.home)) == (
        [guild.uri, bo.uri],
        True,
        True,
    )
    answers = [await guild.ada.gets(uri), await cellar.gets(uri), await cellar.gets(uri, signed=False)]
    assert [one.status for one in answers] == [200, 404, 404]
    assert proof.hash_of(msgspec.json.decode(answers[0].body)) == (await bo.knows(Commitment))[0].hash


@pytest.mark.proves("P-267")
async def test_a_member_whose_server_does_not_know_what_it_is_gets_none(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    await bo.does(lambda tx: tx.db.execute(update(Actor).where(Actor.uri == cy.uri).values(aware=False)) and None)
    fediverse.requests.clear()

    await proposes(guild, bo, guild.ada)

    assert {str(one.url) for one in fediverse.requests if one.method == "POST"} == {f"{guild.ada.uri}/inbox"}
    with pytest.raises(Trouble, match="agree with them in words"):
        await proposes(guild, bo, cy)


async def test_whoever_it_is_for_may_ask_for_it(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    draft = Draft("Lend me the press.")

    uri = await guild.ada.does(
        lambda tx: promises.propose(tx, guild.ada.uri, guild.uri, bo.uri, guild.ada.uri, draft).uri
    )
    await fediverse.settle()
    await accepts(bo, uri)

    assert await standings(bo) == await standings(guild.ada) == ["open"]


async def test_it_is_no_part_of_the_talk(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    uri = await agree(guild, bo, guild.ada)
    await keeps(bo, uri)

    await guild.post(bo, "By the way.")

    assert await guild.talk(guild.ada) == await guild.talk(bo) == ["<p>By the way.</p>"]


async def test_an_accept_brings_what_it_signs_wherever_that_has_not_come(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    said = await signed(bo, said_by(bo, guild, guild.ada).write())
    await sends(bo, guild.ada, await activity(bo, guild, "Create", said))

    await accepts(guild.ada, said["id"])
    await sends(bo, cy, await activity(bo, guild, "Create", said))

    assert await standings(cy) == ["open"]


async def test_what_is_declined_or_withdrawn_does_not_count(fediverse: Fediverse, told: Told) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    first, second = await proposes(guild, bo, guild.ada), await proposes(guild, bo, guild.ada, "Again?")

    await guild.ada.does(lambda tx: promises.decline(tx, guild.ada.uri, first, "Somebody <has>."))
    await bo.does(lambda tx: promises.withdraw(tx, bo.uri, second))
    await fediverse.settle()

    for studio in (guild.ada, bo):
        assert await standings(studio) == ["declined", "withdrawn"]
        [row] = [one for one in await studio.knows(Commitment) if one.uri == first]
        assert row.reason == "Somebody <has>."
        for uri in (first, second):
            with pytest.raises(Conflict):
                await accepts(studio, uri)
    assert (bo.home, Notice("commitment declined", bo.uri, guild.ada.uri, first)) in told


async def test_a_signature_that_crosses_a_withdrawal_stands_for_all(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    uri = await proposes(guild, bo, guild.ada)

    await bo.does(lambda tx: promises.withdraw(tx, bo.uri, uri))
    await guild.ada.does(lambda tx: promises.accept(tx, guild.ada.uri, uri))
    await fediverse.settle()

    for studio in (guild.ada, bo, cy):
        assert await standings(studio) == ["open"]


@pytest.mark.parametrize("text", [" ", "x" * 2_001, "\u200b\n\n&nbsp;"])
async def test_what_says_nothing_is_no_promise(fediverse: Fediverse, text: str) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")

    with pytest.raises(Trouble):
        await proposes(guild, bo, guild.ada, text)

    assert await bo.knows(Commitment) == []


@pytest.mark.proves("P-314")
@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "a\u202eb\x00c\r\nEND:VCALENDAR"]
)
async def test_hostile_words_are_only_words(fediverse: Fediverse, text: str) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    words = {"content": text.replace("\x00", "")}
    said = said_by(bo, guild, guild.ada, due=fediverse.now + timedelta(days=1)).write()

    await sends(bo, guild.ada, await activity(bo, guild, "Create", await signed(bo, said | words)))

    for row in await guild.ada.knows(Commitment):
        assert "<script" not in row.text
        assert "javascript:" not in row.text.replace("(javascript:", "")


async def test_what_cannot_be_promised_is_said_before_anything_is_sent(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    outsider = await fediverse.studio("outsider")
    ada, uri = guild.ada, await proposes(guild, bo, guild.ada)
    draft, late = Draft(PROOFS), Draft(PROOFS, due=fediverse.now)
    sent = len(await bo.knows(Activity))

    cases: list[tuple[type[Exception], Any]] = [
        (Trouble, lambda tx: promises.propose(tx, bo.uri, guild.uri, bo.uri, ada.uri, late)),
        (Trouble, lambda tx: promises.propose(tx, bo.uri, guild.uri, bo.uri, bo.uri, draft)),
        (Trouble, lambda tx: promises.propose(tx, bo.uri, guild.uri, cy.uri, ada.uri, draft)),
        (NotAllowed, lambda tx: promises.propose(tx, bo.uri, guild.uri, bo.uri, outsider.uri, draft)),
        (NotFound, lambda tx: promises.propose(tx, bo.uri, f"{guild.uri}0", bo.uri, ada.uri, draft)),
        (Conflict, lambda tx: promises.accept(tx, bo.uri, uri)),
        (NotFound, lambda tx: promises.accept(tx, bo.uri, f"{uri}0")),
        (Conflict, lambda tx: promises.change(tx, bo.uri, uri, draft)),
        (Conflict, lambda tx: fulfilment.keep(tx, bo.uri, uri)),
        (Conflict, lambda tx: fulfilment.release(tx, bo.uri, uri)),
    ]
    for error, work in cases:
        with pytest.raises(error):
            await bo.does(work)
    with pytest.raises(NotAllowed):
        await cy.does(lambda tx: promises.accept(tx, cy.uri, uri))
    with pytest.raises(NotAllowed):
        await ada.does(lambda tx: promises.withdraw(tx, ada.uri, uri))

    assert len(await bo.knows(Activity)) == sent


# --- Changing it -------------------------------------------------------------------------------------------------


async def test_a_new_version_counts_once_both_have_signed_it(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    due = fediverse.now + timedelta(days=2)
    root = await agree(guild, bo, guild.ada, due=due)

    fediverse.later(days=1)
    later = Draft(PROOFS, due + timedelta(days=7))
    version = await bo.does(lambda tx: promises.change(tx, bo.uri, root, later).uri)
    await fediverse.settle()
    between = await standings(cy)
    await accepts(guild.ada, root)

    assert between == ["open", "proposed"]
    for studio in (guild.ada, bo, cy):
        assert await standings(studio) == ["replaced", "open"]
        now = await studio.instance.store.read(lambda db: commitments.agreed_at(db, root, bo.uri))
        assert (now.uri, now.root, now.due) == (version, root, later.due)


async def test_until_then_the_one_before_counts_and_stays_if_it_is_declined(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    root = await agree(guild, bo, guild.ada)
    for text in ("Rather not.", "Rather later."):
        await changes(bo, root, text)

    await guild.ada.does(lambda tx: promises.decline(tx, guild.ada.uri, root))
    await fediverse.settle()

    for studio in (guild.ada, bo):
        assert await standings(studio) == ["open", "withdrawn", "declined"]


async def test_of_two_new_versions_that_cross_every_member_finds_the_same_one(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    root = await agree(guild, bo, guild.ada)
    one = await bo.does(lambda tx: promises.change(tx, bo.uri, root, Draft("So.")).uri)
    other = await guild.ada.does(lambda tx: promises.change(tx, guild.ada.uri, root, Draft("Or so.")).uri)
    await fediverse.settle()

    await guild.ada.does(lambda tx: promises.accept(tx, guild.ada.uri, one))
    await bo.does(lambda tx: promises.accept(tx, bo.uri, other))
    await fediverse.settle()

    counting = set()
    for studio in (guild.ada, bo, cy):
        rows = await studio.knows(Commitment)
        assert sorted(row.state for row in rows) == ["agreed", "replaced", "replaced"]
        counting |= {row.hash for row in rows if row.state == "agreed"}
        assert counting == {max(row.hash for row in rows if row.previous)}


async def test_a_new_version_waits_for_the_one_that_it_replaces(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    first = await signed(bo, said_by(bo, guild, guild.ada).write())
    second = await signed(bo, said_by(bo, guild, guild.ada, 2, previous=proof.hash_of(first)).write())

    await sends(bo, guild.ada, await activity(bo, guild, "Create", second))
    before = await standings(guild.ada)
    await sends(bo, guild.ada, await activity(bo, guild, "Create", first))
    fediverse.later(minutes=2)
    await fediverse.settle()

    assert before == []
    assert await standings(guild.ada) == ["proposed", "proposed"]


async def test_a_new_version_is_between_the_same_two(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    root = await agree(guild, bo, guild.ada)
    [row] = await bo.knows(Commitment)
    said = replace(said_by(cy, guild, guild.ada), previous=row.hash)

    await sends(cy, guild.ada, await activity(cy, guild, "Create", await signed(cy, said.write())))

    assert [one.uri for one in await guild.ada.knows(Commitment)] == [root]
    assert await refusals(guild.ada, "Create") == ["a new version of a commitment is between the same two"]


# --- Ending it ---------------------------------------------------------------------------------------------------


async def test_it_is_late_by_its_own_date_and_kept_once_its_receiver_says_so(fediverse: Fediverse, told: Told) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    uri = await agree(guild, bo, guild.ada, due=fediverse.now + timedelta(days=1))
    seen = [await standings(cy)]

    fediverse.later(days=2)
    seen.append(await standings(cy))
    await keeps(bo, uri, text="It is in the post.")
    seen.append(await standings(cy))
    await keeps(guild.ada, uri)

    assert [*seen, await standings(cy)] == [["open"], ["late"], ["done"], ["kept"]]
    assert await standings(bo) == await standings(guild.ada) == ["kept"]
    kinds = [(one.kind, one.to) for _, one in told if one.kind.startswith("commitment")]
    assert kinds[2:] == [("commitment done", guild.ada.uri), ("commitment kept", bo.uri)]
    [row] = await cy.knows(Commitment)
    assert (row.claim or {})["attributedTo"] == bo.uri
    assert (row.thanks or {})["attributedTo"] == guild.ada.uri


async def test_its_receiver_alone_releases(fediverse: Fediverse, told: Told) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    uri = await agree(guild, bo, guild.ada)

    with pytest.raises(NotAllowed):
        await bo.does(lambda tx: fulfilment.release(tx, bo.uri, uri))
    await guild.ada.does(lambda tx: fulfilment.release(tx, guild.ada.uri, uri))
    await fediverse.settle()

    for studio in (guild.ada, bo, cy):
        assert await standings(studio) == ["released"]
    assert (bo.home, Notice("commitment released", bo.uri, guild.ada.uri, uri)) in told
    with pytest.raises(Conflict):
        await keeps(guild.ada, uri)
    with pytest.raises(Conflict):
        await guild.ada.does(lambda tx: fulfilment.release(tx, guild.ada.uri, uri))


async def test_what_is_over_is_not_changed_any_more(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    uri = await agree(guild, bo, guild.ada)
    await changes(bo, uri, "More.")

    await keeps(guild.ada, uri)

    with pytest.raises(Conflict):
        await guild.ada.does(lambda tx: promises.accept(tx, guild.ada.uri, uri))
    with pytest.raises(Conflict):
        await bo.does(lambda tx: promises.change(tx, bo.uri, uri, Draft("More.")))
    for studio in (guild.ada, bo, cy):
        assert await standings(studio) == ["kept", "replaced"]


async def test_what_is_kept_stays_so_whatever_was_signed_meanwhile(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    root = await agree(guild, bo, guild.ada)
    version = await changes(guild.ada, root, "Read them twice.")

    await guild.ada.does(lambda tx: fulfilment.keep(tx, guild.ada.uri, root))
    await bo.does(lambda tx: promises.accept(tx, bo.uri, version))
    await fediverse.settle()

    for studio in (guild.ada, bo, cy):
        assert await standings(studio) == ["kept", "replaced"]


async def test_that_it_was_kept_is_proven(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    uri = await agree(guild, bo, guild.ada)
    said = Fulfilment(f"{guild.ada.home}/e", guild.ada.uri, guild.uri, bo.uri, guild.ada.uri, uri).write()
    sound = await signed(guild.ada, said)

    for document in ({**sound, "discoverable": True}, said):
        await sends(guild.ada, bo, await activity(guild.ada, guild, "Create", document))

    assert await standings(bo) == ["open"]
    assert len(await refusals(bo, "Create")) == 2
    await sends(guild.ada, bo, await activity(guild.ada, guild, "Create", sound))
    assert await standings(bo) == ["kept"]


async def test_a_kept_one_is_on_a_profile_if_both_want_it(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    uri = await agree(guild, bo, guild.ada, 'Set "<b>Otters</b>" in lead.')
    page = f"{bo.home}/@bo"

    async def is_shown() -> bool:
        return "in lead" in await _page(guild, page)

    seen = [await is_shown()]
    for studio, shown in ((bo, True), (guild.ada, True), (guild.ada, False), (guild.ada, True), (bo, False)):
        await keeps(studio, uri, shown=shown)
        seen.append(await is_shown())

    assert seen == [False, False, True, False, True, False]


async def _page(guild: Guild, url: str) -> str:
    answer = await guild.fediverse.carry(httpx.Request("GET", url, headers={"accept": "text/html"}))
    await answer.aread()
    assert answer.status_code == 200
    assert "<b>Otters" not in answer.text
    return answer.text


@pytest.mark.proves("P-265")
@pytest.mark.parametrize("seed", range(4))
async def test_in_whatever_order_it_comes_every_member_finds_the_same(fediverse: Fediverse, seed: int) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    fediverse.asleep.add(cy.host)
    root = await agree(guild, bo, guild.ada, due=fediverse.now + timedelta(days=1))
    await accepts(guild.ada, await changes(bo, root, "Read them twice."))
    await accepts(bo, await changes(guild.ada, root, "Read them thrice."))
    await keeps(bo, root)
    await keeps(guild.ada, root, shown=True)
    said = [(one, row.body) for one in (bo, guild.ada) for row in await one.knows(Activity) if _is_of_a_commitment(row)]
    await cy.does(lambda tx: tx.db.execute(delete(Receipt)) and None)

    random.Random(seed).shuffle(said)
    fediverse.asleep.clear()
    for studio in (guild.ada, bo):
        await studio.does(lambda tx: tx.db.execute(delete(Delivery)) and None)
    for sender, body in said:
        await sends(sender, cy, msgspec.json.decode(body))
    for _ in range(4):
        fediverse.later(minutes=5)
        await fediverse.settle()

    assert len(said) == 8
    assert await standings(guild.ada) == await standings(bo) == ["replaced", "replaced", "kept"]
    assert sorted(await standings(cy)) == ["kept", "replaced", "replaced"]
    [mine, theirs] = [{row.hash: row.state for row in await one.knows(Commitment)} for one in (cy, bo)]
    assert mine == theirs


def _is_of_a_commitment(row: Activity) -> bool:
    said = Document.parse(row.body)
    inner = said.embedded("object") or said.embedded("result")
    return inner is not None and inner.has("provider")


# --- Others ------------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-265", "P-321")
@pytest.mark.parametrize("forgery", ["another's name", "another's key", "changed", "unsigned", "a stranger's"])
async def test_nobody_promises_in_anothers_name(fediverse: Fediverse, forgery: str) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    outsider = await fediverse.studio("outsider")
    said, by = said_by(bo, guild, guild.ada).write(), bo
    if forgery == "another's name":
        document, by = await signed(cy, said), cy
    elif forgery == "another's key":
        document = await signed(cy, said, f"{bo.uri}#ed25519-key")
    elif forgery == "changed":
        document = await signed(bo, said) | {"content": "<p>Read all the proofs.</p>"}
    elif forgery == "unsigned":
        document = said
    else:
        by = outsider
        document = await signed(outsider, said_by(outsider, guild, guild.ada).write())

    await sends(by, guild.ada, await activity(by, guild, "Create", document))

    assert await guild.ada.knows(Commitment) == []
    assert len(await refusals(guild.ada, "Create")) == 1


@pytest.mark.proves("P-257")
async def test_what_rests_on_a_role_that_is_not_known_yet_waits(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    outsider = await fediverse.studio("outsider")
    document = await signed(outsider, said_by(outsider, guild, bo).write())
    right = {"capability": f"{guild.ada.home}/activities/soon"}

    await sends(outsider, bo, create := await activity(outsider, guild, "Create", document, **right))

    [receipt] = [one for one in await bo.knows(Receipt) if one.uri == create["id"]]
    assert (receipt.state, "not here yet" in (receipt.error or "")) == ("waiting", True)
    assert await bo.knows(Commitment) == []


@pytest.mark.proves("P-265")
@pytest.mark.parametrize("who", ["a third member", "its author", "an outsider"])
async def test_nobody_else_signs_for_the_other(fediverse: Fediverse, who: str) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    outsider = await fediverse.studio("outsider")
    uri = await proposes(guild, bo, guild.ada)
    document = (await bo.knows(Object))[-1].document
    assert document["id"] == uri
    by = {"a third member": cy, "its author": bo, "an outsider": outsider}[who]

    accept = await activity(by, guild, "Accept", uri, result=document)
    await sends(by, cy if by is bo else bo, accept)
    await sends(by, guild.ada, {**accept, "id": f"{accept['id']}-again"})

    for studio in (guild.ada, bo, cy):
        assert await standings(studio) == ["proposed"]


@pytest.mark.proves("P-319")
async def test_nobody_else_declines_or_takes_back(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    uri = await proposes(guild, bo, guild.ada)

    for by in (cy, bo):
        await sends(by, guild.ada, await activity(by, guild, "Reject", uri))
    for by in (cy, guild.ada):
        await sends(by, bo, await activity(by, guild, "Delete", uri))

    assert await standings(guild.ada) == await standings(bo) == ["proposed"]
    assert [len(await refusals(one, "Reject", "Delete")) for one in (guild.ada, bo)] == [2, 2]


async def test_a_signature_is_under_the_very_words(fediverse: Fediverse) -> None:
    """Who signs other words under the same address, be they the author's own, signs nothing that others have."""
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    uri = await proposes(guild, bo, guild.ada)
    other = await signed(bo, replace(said_by(bo, guild, guild.ada), id=uri, text="<p>All of it.</p>").write())
    bare = {"id": uri, "type": "Commitment"}

    for number, result in enumerate((other, {**other, "content": "<p>More.</p>"}, bare, uri)):
        accept = await activity(guild.ada, guild, "Accept", uri, result=result)
        await sends(guild.ada, cy, {**accept, "id": f"{guild.ada.home}/made-up/{number}"})
        await sends(guild.ada, bo, await activity(guild.ada, guild, "Accept", uri, result=result))

    for studio in (bo, cy):
        assert await standings(studio) == ["proposed"]
        assert len(await refusals(studio, "Accept")) == 4


async def test_an_accept_without_a_proof_of_its_own_is_no_signature(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    uri = await proposes(guild, bo, guild.ada)
    accept = await activity(guild.ada, guild, "Accept", uri, result=(await bo.knows(Object))[-1].document)

    await sends(guild.ada, bo, {name: value for name, value in accept.items() if name != "proof"})

    assert await standings(bo) == ["proposed"]


async def test_a_second_signature_and_a_late_no_change_nothing(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    uri = await agree(guild, bo, guild.ada)
    [first] = [row.accepted for row in await bo.knows(Commitment)]

    again = await activity(guild.ada, guild, "Accept", uri, result=(first or {})["result"])
    await sends(guild.ada, bo, again)
    await sends(guild.ada, bo, await activity(guild.ada, guild, "Reject", uri))
    await sends(bo, guild.ada, await activity(bo, guild, "Delete", uri))

    assert await standings(bo) == await standings(guild.ada) == ["open"]
    assert [row.accepted for row in await bo.knows(Commitment)] == [first]
    with pytest.raises(Conflict):
        await guild.ada.does(lambda tx: promises.accept(tx, guild.ada.uri, uri))


async def test_whoever_declined_does_not_sign_afterwards(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    uri = await proposes(guild, bo, guild.ada)
    document = (await bo.knows(Object))[-1].document
    await guild.ada.does(lambda tx: promises.decline(tx, guild.ada.uri, uri))
    await fediverse.settle()

    await sends(guild.ada, bo, await activity(guild.ada, guild, "Accept", uri, result=document))

    assert await standings(bo) == ["declined"]


@pytest.mark.proves("P-265")
async def test_whoever_is_removed_meanwhile_neither_signs_nor_is_signed_for(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    theirs = await proposes(guild, bo, guild.ada)
    document = (await guild.ada.knows(Object))[-1].document
    ours = await proposes(guild, guild.ada, bo)
    assert document["id"] == theirs
    fediverse.asleep.add(bo.host)
    await guild.ada.does(lambda tx: projects.remove(tx, guild.ada.uri, guild.uri, bo.uri))
    await fediverse.settle()

    with pytest.raises(NotAllowed):
        await guild.ada.does(lambda tx: promises.accept(tx, guild.ada.uri, theirs))
    await bo.does(lambda tx: promises.accept(tx, bo.uri, ours))
    fediverse.asleep.clear()
    fediverse.later(hours=2)
    await fediverse.settle()
    await sends(guild.ada, cy, await activity(guild.ada, guild, "Accept", theirs, result=document))

    for studio in (guild.ada, cy):
        assert await standings(studio) == ["proposed", "proposed"]


async def test_who_is_removed_keeps_what_they_were_promised_and_says_no_more(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    uri = await agree(guild, bo, guild.ada)
    await guild.ada.does(lambda tx: projects.remove(tx, guild.ada.uri, guild.uri, bo.uri))
    await fediverse.settle()

    with pytest.raises(NotAllowed):
        await bo.does(lambda tx: fulfilment.keep(tx, bo.uri, uri))

    rows = await bo.instance.store.read(lambda db: db.scalars(commitments.mine(bo.uri)).all())
    assert [row.uri for row in rows] == [uri]


@pytest.mark.parametrize("who", ["a third member", "an outsider"])
async def test_nobody_else_says_that_it_was_kept_or_released(fediverse: Fediverse, who: str) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    by = cy if who == "a third member" else await fediverse.studio("outsider")
    uri = await agree(guild, bo, guild.ada)
    parties = {"provider": bo.uri, "receiver": guild.ada.uri}
    place = {"context": guild.uri, "audience": guild.uri, "attributedTo": by.uri}
    event = {"id": f"{by.home}/e", "type": "EconomicEvent", "fulfills": uri, **parties, **place}
    claimed = {**event, "id": f"{by.home}/f", "provider": by.uri}
    closed = {"id": uri, "type": "Commitment", "finished": True, **parties}

    for document in (event, claimed):
        await sends(by, bo, await activity(by, guild, "Create", await signed(by, document)))
    await sends(by, bo, await activity(by, guild, "Update", closed))

    assert await standings(bo) == ["open"]
    assert len(await refusals(bo, "Create", "Update")) == 3


async def test_what_was_said_before_comes_too_late(fediverse: Fediverse) -> None:
    """Whoever passes an old consent on brings nothing back."""
    guild, [bo] = await guild_of(fediverse, "bo")
    uri = await agree(guild, bo, guild.ada)
    await keeps(guild.ada, uri, shown=True)
    [row] = await bo.knows(Commitment)
    old = row.thanks
    await keeps(guild.ada, uri, shown=False)

    await sends(guild.ada, bo, await activity(guild.ada, guild, "Create", old))

    [row] = await bo.knows(Commitment)
    assert (row.kept is not None, row.receiver_shows) == (True, False)


@pytest.mark.proves("P-327")
async def test_nobody_fills_a_project_with_what_nobody_answers(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")

    for number in range(promises.MAX_WAITING + 2):
        said = await signed(bo, said_by(bo, guild, guild.ada, number).write())
        await bo.sends(f"{guild.ada.uri}/inbox", await activity(bo, guild, "Create", said))
    await fediverse.settle()

    assert await standings(guild.ada) == ["proposed"] * promises.MAX_WAITING
    assert len(await refusals(guild.ada, "Create")) == 2


# --- Lists -------------------------------------------------------------------------------------------------------


async def test_everybody_sees_their_own_over_all_projects(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    later = await agree(guild, bo, guild.ada, due=fediverse.now + timedelta(days=9))
    sooner = await agree(guild, bo, cy, due=fediverse.now + timedelta(days=2))
    undated, mine = await proposes(guild, bo, guild.ada), await agree(guild, cy, bo)
    over = await agree(guild, bo, guild.ada)
    await keeps(guild.ada, over)

    def read(db: Any) -> list[list[str]]:
        queries = (
            commitments.mine(bo.uri),
            commitments.to_me(bo.uri),
            commitments.of(bo.uri, f"{guild.uri}0"),
            fulfilment.ended(bo.uri),
        )
        return [[row.uri for row in db.scalars(query)] for query in queries]

    assert await bo.instance.store.read(read) == [[sooner, later, undated], [mine], [], [over]]
