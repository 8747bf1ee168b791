"""Working through what was acknowledged: in order, without holding up others, and never lost to a bug."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from activitypub.document import Json
from activitypub.origin import Activity
from federation import known, receipts, registry
from federation.store import Transaction, Unavailable
from federation.tables import Actor, Lane, Object, Receipt
from federation.upkeep import Upkeep
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio


class Stumbler:
    """What handles ``Stumble``: it raises whatever `trouble` is, `over` one actor or all; it notes what it heard."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.over: str | None = None
        self.heard: list[str] = []
        self.logs: list[Any] = []

    def __call__(self, tx: Transaction, activity: Activity) -> None:
        known.actor(tx.db, activity.actor).name = f"somebody who stumbled over {activity.id}"
        tx.db.flush()
        if self.trouble and self.over in (None, activity.actor):
            raise self.trouble
        if activity.text("summary") == "needs":
            known.thing(tx, activity.require("object"))
        # A transaction that met a conflict has been undone, and runs again.
        self.heard = [*(one for one in self.heard if one != activity.id), activity.id]


@pytest.fixture
def stumble(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stumbler]:
    stumbler = Stumbler()
    monkeypatch.setitem(registry._handlers, ("Stumble", None), stumbler)
    with capture_logs() as stumbler.logs:
        yield stumbler


@pytest.fixture
async def attic(fediverse: Fediverse) -> Studio:
    return await fediverse.studio("attic")


@pytest.fixture
def social(fediverse: Fediverse) -> Stranger:
    return Stranger(fediverse)


def stumbling(social: Stranger, actor: str, number: int, needs: str | None = None) -> Json:
    about: Json = {"object": needs, "summary": "needs"} if needs else {"object": actor}
    return {"id": f"{actor}/stumble/{number}", "type": "Stumble", "actor": actor, **about}


async def states(attic: Studio) -> list[str]:
    return [one.state for one in sorted(await attic.knows(Receipt), key=lambda one: one.id)]


async def test_a_handler_that_raises_is_tried_again_and_then_kept_for_the_operator(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler
) -> None:
    cleo = social.actor("cleo")
    stumble.trouble = RuntimeError("the cat is on the keyboard")
    await social.sends(attic, stumbling(social, cleo, 1))

    waits: list[timedelta] = []
    for _ in range(receipts.ATTEMPTS):
        await fediverse.settle()
        [receipt] = await attic.knows(Receipt)
        waits.append(receipt.due - fediverse.now)
        fediverse.now = receipt.due
    await fediverse.settle()

    [receipt] = await attic.knows(Receipt)
    assert (receipt.state, receipt.attempts) == ("failed", receipts.ATTEMPTS)
    assert [one["event"] for one in stumble.logs] == ["receipt.failed"] * receipts.ATTEMPTS
    assert receipt.error == "RuntimeError: the cat is on the keyboard"
    assert receipt.body
    assert waits == sorted(set(waits))
    assert timedelta(seconds=10) < waits[0] < timedelta(minutes=1)
    assert [one.name for one in await attic.knows(Actor) if one.uri == cleo] == [""]


async def test_a_failed_receipt_can_be_replayed(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler
) -> None:
    cleo = social.actor("cleo")
    stumble.trouble = RuntimeError("the cat is on the keyboard")
    for number in (1, 2):
        await social.sends(attic, stumbling(social, cleo, number))
    for _ in range(receipts.ATTEMPTS):
        await fediverse.settle()
        fediverse.later(days=1)
    stumble.trouble = None
    [first, _] = await attic.knows(Receipt)

    one = await attic.does(lambda tx: receipts.replay(tx, first.id))
    await fediverse.settle()
    after_one = await states(attic)
    rest = await attic.does(lambda tx: receipts.replay(tx))
    await fediverse.settle()

    assert (one, rest) == (1, 1)
    assert after_one == ["done", "failed"]
    assert await states(attic) == ["done", "done"]
    assert stumble.heard == [f"{cleo}/stumble/1", f"{cleo}/stumble/2"]
    assert await attic.does(lambda tx: receipts.replay(tx)) == 0


@pytest.mark.proves("P-327")
async def test_one_site_leaves_the_operator_no_more_than_can_be_looked_at(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler
) -> None:
    stumble.trouble = RuntimeError("the cat is on the keyboard")
    cleo, other = social.actor("cleo"), Stranger(fediverse, "elsewhere.example")
    for number in range(receipts.MAX_FAILED + 2):
        await social.sends(attic, stumbling(social, cleo, number))
    await other.sends(attic, stumbling(other, other.actor("otto"), 1))

    for _ in range(receipts.ATTEMPTS):
        await fediverse.settle()
        fediverse.later(days=1)

    assert sorted(await states(attic)) == ["failed"] * (receipts.MAX_FAILED + 1) + ["refused"] * 2
    assert [one.body for one in await attic.knows(Receipt) if one.state == "refused"] == [b""] * 2


