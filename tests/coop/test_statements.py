"""What follows from a log is derived once, and never of any other log than the one that is there."""

from __future__ import annotations

import pytest

from activitypub.document import Document
from activitypub.statement import Statement
from coop import membership, projects, statements
from coop.history import History
from coop.membership import Room, derive
from coop.statements import MAX_ROOMS
from federation.store import Transaction
from tests.coop.guild import Guild, found, guild_of
from tests.coop.logbook import ADA, MAL, Log, catalogue
from tests.fediverse import Fediverse, Studio


async def room(guild: Guild, studio: Studio) -> Room:
    return await studio.instance.store.read(lambda db: statements.room_of(db, statements.at(db, guild.uri)))


def room_in(tx: Transaction, uri: str) -> Room:
    return statements.room_of(tx.db, statements.at(tx.db, uri))


@pytest.mark.proves("P-253")
async def test_the_same_log_is_thought_through_once_wherever_it_is(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")

    first, again = await room(guild, guild.ada), await room(guild, guild.ada)

    assert again is first
    assert await room(guild, bo) == first


@pytest.mark.proves("P-253")
async def test_whatever_is_said_counts_at_once_also_before_it_is_stored(fediverse: Fediverse) -> None:
    guild, _ = await guild_of(fediverse, "bo")
    ada, before = guild.ada, await room(guild, guild.ada)

    def rename_twice(tx: Transaction) -> list[Room]:
        rooms = []
        for name in ("Atlas", "Almanac"):
            projects.edit(tx, ada.uri, guild.uri, name, "")
            rooms.append(room_in(tx, guild.uri))
        return rooms

    rooms = await ada.does(rename_twice)

    assert [one.group.text("name") for one in [before, *rooms] if one.group] == ["Catalogue", "Atlas", "Almanac"]
    assert rooms[1].heads != rooms[0].heads != before.heads
    assert await room(guild, ada) == rooms[1]


@pytest.mark.proves("P-253")
async def test_what_was_said_in_vain_counts_for_nothing_afterwards(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada, before, seen = guild.ada, await room(guild, guild.ada), list[Room]()

    def fail(tx: Transaction) -> None:
        projects.remove(tx, ada.uri, guild.uri, bo.uri)
        seen.append(room_in(tx, guild.uri))
        raise ValueError("on second thoughts")

    with pytest.raises(ValueError, match="second thoughts"):
        await ada.does(fail)

    assert bo.uri not in seen[-1].members
    assert await room(guild, ada) == before
    await ada.does(lambda tx: projects.edit(tx, ada.uri, guild.uri, "Atlas", ""))
    assert bo.uri in (await room(guild, ada)).members


@pytest.mark.proves("P-327")
async def test_no_more_is_remembered_than_there_is_room_for(
    fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "MAX_STATEMENTS", 5)
    guild = await found(fediverse)
    for number in range(4):
        await guild.ada.does(lambda tx, name=f"No {number}": projects.edit(tx, guild.ada.uri, guild.uri, name, ""))  # type: ignore[misc]

    said = await guild.ada.instance.store.read(lambda db: statements.said_in(db, statements.at(db, guild.uri)))
    for number in range(MAX_ROOMS + 2):
        statements.derived({}, f"z{number}")

    assert len(statements._rooms) <= MAX_ROOMS
    assert len(statements._read) <= 5
    assert sum(len(one.statements) for one in statements._histories.values()) <= 5
    assert sum(len(one.said) for one in statements._said.values()) <= 5
    assert len(said) == 5


async def test_a_long_log_is_read_in_pieces(fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch) -> None:
    guild, _ = await guild_of(fediverse, "bo", "cy")
    before = await guild.ada.instance.store.read(lambda db: statements.said_in(db, statements.at(db, guild.uri)))
    monkeypatch.setattr(statements, "AT_ONCE", 2)
    for memory in ("_read", "_said"):
        monkeypatch.setattr(statements, memory, {})

    again = await guild.ada.instance.store.read(lambda db: statements.said_in(db, statements.at(db, guild.uri)))

    assert list(again.items()) == list(before.items())
    assert len(again) == 5


def lent(log: Log, *more: Statement) -> History:
    said = {one.hash: one for one in [*log.said, *more]}
    with statements.lent_history(said, log.said[0].hash) as history:
        return history


@pytest.fixture
def histories(monkeypatch: pytest.MonkeyPatch) -> dict[str, History]:
    monkeypatch.setattr(statements, "_histories", {})
    return statements._histories


@pytest.mark.proves("P-253", "P-333")
def test_what_is_refused_lets_nothing_be_derived_anew(histories: dict[str, History]) -> None:
    log = catalogue()
    history, last = lent(log), log.said[-1]
    refused = Log().say(MAL, "remove", [last], subject=ADA)
    sound = Log().say(ADA, "update", [last], group=Document({}))

    again = lent(log, refused, sound)
    log.said.append(sound)
    log.say(ADA, "invite", subject=MAL, role="lead")

    assert again is lent(log) is history
    assert (history.stands(sound.hash), history.stands(refused.hash)) == (True, False)
    known = {one.hash: one for one in log.said}
    assert membership.room(history, known, log.said[0].hash) == derive(log.said, log.said[0].hash)


@pytest.mark.proves("P-327", "P-333")
def test_what_is_refused_takes_no_more_room_than_the_log(histories: dict[str, History]) -> None:
    log = catalogue()

    for number in range(100):
        lent(log, Log().say(MAL, "remove", log.heads(), subject=ADA, text=str(number)))

    assert len(lent(log).statements) <= 2 * len(log.said) + 1


@pytest.mark.proves("P-327")
def test_of_more_histories_than_there_is_room_for_the_latest_are_kept(
    histories: dict[str, History], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = [catalogue() for _ in range(3)]
    monkeypatch.setattr(membership, "MAX_STATEMENTS", 2 * len(logs[0].said))
    for salt, log in enumerate(logs):
        log.said = [log.say(ADA, "create", [], subject=ADA, role="lead", text=str(salt))]
        for _ in range(4):
            log.say(ADA, "update", group=Document({}))

    first, second, _ = (lent(log) for log in logs)

    assert [*histories] == [log.said[0].hash for log in logs[1:]]
    assert lent(logs[1]) is second
    assert lent(logs[0]) is not first
