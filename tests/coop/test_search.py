"""Words found again, by those who may read them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sqlalchemy import text
from sqlalchemy.orm import Session

from activitypub.document import Document
from coop import blocks, departures, endorsements, offers, posts, projects, search
from coop.events import Edited
from coop.search import Search
from federation.store import Transaction
from tests.coop.guild import guild_of
from tests.coop.neighbours import does, lives_at, made_up, neighbours, note_by, says, sends
from tests.fediverse import Fediverse, Studio


async def finds(studio: Studio, words: str, reader: str | None = None, **how: Any) -> list[str]:
    wanted = Search(words, how.pop("kind", None), how.pop("author", None))
    found = await studio.instance.store.read(lambda db: search.find(db, reader, wanted, **{"limit": 20, **how}))
    return [one.uri for one in found]


async def indexed(studio: Studio) -> int:
    return await studio.instance.store.read(lambda db: db.execute(text("SELECT count(*) FROM search")).scalar_one())


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("ladder", True),
        ("LADDER borrow", True),
        ("borr", True),
        ("ladder borr", True),
        ("borr ladder", False),
        ("ladders borrows", True),
        ("ladder piano", False),
        ("adder", False),
        ("  !? ", False),
        ("", False),
        ("strong", False),
    ],
)
async def test_a_post_is_found_by_its_words_and_their_beginnings(
    fediverse: Fediverse, words: str, is_found: bool
) -> None:
    attic, shop = await neighbours(fediverse)

    row = await says(attic, "Who lets me **borrow** a ladder?")

    assert await finds(attic, words) == await finds(shop, words) == ([row.uri] if is_found else [])


async def test_words_are_found_whatever_their_case_accents_and_number(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    row = await says(attic, "Ladders & Brücken, CAFE\u0301S in der Straße; 本を読む")

    for words in ("ladder", "ladders", "BRUCKEN brücken", "café", "strasse", "本を読む"):
        assert await finds(attic, words) == [row.uri], words


async def test_beginnings_count_only_where_nothing_has_the_words_whole(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    long = await says(attic, "A stepladder and a ladderback chair")
    first = await finds(attic, "ladder")
    whole = await says(attic, "A ladder")
    later = [await finds(attic, "ladder"), await finds(attic, "ladder", before=whole.id)]

    await says(attic, "Our ropewalk")
    secret = await says(attic, "A rope for @shop@shop.example", visibility="direct")

    assert first == [long.uri]
    assert later == [[whole.uri], []]
    assert await finds(shop, "rope", shop.uri) == [secret.uri]
    assert len(await finds(shop, "rope")) == 1  # who may not read what has the word whole cannot tell that it is there


async def test_one_kind_or_one_author_is_found_alone(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    post, other = await says(attic, "A ladder"), await says(shop, "My ladder")
    offer = await does(
        attic, offers.open, offers.Draft("offer", "Ladders", "To **lend**.", skills=("Climbing",), place="Linz")
    )
    praise = await does(attic, endorsements.give, shop.uri, ["Climbing"], "Up the ladder, and down.")

    assert await finds(shop, "ladder") == [praise.uri, offer.uri, other.uri, post.uri]
    assert await finds(shop, "ladder", kind="post") == [other.uri, post.uri]
    assert await finds(shop, "ladder", kind="offer") == await finds(shop, "linz") == [offer.uri]
    assert await finds(shop, "climbing", kind="endorsement") == [praise.uri]
    assert await finds(shop, "ladd", author=shop.uri) == [other.uri]
    assert await finds(shop, "post") == await finds(shop, "\ue000post") == []
    assert await finds(shop, "", kind="offer") == []


async def test_the_latest_is_found_first_page_by_page(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    rows = [await says(attic, f"Ladder number {number}") for number in range(3)]

    assert await finds(attic, "ladder") == [one.uri for one in reversed(rows)]
    assert await finds(attic, "ladder", limit=2) == [rows[2].uri, rows[1].uri]
    assert await finds(attic, "ladder", before=rows[1].id) == [rows[0].uri]


async def test_an_edit_is_found_by_its_new_words_alone_and_a_deleted_post_by_none(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Who has a ladder?")

    await does(attic, posts.edit, row.uri, "Who has a piano?")
    edited = [await finds(studio, words) for studio in (attic, shop) for words in ("ladder", "piano")]
    await does(attic, posts.delete, row.uri)

    assert edited == [[], [row.uri], [], [row.uri]]
    assert await finds(shop, "piano") == []
    assert await indexed(shop) == 0


@pytest.mark.proves("P-318")
async def test_nobody_finds_what_they_may_not_read(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    second = await lives_at(shop, "cy")
    await attic.meets(shop)
    private = await says(attic, "The ladder is behind the door", visibility="followers")
    direct = await says(attic, "The ladder is yours, @shop@shop.example", visibility="direct")

    assert await finds(shop, "ladder") == []
    assert await finds(shop, "ladder", second) == []
    assert await finds(shop, "ladder", shop.uri) == [direct.uri, private.uri]
    await does(shop, blocks.block, attic.uri)
    assert await finds(shop, "ladder", shop.uri) == []


async def test_whom_an_edit_leaves_out_finds_it_no_more(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    note = note_by(attic, content="<p>The ladder</p>", cc=[f"{attic.uri}/followers"])
    await sends(attic, shop, made_up(attic, "Create", object=note))
    before = await finds(shop, "ladder", shop.uri)
    barn = f"{attic.home}/actors/somebody"
    private = {**note, "to": [barn], "cc": [], "updated": "2026-03-02T10:00:00Z"}
    fediverse.later(hours=2)

    await sends(attic, shop, made_up(attic, "Update", object=private))

    assert before == [note["id"]]
    assert await finds(shop, "ladder", shop.uri) == await finds(shop, "ladder") == []


async def test_what_was_said_in_a_project_is_found_by_those_who_were_in_it_then(fediverse: Fediverse) -> None:
    guild, [barn, mill] = await guild_of(fediverse, "barn", "mill")
    cy = await lives_at(barn, "cy")
    uri = await guild.post(guild.ada, "The ladder is in the yard")
    inside = [await finds(barn, "ladder", who) for who in (barn.uri, cy, None)]

    await barn.does(lambda tx: projects.leave(tx, barn.uri, guild.uri))
    await fediverse.settle()
    later = await guild.post(guild.ada, "The ladder is gone")

    assert inside == [[uri], [], []]
    assert await finds(barn, "ladder", barn.uri) == [uri]
    assert await finds(mill, "ladder", mill.uri) == [later, uri]


async def test_a_page_is_filled_from_what_one_may_read(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    public = await says(attic, "A ladder")
    for number in range(5):
        await says(attic, f"Ladder {number} for @shop@shop.example", visibility="direct")

    assert await finds(shop, "ladder", limit=2) == [public.uri]
    assert len(await finds(shop, "ladder", shop.uri, limit=2)) == 2


async def test_an_index_that_is_made_anew_fills_by_itself(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    rows = [await says(attic, f"Ladder {number}") for number in range(3)]
    await does(attic, posts.delete, rows[0].uri)

    def empty(tx: Transaction) -> None:
        tx.db.execute(text("DELETE FROM search"))
        tx.db.add_all(search.Unindexed(object=row.id) for row in rows)

    await attic.does(empty)
    await does(attic, posts.edit, rows[1].uri, "A piano")
    lost = await finds(attic, "ladder")
    await attic.does(search.index)

    assert lost == []
    assert await finds(attic, "ladder") == [rows[2].uri]
    assert await finds(attic, "piano") == [rows[1].uri]
    assert await attic.knows(search.Unindexed) == []


async def test_who_left_is_found_no_more(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await says(attic, "Who has a ladder?")

    await attic.does(lambda tx: departures.leave(tx, attic.uri))
    await fediverse.settle()

    assert await indexed(shop) == await indexed(attic) == 0


@pytest.mark.parametrize(
    "words",
    [
        "a' OR 1=1 --",
        'ladder" NEAR(',
        "ladder:*",
        "NOT ladder",
        "ladder & | !",
        "\0ladder",
        "ladder*",
        "{id}",
        "'",
        '"',
        "%s :x",
    ],
)
async def test_no_words_are_taken_for_a_command(fediverse: Fediverse, words: str) -> None:
    attic = await fediverse.studio("attic")
    await says(attic, "Who has a ladder?")

    assert len(await finds(attic, words)) <= 1


@pytest.mark.on("sqlite")
async def test_any_text_can_be_said_and_looked_for(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    row = await says(attic, "A ladder")

    def put_in_and_find(tx: Transaction, said: str, asked: str) -> None:
        row.document = {**row.document, "content": said}
        tx.db.add(search.Unindexed(object=row.id))
        search.renew(tx, Edited(row))
        found = search.find(tx.db, None, Search(asked), 5)
        assert {one.uri for one in found} <= {row.uri}
        assert not said.isalnum() or len(said) > 50 or "<" in said or search.find(tx.db, None, Search(said), 5)

    @given(some.text(max_size=80), some.text(max_size=80))
    @settings(max_examples=150, deadline=None)
    def check(said: str, asked: str) -> None:
        with Session(attic.instance.store.engine) as db, db.begin():
            put_in_and_find(Transaction(db, fediverse.now, attic.home), said, asked)

    check()


@given(some.dictionaries(some.sampled_from(["name", "summary", "content", "skill", "attachment"]), some.text()))
def test_any_document_has_words(json: dict[str, str]) -> None:
    assert len(search.words_of(Document(dict(json)))) <= search.MAX_WORDS
