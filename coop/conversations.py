"""Whole conversations: what is missing before and after a post that somebody looks at is fetched from where it lives.

The law: what a list names is an address and nothing more. Each post is fetched from its own server, is kept only if it
is for everybody and hangs together with what we have, and counts against what may be fetched for that conversation.
Nobody waits for it, and nobody is asked again soon: the less came of it, the later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import audience
from activitypub.collection import MAX_PAGES, is_beside
from activitypub.document import Document
from activitypub.errors import Forbidden, Malformed
from activitypub.origin import host
from coop import access, feed, finds, rounds, visits
from coop.rounds import Items
from coop.visits import Visit, What
from federation import known
from federation.discovery import Budget
from federation.instance import Instance
from federation.registry import chore, errand
from federation.store import Transaction
from federation.tables import Object, Row

ABOVE = 100  # posts that one is an answer to, in all (P-109)
AT_ONCE = 30  # of those; then they wait for a while (P-109)
PAUSE = timedelta(minutes=1)
LISTS = 60  # pages of answers that are read for a conversation at one time
ASKED = 20  # posts whose answers are asked for at once, those said last; and then those of what comes of it
AGAIN = timedelta(minutes=10)  # after which a conversation may be looked for again, doubling while nothing new comes
MAX_IDLE = 10  # doublings: about a week
BY_STRANGERS = 20  # conversations in an hour that are looked for because somebody who did not say who they are came by
ATTEMPTS = 4  # with a server that does not answer, within some minutes
FORGOTTEN = timedelta(days=30)
OF_CONVERSATIONS: tuple[What, ...] = ("ancestor", "reply", "replies")


class Conversation(Row):
    """What was asked for of a conversation, and how much more may be."""

    __tablename__ = "conversations"

    uri: Mapped[str] = mapped_column(primary_key=True)  # of its first post, as far as that is known here
    asked: Mapped[datetime]  # when last somebody looked at it and it was time
    idle: Mapped[int]  # how often in a row nothing new had come of that
    above: Mapped[int]  # what may still be asked for, ever
    below: Mapped[int]  # the same until it is asked for again
    lists: Mapped[int]
    found: Mapped[int]  # new posts since then


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is on its way: posts before, answers, and lists of answers, of which nobody knows how many they are."""

    above: int = 0
    below: int = 0
    lists: int = 0

    @property
    def sentence(self) -> str:
        """Like "Still being fetched: what was said before, 3 answers." Empty if nothing is."""
        before = ["what was said before"] if self.above else []
        answers = ["1 answer" if self.below == 1 else f"{self.below} answers"] if self.below else []
        more = ["whatever else was answered"] if self.lists and not self.below else []
        named = [*before, *answers, *more]
        return f"Still being fetched: {', '.join(named)}." if named else ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    first: Object
    lists: tuple[str, ...]
    room: int  # for so many posts more


# --- Looking at a conversation -----------------------------------------------------------------------------------


def complete(tx: Transaction, row: Object) -> None:
    """Have asked for what is missing around a post, if there is anything and it was not done not long ago."""
    wanted = _wanted(tx.db, row, tx.now)
    if wanted is None:
        return
    uri = wanted.first.uri
    before = tx.db.get(Conversation, uri)
    idle = 0 if before is None or before.found else before.idle + 1
    above = ABOVE if before is None else before.above
    budget = {"above": above, "below": wanted.room, "lists": LISTS}
    conversation = tx.db.merge(Conversation(uri=uri, asked=tx.now, idle=idle, found=0, **budget))
    tx.db.flush()
    _ask_above(tx, conversation, wanted.first)
    for one in wanted.lists:
        visits.add(tx, "replies", one, uri)


def complete_for_anybody(tx: Transaction, row: Object) -> None:
    """The same for whoever looks at the page of a post of ours: strangers cannot make us ask without end."""
    if is_wanted_by_anybody(tx.db, row, tx.now):
        complete(tx, row)


