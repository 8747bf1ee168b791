"""Out: the transaction of an activity stores it and every delivery of it. From its commit on, the promise is kept.

The law: nothing is loaded per recipient. Whatever the number of followers, the fan-out is two statements; only those
who are named, who are few, take two each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Executable, Select, bindparam, delete, func, literal, select

from activitypub import audience, context, proof
from activitypub.document import Document, Json
from activitypub.origin import host
from federation import ids, known
from federation.instance import own_proof_key
from federation.prepared import Insert, Prepared
from federation.store import Transaction
from federation.tables import Activity, Actor, BlockedDomain, Delivery, Lane, Receipt

MAX_BODY = 60_000  # octets: Misskey refuses more than 64 KiB (P-166)
PASSED_ON = timedelta(days=30)  # so long what others said is kept once it was passed on (P-327)


def _deliveries(of: ColumnElement[bool], collapse: bool) -> Callable[[Insert], Executable]:
    """One delivery of ``activity`` in the name of ``sender`` for each inbox of those actors that live elsewhere."""
    inbox = func.coalesce(Actor.shared_inbox, Actor.inbox) if collapse else Actor.inbox
    what = (bindparam("activity", type_=Delivery.activity.type), bindparam("sender", type_=Delivery.sender.type))
    rows = select(Actor.host, inbox, *what, literal("waiting")).where(of, *_ELSEWHERE).distinct()
    columns = ["lane", "inbox", "activity", "sender", "state"]
    return lambda insert: insert(Delivery).from_select(columns, rows).on_conflict_do_nothing()


def _lanes(of: ColumnElement[bool]) -> Callable[[Insert], Executable]:
    """The lanes to those actors are due ``now``, unless they keep a pace of their own."""
    now = bindparam("now", type_=Lane.due.type)
    hosts = select(Actor.host, now, literal(0)).where(of, *_ELSEWHERE).distinct()
    hosts = hosts.order_by(Actor.host)  # so that two transactions lock them in the same order
    idle = Lane.due.is_(None) & Lane.parked.is_(None)
    columns, due = ["host", "due", "failures"], {"due": now}
    return lambda insert: (
        insert(Lane).from_select(columns, hosts).on_conflict_do_update(index_elements=["host"], set_=due, where=idle)
    )


_ELSEWHERE = (~Actor.local, Actor.gone.is_(None), Actor.host.not_in(select(BlockedDomain.host)))
_TO_ONE = Actor.uri == bindparam("to")
_DELIVERY = {collapse: Prepared(_deliveries(_TO_ONE, collapse)) for collapse in (False, True)}
_LANE = Prepared(_lanes(_TO_ONE))


class TooLong(Exception):
    """The activity does not fit into what every server accepts; nothing was published."""


def publish(
    tx: Transaction,
    activity: Json,
    to: Iterable[str] = (),
    also: Select[str] | None = None,
    *,
    collapse: bool = False,
    until: datetime | None = None,
) -> Activity:
    """Sign `activity`, store it, and queue it for the actors `to` and those that the query `also` finds.

    With `collapse`, one delivery to a shared inbox serves all behind it: for what followers get, never for what is
    between few (P-162). Those who live here get it as a receipt, so that one path leads to its effect. What is of no
    use to anybody later is kept `until` then. Raise `TooLong` unless it stays below `MAX_BODY`.
    """
    signed = sign(tx, activity)
    row = _store(tx, signed, activity["actor"], until)
    people = set(to)
    deliver(tx, row, row.actor, people, also, collapse=collapse)
    if not known.locals_of(tx.db).isdisjoint(people - {row.actor}) or _is_any_here(tx, also, row.actor):
        receive_here(tx, row)
    return row


def record(tx: Transaction, activity: Json, number: int) -> Activity:
    """Sign and store `activity` under the row id `number`, for the outbox to list; it is sent to nobody.

    Raise `TooLong` as `publish` does.
    """
    return _store(tx, sign(tx, activity), activity["actor"], None, number)


def publish_again(tx: Transaction, uri: str, to: Iterable[str]) -> None:
    """Send what was published before once more, unchanged and under the same id."""
    row = tx.db.scalars(select(Activity).where(Activity.uri == uri)).one()
    sent = (Delivery.activity == row.id, Delivery.state != "waiting")
    tx.db.execute(delete(Delivery).where(*sent))
    deliver(tx, row, row.actor, to)


def sign(tx: Transaction, document: Json) -> Json:
    """`document` with its author's proof (P-080); blind recipients never leave (P-160)."""
    author = document.get("actor") or document["attributedTo"]
    plain = audience.without_blind({"@context": context.PLAIN, **document})
    return proof.sign(plain, *own_proof_key(tx.db, author), tx.now)