async def test_a_failing_receipt_holds_up_nobody(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler
) -> None:
    cleo, bella = social.actor("cleo"), social.actor("bella")
    stumble.trouble = RuntimeError("the cat is on the keyboard")
    await social.sends(attic, stumbling(social, cleo, 1))
    await fediverse.settle()
    stumble.trouble = None

    await social.sends(attic, stumbling(social, bella, 1))
    await social.sends(attic, stumbling(social, cleo, 2))
    await fediverse.settle()

    assert stumble.heard == [f"{bella}/stumble/1", f"{cleo}/stumble/2"]
    assert await states(attic) == ["waiting", "done", "done"]


@pytest.mark.proves("P-312")
@pytest.mark.parametrize(
    ("body", "becomes"),
    [(b"{", "waiting"), (b'{"object":"https://social.example/\\u0000"}', "refused")],
    ids=["no JSON", "U+0000"],
)
async def test_a_receipt_that_cannot_be_read_holds_up_nobody(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler, body: bytes, becomes: str
) -> None:
    cleo, bella = social.actor("cleo"), social.actor("bella")
    row = {"uri": f"{cleo}/1", "type": "Like", "actor": cleo, "proven": True, "body": body}
    await attic.does(lambda tx: tx.add_new(Receipt, **row, received=tx.now, due=tx.now))
    await social.sends(attic, stumbling(social, bella, 1))

    await fediverse.settle()

    assert stumble.heard == [f"{bella}/stumble/1"]
    assert await states(attic) == [becomes, "done"]


async def test_what_asks_too_much_of_the_database_holds_up_nobody(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler
) -> None:
    cleo, bella = social.actor("cleo"), social.actor("bella")
    stumble.trouble, stumble.over = OperationalError("", None, Exception("no index holds that")), cleo
    for actor in (cleo, bella):
        await social.sends(attic, stumbling(social, actor, 1))

    with pytest.raises(Unavailable, match="no index holds that"):
        await attic.receipts.work()
    await fediverse.settle()

    assert stumble.heard == [f"{bella}/stumble/1"]
    assert await states(attic) == ["waiting", "done"]


async def test_what_is_refused_says_why_and_stays_so(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler
) -> None:
    cleo = social.actor("cleo")
    inner: Json = {"id": f"{cleo}/1", "type": "Note"}
    for _ in range(5):
        inner = {"id": f"{cleo}/1", "type": "Note", "object": inner}
    await social.sends(attic, {**stumbling(social, cleo, 1), "object": inner})

    await fediverse.settle()

    [receipt] = await attic.knows(Receipt)
    assert (receipt.state, receipt.body) == ("refused", b"")
    assert receipt.error == "an object is nested more than 3 deep"
    assert stumble.heard == []


async def test_what_comes_too_early_waits_for_what_it_rests_on(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler
) -> None:
    cleo = social.actor("cleo")
    stumble.trouble = known.TooEarly("the invitation is not here yet")
    await social.sends(attic, stumbling(social, cleo, 1))
    await fediverse.settle()
    [waiting] = await attic.knows(Receipt)
    stumble.trouble = None

    fediverse.later(minutes=1)
    await fediverse.settle()

    assert (waiting.state, waiting.error) == ("waiting", "the invitation is not here yet")
    assert await states(attic) == ["done"]


@pytest.mark.proves("P-327")
async def test_what_rests_on_something_that_never_comes_is_let_go(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler
) -> None:
    cleo = social.actor("cleo")
    stumble.trouble = known.TooEarly("the invitation is not here yet")
    await social.sends(attic, stumbling(social, cleo, 1))

    for _ in range(receipts.ATTEMPTS):
        await fediverse.settle()
        fediverse.later(hours=19)

    [receipt] = await attic.knows(Receipt)
    assert (receipt.state, receipt.error, receipt.body) == ("refused", "the invitation is not here yet", b"")


