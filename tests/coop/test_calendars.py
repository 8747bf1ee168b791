"""What is due when, for calendar programs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy.orm import Session

from activitypub import html
from coop import calendars, departures
from coop.calendars import CalendarAddress
from coop.commitments import Commitment
from tests.coop.guild import guild_of
from tests.coop.test_commitments import agree, keeps, proposes
from tests.fediverse import Fediverse, Studio


async def calendar_of(studio: Studio) -> icalendar.Calendar:
    def read(db: Session) -> bytes:
        return calendars.written(db, studio.uri, studio.instance.now())

    body = await studio.instance.store.read(read)
    found = icalendar.Calendar.from_ical(body)
    assert isinstance(found, icalendar.Calendar)
    return found


async def fetches(fediverse: Fediverse, url: str) -> httpx.Response:
    answer = await fediverse.carry(httpx.Request("GET", url))
    await answer.aread()
    return answer


async def test_what_is_agreed_and_has_a_date_is_in_the_calendar_of_both(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    due = fediverse.now + timedelta(days=7)
    uri = await agree(guild, bo, guild.ada, "Read the *proofs*, all; at once.", due=due)
    await agree(guild, bo, guild.ada, "Whenever.")
    await proposes(guild, bo, guild.ada, "Perhaps.", due=due)
    over = await agree(guild, bo, guild.ada, "Done.", due=due)
    await keeps(guild.ada, over)

    for studio, summary in ((bo, "Read the proofs, all; at once. (for Ada)"), (guild.ada, "… (by Bo)")):
        [event] = (await calendar_of(studio)).walk("VEVENT")
        assert (event["UID"], event.decoded("DTSTART"), event["URL"]) == (uri, due, guild.uri)
        assert str(event["SUMMARY"]) == summary.replace("…", "Read the proofs, all; at once.")
    assert (await calendar_of(cy)).walk("VEVENT") == []


async def test_it_is_served_at_an_address_that_is_a_secret(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    await agree(guild, bo, guild.ada, due=fediverse.now + timedelta(days=7))
    first = await bo.does(lambda tx: calendars.new_address(tx, bo.uri))

    answer = await fetches(fediverse, first)
    second = await bo.does(lambda tx: calendars.new_address(tx, bo.uri))

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("private, no-store", "no-referrer")
    assert len(icalendar.Calendar.from_ical(answer.content).walk("VEVENT")) == 1
    assert [(await fetches(fediverse, one)).status_code for one in (first, second)] == [404, 200]
    none = await fetches(fediverse, f"{bo.home}/calendars/x.ics")
    assert (none.status_code, none.content) == (404, (await fetches(fediverse, first)).content)
    [row] = await bo.knows(CalendarAddress)
    assert row.token_hash not in second
    assert second.rpartition("/")[2].removesuffix(".ics") not in row.token_hash


async def test_whoever_leaves_has_no_calendar_any_more(fediverse: Fediverse) -> None:
    bo = await fediverse.studio("bo")
    address = await bo.does(lambda tx: calendars.new_address(tx, bo.uri))
    before = (await fetches(fediverse, address)).status_code

    await bo.does(lambda tx: departures.leave(tx, bo.uri))

    assert (before, (await fetches(fediverse, address)).status_code) == (200, 404)


HOSTILE = some.text(max_size=60) | some.sampled_from(
    [
        "x\r\nEND:VEVENT\r\nBEGIN:VEVENT",
        "a\nATTACH:file:///etc/passwd",
        '\\n;,:"',
        "\x0b\x0c\x1c\x85\u2028\u2029",
        "é" * 90,
    ]
)


@pytest.mark.proves("P-314")
@given(HOSTILE, HOSTILE)
def test_whatever_the_words_they_stay_in_their_line(text: str, name: str) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    row = Commitment(
        id=1,
        uri="https://bo.example/1",
        hash="z",
        root="https://bo.example/1",
        previous=None,
        project="https://ada.example/p",
        author="b",
        provider="b",
        receiver="a",
        text=html.clean(text),
        due=now,
        hours=None,
        agreement=None,
        made=now,
        state="agreed",
    )

    event = calendars.event_of(row, f"for {name}", name, now)
    body = event.to_ical()

    read = icalendar.Calendar.from_ical(b"BEGIN:VCALENDAR\r\n" + body + b"END:VCALENDAR\r\n")
    [found] = read.walk("VEVENT")
    assert found.keys() == {"UID", "DTSTAMP", "DTSTART", "SUMMARY", "DESCRIPTION", "URL", "TRANSP"}
    assert len([line for line in body.split(b"\r\n") if line.startswith((b"BEGIN:", b"END:"))]) == 2
    assert str(found["SUMMARY"]) == str(event["SUMMARY"])