def _store(tx: Transaction, signed: Json, actor: str, until: datetime | None, number: int | None = None) -> Activity:
    body = msgspec.json.encode(signed)
    if len(body) >= MAX_BODY:
        raise TooLong(
            f"it takes {len(body):,} bytes on the wire; other servers take less than {MAX_BODY:,}: shorten it"
        )
    document = Document(signed)
    public = audience.PUBLIC in (*document.uris("to"), *document.uris("cc"))
    row = _keep(tx, document, actor, body, public, until, number)
    assert row is not None, f"{document.id} is published twice"  # noqa: S101 - every activity gets a name of its own
    return row


def _keep(
    tx: Transaction,
    activity: Document,
    actor: str,
    body: bytes,
    public: bool,
    until: datetime | None = None,
    number: int | None = None,
) -> Activity | None:
    """``None`` if we have an activity of that name already."""
    return tx.keep_new(
        Activity,
        id=ids.new(tx.now) if number is None else number,
        uri=activity.id,
        type=activity.type,
        actor=actor,
        object=activity.uri("object"),
        public=public,
        published=tx.now,
        body=body,
        until=until,
    )


def forward(tx: Transaction, body: bytes, sender: str, also: Select[str]) -> None:
    """Pass on another's words, byte for byte, to the actors that `also` finds; `sender` signs the requests (P-171).

    They are not ours to serve, nor to keep for longer than they may be on their way.
    """
    document = Document.parse(body)
    author = document.require("actor")
    others = select(Actor.uri).where(Actor.uri.in_(also), Actor.host != host(author), *_ELSEWHERE)
    if tx.db.scalar(others.limit(1)) is None:
        return
    row = _keep(tx, document, author, body, public=False, until=tx.now + PASSED_ON)
    if row is not None:
        deliver(tx, row, sender, (), others, collapse=True)


def deliver(
    tx: Transaction,
    activity: Activity,
    sender: str,
    to: Iterable[str],
    also: Select[str] | None = None,
    *,
    collapse: bool = False,
) -> None:
    """Queue a stored activity for all of them that live elsewhere, and wake their lanes."""
    tx.db.flush()  # the statements below go past the session
    values = {"activity": activity.id, "sender": sender}
    for one in sorted(set(to) - {activity.actor}):
        if _DELIVERY[collapse].run(tx.db, to=one, **values):
            _LANE.run(tx.db, to=one, now=tx.now)
    if also is not None:
        others = Actor.uri.in_(also) & (Actor.uri != activity.actor)
        tx.db.connection().execute(_deliveries(others, collapse)(tx.insert), values)
        tx.db.connection().execute(_lanes(others)(tx.insert), {"now": tx.now})
    tx.wakes("lanes")


def _is_any_here(tx: Transaction, also: Select[str] | None, but: str) -> bool:
    if also is None:
        return False
    here = select(Actor.id).where(Actor.local, Actor.uri != but, Actor.uri.in_(also)).limit(1)
    return tx.db.scalar(here) is not None


def receive_here(tx: Transaction, activity: Activity) -> None:
    """Let what one of us did take its effect on the others who live here, by the same path as from elsewhere."""
    sent = {"uri": activity.uri, "type": activity.type, "actor": activity.actor, "body": activity.body}
    tx.add_new(Receipt, **sent, proven=True, received=tx.now, due=tx.now)
    tx.wakes("receipts")


def new_uri(tx: Transaction, kind: str = "activities") -> str:
    """An address for something made now: ``https://garage.example/activities/…``."""
    return f"{tx.home}/{kind}/{ids.slug(ids.new(tx.now))}"