async def test_the_order_of_an_actor_is_kept_while_something_is_fetched(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleo, bella = social.actor("cleo"), social.actor("bella")
    social.note("needed", cleo)
    await social.sends(attic, stumbling(social, cleo, 1, needs=f"{social.home}/needed"))
    more = range(2, receipts.BATCH + 2)
    for number in more:
        await social.sends(attic, stumbling(social, cleo, number))
    await social.sends(attic, stumbling(social, bella, 1))

    gate, carry = asyncio.Event(), fediverse.carry

    async def slowly(request: httpx.Request) -> httpx.Response:
        await gate.wait()
        return await carry(request)

    monkeypatch.setattr(fediverse, "carry", slowly)
    for _ in range(3):
        await attic.receipts.work()
    first = list(stumble.heard)
    gate.set()
    await attic.receipts.finish()
    await fediverse.settle()

    assert first == [f"{bella}/stumble/1"]
    assert stumble.heard == [*first, *(f"{cleo}/stumble/{number}" for number in (1, *more))]


@pytest.mark.proves("P-327")
async def test_a_domain_that_hangs_holds_up_only_its_own(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = [Stranger(fediverse, f"{name}.slow.example", key=3) for name in ("a", "b", "c", "d", "e")]
    gate, open_ = asyncio.Event(), set[str]()
    for number in range(receipts.PLACES_OF_A_SITE + receipts.BATCH):
        slow = farm[number % len(farm)]
        name = slow.actor(f"a{number}")
        await slow.sends(attic, stumbling(slow, name, 1, needs=f"{slow.home}/needed/{number}"))
    cleo = social.actor("cleo")
    social.note("needed", cleo)
    await social.sends(attic, stumbling(social, cleo, 1, needs=f"{social.home}/needed"))
    carry = fediverse.carry

    async def hang(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/needed/"):
            open_.add(request.url.path)
            await gate.wait()
        return await carry(request)

    monkeypatch.setattr(fediverse, "carry", hang)
    for _ in range(20):
        await attic.receipts.work()
        await asyncio.sleep(0.01)
    heard, waiting = list(stumble.heard), len(open_)
    gate.set()
    await attic.receipts.finish()

    assert heard == [f"{cleo}/stumble/1"]
    assert waiting == receipts.PLACES_OF_A_SITE


async def test_what_had_no_place_is_next_in_its_order(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler
) -> None:
    crowd = [social.actor(f"a{number}") for number in range(receipts.PLACES_OF_A_SITE + 1)]
    for number, actor in enumerate(crowd):
        social.note(f"needed{number}", actor)
        await social.sends(attic, stumbling(social, actor, 1, needs=f"{social.home}/needed{number}"))
        await social.sends(attic, stumbling(social, actor, 2))

    await fediverse.settle()
    fediverse.later(seconds=6)
    await fediverse.settle()

    assert len(stumble.heard) == 2 * len(crowd)
    assert stumble.heard[-2:] == [f"{crowd[-1]}/stumble/1", f"{crowd[-1]}/stumble/2"]
    assert set(await states(attic)) == {"done"}


async def test_what_had_no_place_is_not_overtaken_by_what_its_actor_does_next(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = [social.actor(f"a{number}") for number in range(receipts.PLACES_OF_A_SITE)]
    for number, actor in enumerate(crowd):
        await social.sends(attic, stumbling(social, actor, 1, needs=f"{social.home}/slow/{number}"))
    last, carry, gate = social.actor("last"), fediverse.carry, asyncio.Event()
    social.note("needed", last)
    await social.sends(attic, stumbling(social, last, 1, needs=f"{social.home}/needed"))

    async def hang(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/slow/"):
            await gate.wait()
        return await carry(request)

    monkeypatch.setattr(fediverse, "carry", hang)
    await attic.receipts.work()
    fediverse.later(seconds=1)
    await social.sends(attic, stumbling(social, last, 2))
    await attic.receipts.work()
    early = list(stumble.heard)
    gate.set()
    await attic.receipts.finish()
    fediverse.later(seconds=10)
    await fediverse.settle()

    assert early == []
    assert stumble.heard == [f"{last}/stumble/1", f"{last}/stumble/2"]


async def test_whoever_is_slower_does_not_undo_what_another_process_has_done(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleo, carry, gate, asked = social.actor("cleo"), fediverse.carry, asyncio.Event(), asyncio.Event()
    social.note("needed", cleo)
    await social.sends(attic, stumbling(social, cleo, 1, needs=f"{social.home}/needed"))

    async def hang(request: httpx.Request) -> httpx.Response:
        if asked.is_set():
            return await carry(request)
        asked.set()
        await gate.wait()
        return httpx.Response(404)

    monkeypatch.setattr(fediverse, "carry", hang)
    await attic.receipts.work()
    await asked.wait()
    another = receipts.Receipts(attic.instance)
    await another.work()
    await another.finish()
    gate.set()
    await attic.receipts.finish()

    [receipt] = await attic.knows(Receipt)
    assert (receipt.state, receipt.error, receipt.attempts) == ("done", None, 0)


@pytest.mark.proves("P-109", "P-311")
@pytest.mark.parametrize("shape", ["a chain", "itself", "a circle"])
async def test_documents_that_lead_to_documents_end_somewhere(
    fediverse: Fediverse, attic: Studio, social: Stranger, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    length = {"a chain": 10_000, "itself": 1, "a circle": 2}[shape]

    def keep(tx: Transaction, document: Any) -> None:
        known.thing(tx, document.require("next"))

    monkeypatch.setitem(registry._keepers, "Link", keep)
    cleo = social.actor("cleo")

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith("/chain/"):
            return social.answer(request)
        number = int(request.url.path.rpartition("/")[2])
        uri, following = f"{social.home}/chain/{number}", f"{social.home}/chain/{(number + 1) % length}"
        json = {"id": uri, "type": "Link", "attributedTo": cleo, "next": following, "to": attic.uri}
        return httpx.Response(200, headers={"content-type": "application/activity+json"}, json=json)

    fediverse.strangers[social.host] = answer
    await social.sends(attic, social.activity("Create", cleo, f"{social.home}/chain/0"))

    await fediverse.settle()

    [receipt] = await attic.knows(Receipt)
    assert receipt.state == "refused"
    assert "too much refers to too much else" in (receipt.error or "")
    assert len([path for path in social.asked if path.startswith("/chain/")]) == min(length, 20)


@pytest.mark.proves("P-109")
async def test_completing_a_receipt_ends_after_half_a_minute(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler
) -> None:
    cleo = social.actor("cleo")
    await social.sends(attic, stumbling(social, cleo, 1, needs=f"{social.home}/needed"))
    social.note("needed", social.actor("bella"))
    whole = social.answer

    def slowly(request: httpx.Request) -> httpx.Response:
        fediverse.later(seconds=31)
        return whole(request)

    fediverse.strangers[social.host] = slowly
    before = len(social.asked)
    await attic.receipts.work()
    await attic.receipts.finish()

    [receipt] = await attic.knows(Receipt)
    assert receipt.state == "refused"
    assert social.asked[before:] == ["/needed"]


@pytest.mark.proves("P-311")
async def test_a_conversation_of_ten_thousand_replies_is_not_walked(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    cleo = social.actor("cleo")
    for number in range(10_000):
        social.note(f"reply/{number}", cleo, inReplyTo=f"{social.home}/reply/{number + 1}", to=[attic.uri])
    last = social.documents["/reply/0"]

    await social.sends(attic, social.activity("Create", cleo, last, to=[attic.uri]))
    await fediverse.settle()

    assert await states(attic) == ["done"]
    assert len(await attic.knows(Object)) <= 21
    assert len(social.asked) <= 21


@pytest.mark.proves("P-311")
async def test_a_post_may_answer_itself(fediverse: Fediverse, attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    note = social.note("itself", cleo, inReplyTo=f"{social.home}/itself", to=[attic.uri])
    note["context"] = note["replies"] = note["object"] = note["id"]

    await social.sends(attic, social.activity("Create", cleo, note, to=[attic.uri]))
    await fediverse.settle()

    assert await states(attic) == ["done"]
    assert [one.uri for one in await attic.knows(Object)] == [note["id"]]


@pytest.mark.proves("P-327", "P-103")
async def test_receipts_are_forgotten_when_no_repeat_is_to_be_feared(
    fediverse: Fediverse, attic: Studio, social: Stranger, stumble: Stumbler
) -> None:
    cleo = social.actor("cleo")
    await social.sends(attic, stumbling(social, cleo, 1))
    stumble.trouble = RuntimeError("the cat is on the keyboard")
    await social.sends(attic, stumbling(social, cleo, 2))
    for _ in range(receipts.ATTEMPTS):
        await fediverse.settle()
        fediverse.later(days=1)

    fediverse.later(days=81)
    await Upkeep(attic.instance).work()
    kept = len(await attic.knows(Receipt))
    fediverse.later(days=2)
    await Upkeep(attic.instance).work()

    assert kept == 2
    assert await attic.knows(Receipt) == []


@pytest.mark.parametrize("by", ["cleo", "mallory"])
async def test_only_whoever_is_heard_from_is_awake(
    fediverse: Fediverse, attic: Studio, social: Stranger, by: str
) -> None:
    cleo, evil = social.actor("cleo"), Stranger(fediverse, "evil.example", key=3)
    row = {"host": social.host, "failures": 9, "due": fediverse.now + timedelta(days=1), "parked": fediverse.now}
    await attic.does(lambda tx: tx.add_new(Lane, **row))
    sent = social.activity("View", cleo, cleo)

    if by == "cleo":
        await social.sends(attic, sent)
    else:
        await evil.sends(attic, sent, by=evil.actor("mallory"))
    await attic.receipts.work()
    await attic.receipts.finish()

    [lane] = await attic.knows(Lane)
    assert (lane.parked is None) == (by == "cleo")
