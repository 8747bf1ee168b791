"""Reports of what somebody has done: others' to whoever runs this server, and ours to whoever runs another (P-124).

The law: it is a server that reports. Most do so in the name of an actor of their own, so that nobody learns who
complained; whoever it is, they are shown to nobody as a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import context, html
from activitypub.errors import Forbidden
from activitypub.origin import Activity, host, site
from coop import accounts
from coop.errors import NotFound, Trouble
from coop.events import Notice, tell
from federation import ids, known, outbox
from federation.registry import chore, receives
from federation.store import Transaction
from federation.tables import Object, Row, partial

MAX_OPEN = 20  # of one site: who has more to say waits until somebody has looked at those
MAX_ABOUT = 50  # accounts and posts that one is about
MAX_TEXT = 5_000  # characters of the complaint
KEPT = timedelta(days=180)


class Report(Row):
    """A complaint about accounts and posts of this server; open until somebody has dealt with it."""

    __tablename__ = "reports"
    __table_args__ = (partial("site", where="done IS NULL"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(unique=True)  # of the Flag
    server: Mapped[str]  # the host that reports
    site: Mapped[str]  # with all of its subdomains
    about: Mapped[list[str]]
    text: Mapped[str]  # clean HTML
    at: Mapped[datetime]
    done: Mapped[datetime | None] = mapped_column(default=None)


def send(tx: Transaction, whom: str, words: str, posts: Sequence[str] = ()) -> None:
    """Tell whoever runs the server of `whom` of them and of `posts` of theirs, in this server's name.

    Raise `known.Missing` for a stranger, `Trouble` for somebody here, and for words that say nothing or too much.
    """
    actor, said = known.actor(tx.db, whom), words.strip()
    if actor.local:
        raise Trouble("they live on this server: tell whoever runs it")
    if not said or len(said) > MAX_TEXT:
        raise Trouble("say what they did, in up to %(most)s characters: somebody has to judge it", most=MAX_TEXT)
    theirs = tx.db.scalars(select(Object.uri).where(Object.uri.in_(posts), Object.author == actor.uri)).all()
    if len(theirs) > MAX_ABOUT - 1:
        raise Trouble("name up to %(most)s of their posts", most=MAX_ABOUT - 1)
    flag = {"id": outbox.new_uri(tx), "type": "Flag", "actor": f"{tx.home}/actor", "to": [actor.uri], "content": said}
    outbox.publish(tx, {"@context": context.ACTIVITY, **flag, "object": [actor.uri, *sorted(theirs)]}, [actor.uri])


@receives("Flag")
def receive(tx: Transaction, activity: Activity) -> None:
    """Keep it, and tell those who live here. Raise `Forbidden` if it is about nobody and nothing here, or one too many.

    What else it is about is not for this server to judge.
    """
    about = _ours(tx, activity.uris("object"))
    if not about:
        raise Forbidden(f"{activity.id} reports nobody who lives here, and nothing that was said here")
    server = host(activity.actor)
    _check_number(tx.db, site(server))
    sent = {"uri": activity.id, "server": server, "site": site(server), "about": about}
    text = html.clean(activity.text("content")[:MAX_TEXT])
    tx.add_new(Report, id=ids.new(tx.now), text=text, at=tx.now, done=None, **sent)
    for account in accounts.numbers(tx.db):
        tell(tx, Notice("report", account, server, activity.id))


def _ours(tx: Transaction, uris: Sequence[str]) -> list[str]:
    said = tx.db.scalars(select(Object.uri).where(Object.uri.in_(uris), Object.local))
    ours = known.locals_of(tx.db).union(said)
    return [uri for uri in dict.fromkeys(uris) if uri in ours][:MAX_ABOUT]


def _check_number(db: Session, whose: str) -> None:
    open_ones = select(func.count()).where(Report.site == whose, Report.done.is_(None))
    if (db.scalar(open_ones) or 0) >= MAX_OPEN:
        raise Forbidden(f"{MAX_OPEN} reports from {whose} wait here already for somebody to deal with them")


@chore(timedelta(hours=1))
def forget(tx: Transaction) -> bool:
    tx.db.execute(delete(Report).where(Report.at < tx.now - KEPT))
    return False


def deal_with(tx: Transaction, number: int) -> None:
    """Somebody has looked at it, and done whatever was to be done. Raise `NotFound` if no open one has that number."""
    row = tx.db.get(Report, number)
    if row is None or row.done is not None:
        raise NotFound("there is no open report %(number)s; `boxroom reports` lists those that are", number=str(number))
    row.done = tx.now


def listing() -> Select[Report]:
    """Those that are open, then those that have been dealt with, each latest first."""
    return select(Report).order_by(Report.done.is_not(None), Report.id.desc())