def is_wanted_by_anybody(db: Session, row: Object, now: datetime) -> bool:
    """Whether `complete_for_anybody` would do anything now."""
    lately = select(func.count()).where(Conversation.asked > now - timedelta(hours=1))
    return row.local and (db.scalar(lately) or 0) < BY_STRANGERS and _wanted(db, row, now) is not None


def waiting(db: Session, row: Object) -> Waiting:
    """What was asked for around a post and is not here yet."""
    thread = feed.beginning(db, row).uri
    asked = select(Visit.what, func.count().label("number")).where(Visit.thread == thread).group_by(Visit.what)
    left = {row.what: row.number for row in db.execute(asked)}
    return Waiting(left.get("ancestor", 0), left.get("reply", 0), left.get("replies", 0))


def _wanted(db: Session, row: Object, now: datetime) -> _Wanted | None:
    """``None`` for now, if it was asked for not long ago; for ever, if it is not for everybody: whoever wrote to a few
    would learn when they read it.
    """
    first = feed.beginning(db, row)
    if not {first.visibility, row.visibility} <= access.EVERYBODY:
        return None
    before = db.get(Conversation, first.uri)
    if before is not None and now < _not_before(before):
        return None
    thread = select(Object).where(Object.uri.in_(feed.below(first.uri)))
    latest = db.scalars(thread.order_by(Object.id.desc()).limit(feed.CONVERSATION)).all()
    room = feed.CONVERSATION - len(latest)
    lists = tuple(dict.fromkeys([*_contexts(first), *_lists([row, first, *latest[:ASKED]])])) if room else ()
    is_missing = first.reply_to is not None and not known.is_known(db, first.reply_to)
    return _Wanted(first, lists, room) if lists or is_missing else None


def _not_before(row: Conversation) -> datetime:
    return row.asked + AGAIN * (1 << min(row.idle, MAX_IDLE))


def _lists(posts: Iterable[Object]) -> Iterator[str]:
    """Where the servers of posts that everybody may read say what answers them."""
    for one in posts:
        if one.visibility in access.EVERYBODY and not one.local and not one.deleted:
            uri = one.said.uri("replies")
            if uri and is_beside(uri, one.uri):
                yield uri


def _contexts(first: Object) -> Iterator[str]:
    """Where whoever began a conversation lists the whole of it (FEP-f228, FEP-7888)."""
    uri = first.said.uri("context")
    is_theirs = (
        first.reply_to is None and not first.local and not first.deleted and first.visibility in access.EVERYBODY
    )
    if is_theirs and uri and uri != first.uri and is_beside(uri, first.uri):
        yield uri


def _ask_above(tx: Transaction, row: Conversation, first: Object) -> None:
    """Have asked for what the first post that we have is an answer to."""
    uri = first.reply_to
    if uri is None or known.is_known(tx.db, uri) or row.above == 0:
        return
    asked = ABOVE - row.above
    row.above -= 1
    is_much = asked > 0 and asked % AT_ONCE == 0
    visits.add(tx, "ancestor", uri, row.uri, tx.now + PAUSE if is_much else None)


# --- Asking ------------------------------------------------------------------------------------------------------


@errand(rounds.EVERY)
async def look(here: Instance) -> None:
    await rounds.go(here, OF_CONVERSATIONS, _ask, ATTEMPTS)


async def _ask(here: Instance, visit: Visit, within: Budget) -> Visit | None:
    """Return what is to be asked of the same server next."""
    if visit.what == "replies":
        if await here.store.read(lambda db: _may_list(db, visit)):
            await rounds.read_on(here, visit, within, visit.whom, partial(_take, here, visit), MAX_PAGES)
        else:
            await here.store.write(lambda tx: visits.finish(tx, visit))
        return None
    document = await rounds.fetch(here, visit.whom, within, partial(_check, visit), finds.keep)
    return await here.store.write(lambda tx: _go_on(tx, visit, document.id))


async def _take(here: Instance, visit: Visit, page: Items) -> bool:
    return await here.store.write(lambda tx: _note(tx, visit, page))


