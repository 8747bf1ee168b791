"""Two or three studios that know each other, and what the tests of the social half let them do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import Select, event, select

from activitypub.context import AS2
from activitypub.document import Json, timestamp
from coop import accounts, feed, posts
from coop.accounts import Account
from federation.tables import Object, Receipt
from tests.fediverse import Fediverse, Studio

T = TypeVar("T")
_numbers = count(1)


async def neighbours(fediverse: Fediverse) -> tuple[Studio, Studio]:
    """Ada in the attic, and Bo above the shop, who follows her."""
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await shop.follows(attic)
    await fediverse.settle()
    return attic, shop


async def says(studio: Studio, text: str, **how: Any) -> Object:
    """Publish a post and let it arrive."""
    row = await studio.does(lambda tx: posts.publish(tx, studio.uri, posts.Draft(text, **how)))
    await studio.fediverse.settle()
    return row


async def does(studio: Studio, what: Any, *details: Any) -> Any:
    """Let the account of `studio` do something (``posts.delete``, ``reactions.like``), and let it arrive."""
    done = await studio.does(lambda tx: what(tx, studio.uri, *details))
    await studio.fediverse.settle()
    return done


def made_up(studio: Studio, kind: str, **properties: Any) -> Json:
    """An activity by the account of `studio` that its own program would not make."""
    head = {"@context": [AS2], "type": kind, "actor": studio.uri}
    return {**head, "id": f"{studio.home}/made-up/{next(_numbers)}", **properties}


def note_by(studio: Studio, **properties: Any) -> Json:
    """A public note that lives nowhere."""
    public = "https://www.w3.org/ns/activitystreams#Public"
    note = {"id": f"{studio.home}/made-up/notes/{next(_numbers)}", "type": "Note", "attributedTo": studio.uri}
    written = {"to": [public], "content": "<p>Hello</p>", "published": timestamp(studio.fediverse.now)}
    return {**note, **written, **properties}


async def sends(studio: Studio, other: Studio, activity: Json) -> Receipt:
    """Post an activity into the other's inbox, let everything settle; the receipt says what came of it."""
    answer = await studio.sends(f"{other.uri}/inbox", activity)
    assert answer.status == 202, answer.body
    await studio.fediverse.settle()
    return await receipt_of(other, activity)


async def receipt_of(studio: Studio, activity: Json) -> Receipt:
    query = select(Receipt).where(Receipt.uri == activity["id"])
    return await studio.instance.store.read(lambda db: db.scalars(query).one())


@contextmanager
def counting(studio: Studio) -> Iterator[list[str]]:
    """The statements that SQLAlchemy gives to the database of `studio`, as they come."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = studio.instance.store.engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


async def has(studio: Studio, uri: str) -> Object | None:
    return await first(studio, select(Object).where(Object.uri == uri))


async def holds(studio: Studio, uri: str) -> Object:
    found = await has(studio, uri)
    assert found is not None
    return found


async def first(studio: Studio, query: Select[T]) -> T | None:
    return await studio.instance.store.read(lambda db: db.scalar(query))


async def all_of(studio: Studio, query: Select[T]) -> list[T]:
    return await studio.instance.store.read(lambda db: list(db.scalars(query)))


async def account_of(studio: Studio) -> Account:
    return await studio.instance.store.read(lambda db: accounts.named(db, studio.host.partition(".")[0]))


async def reads(studio: Studio) -> list[str]:
    """The URIs in the home feed, latest first."""
    account = await account_of(studio)
    rows = await studio.instance.store.read(lambda db: db.execute(feed.home(account.id)).all())
    return [row.Object.uri for row in rows]


async def lives_at(studio: Studio, name: str) -> str:
    """The URI of one more account on the server of `studio`."""
    pair = accounts.new_keys()
    return await studio.does(lambda tx: accounts.create(tx, name, name.title(), "person", pair).uri)