def _note(tx: Transaction, visit: Visit, page: Items) -> bool:
    """Have asked for what a page lists and we lack; return whether that was enough."""
    row = _conversation(tx.db, visit)
    if row is None or row.lists == 0:
        return True
    row.lists -= 1
    named = [uri for one in page if (uri := _named(one))]
    for uri in known.unknown(tx.db, named):
        if row.below == 0:
            break
        if visits.add(tx, "reply", uri, row.uri):
            row.below -= 1
    return row.below == 0 or row.lists == 0


def _named(item: str | Document) -> str | None:
    """The address of a post that is listed, or of that of which its ``Create`` is; ``None`` if it is no address."""
    if isinstance(item, Document):
        item = (item.uri("object") if item.type == "Create" else item.uri("id")) or ""
    return item if is_beside(item, item) else None


def _check(visit: Visit, tx: Transaction, document: Document) -> None:
    """Raise `ProtocolError` for what is not for everybody, or is no answer to anything of the conversation."""
    if audience.visibility(document, None) not in access.EVERYBODY:
        raise Forbidden(f"{document.id} is not for everybody")
    if visit.what == "ancestor":
        return
    answered = document.uri("inReplyTo")
    asked = exists().where(Visit.whom == answered, Visit.thread.is_not(None))
    if answered in (None, document.id) or not (known.is_known(tx.db, answered or "") or tx.db.scalar(select(asked))):
        raise Malformed(f"{document.id} answers nothing that is known here")


def _go_on(tx: Transaction, visit: Visit, uri: str) -> Visit | None:
    """A post is here: ask for what answers it and, if it came before all others, for what came before it in turn."""
    row, post = _conversation(tx.db, visit), known.find(tx.db, uri)
    visits.finish(tx, visit)
    if row is None or post is None:
        return None
    row.found += uri == visit.whom  # by another address it may have been here before
    lists = [*_lists([post])]
    if visit.what == "ancestor":
        first = feed.beginning(tx.db, post)
        row = _rename(tx, row, first.uri)
        _ask_above(tx, row, first)
        lists += _contexts(first)
    for one in lists:
        visits.add(tx, "replies", one, row.uri)
    return _next(tx, row, visit) if visit.what == "ancestor" else None


def _next(tx: Transaction, row: Conversation, visit: Visit) -> Visit | None:
    """The next ancestor, claimed, if it is on the same server and need not wait."""
    above = (Visit.thread == row.uri, Visit.what == "ancestor", Visit.due <= tx.now)
    found = tx.db.scalar(select(Visit).where(*above).limit(1))
    if found is None or host(found.whom) != host(visit.whom):
        return None
    found.due = tx.now + visits.LEASE
    tx.db.flush()
    return found


def _rename(tx: Transaction, row: Conversation, first: str) -> Conversation:
    """What goes by its first post goes by another one once that is here, and with what was asked for that before."""
    if row.uri == first:
        return row
    tx.db.execute(update(Visit).where(Visit.thread == row.uri).values(thread=first))
    other = tx.db.get(Conversation, first)
    values = {name: getattr(row, name) for name in ("asked", "idle", "above", "below", "lists", "found")}
    if other is not None:
        values["above"] = min(row.above, other.above)
    tx.db.delete(row)
    renamed = tx.db.merge(Conversation(uri=first, **values))
    tx.db.flush()
    return renamed


def _may_list(db: Session, visit: Visit) -> bool:
    row = _conversation(db, visit)
    return row is not None and row.lists > 0 and row.below > 0


def _conversation(db: Session, visit: Visit) -> Conversation | None:
    """That to which a visit belongs by now: it may have got another name since the visit was claimed."""
    thread = select(Visit.thread).where(Visit.whom == visit.whom, Visit.what == visit.what).scalar_subquery()
    return db.scalar(select(Conversation).where(Conversation.uri == thread))


@chore(timedelta(hours=6))
def forget(tx: Transaction) -> bool:
    """Forget when it was looked for what nobody has looked at for long."""
    old = (Conversation.asked < tx.now - FORGOTTEN, ~exists().where(Visit.thread == Conversation.uri))
    tx.db.execute(delete(Conversation).where(*old))
    return False
