"""What people here get to read: the home feed, filled as things come, and the posts of an actor or a conversation.

The law: a page of the home feed is one range of one index, however many posts are stored. Who may read an entry is
decided when it is made, and again when the post is edited; what is deleted later is left out when it is read.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from sqlalchemy import ColumnElement, Index, Select, String, delete, exists, literal, or_, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import audience
from activitypub.html import safe_url
from activitypub.origin import host
from coop import access, accounts, blocks, follows, mutes, projects
from coop.accounts import Account
from coop.events import Blocked, Departed, Edited, Notice, Shown, listens
from federation import ids, known
from federation.store import Transaction
from federation.tables import Object, Row, partial

CONVERSATION = 300  # posts of one conversation that are shown; nobody reads more, and some make them endless
LOOKED_AT = 1_000  # posts of one conversation among which those are
FIRST_POSTS = 20  # that a feed is given of somebody newly followed, if we have them
COLUMNS = ["account", "id", "object", "boosted_by"]
TO_FOLLOWERS = ("public", "unlisted", "followers")


class Entry(Row):
    """A post in the home feed of an account, once, however many boost it."""

    __tablename__ = "entries"
    __table_args__ = (
        Index(None, "object", "account", unique=True),
        partial("boosted_by", where="boosted_by IS NOT NULL"),
        {"sqlite_with_rowid": False},  # a page of the feed lies together
    )

    account: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True)  # its place in time: when it was published, or boosted
    object: Mapped[int] = mapped_column(primary_key=True)  # two posts may fall into the same place
    boosted_by: Mapped[str | None]


# --- Filling -----------------------------------------------------------------------------------------------------


@listens(Shown)
def show(tx: Transaction, event: Shown) -> None:
    """Put a post into the feeds of those here who follow its author or booster, or whom it is for."""
    row, booster = event.object, event.boosted_by
    if booster:
        _fill(tx, row, ids.new(tx.now), booster, _of(tx.db, booster))
    elif row.visibility != "project":  # its room shows it
        _fill(tx, row, ids.new(row.published), None, {row.author, *_named(row)} | _following(tx, row))


@listens(Edited)
def show_to_others(tx: Transaction, event: Edited) -> None:
    """An edit may address somebody who was not addressed before, or make a post private for others (P-316)."""
    row = event.object
    if row.visibility not in access.EVERYBODY:
        boosted = (Entry.object == row.id, Entry.boosted_by.is_not(None), Entry.boosted_by != row.author)
        tx.db.execute(delete(Entry).where(*boosted))
        _take_away(tx, row)
    if row.visibility != "project":
        _fill(tx, row, ids.new(row.published), None, _named(row))


@listens(Notice)
def begin(tx: Transaction, event: Notice) -> None:
    """Somebody newly followed has posted before; what we have of it is there at once."""
    if event.kind != "follow accepted":
        return
    posts = select(Object.id).where(Object.author == event.by, Object.visibility.in_(access.EVERYBODY))
    latest = posts.where(Object.deleted.is_(None)).order_by(Object.id.desc()).limit(FIRST_POSTS).subquery()
    rows = select(Account.id, latest.c.id, latest.c.id, literal(None, String())).join(latest, true())
    insert = tx.insert(Entry).from_select(COLUMNS, rows.where(Account.uri == event.to))
    tx.db.execute(insert.on_conflict_do_nothing())


@listens(Blocked)
def hide(tx: Transaction, event: Blocked) -> None:
    """After a block neither reads the other's posts, nor what the other boosted."""
    for account, other in ((event.by, event.blocked), (event.blocked, event.by)):
        mine = Entry.account.in_(select(Account.id).where(Account.uri == account))
        theirs = exists().where(Object.id == Entry.object, Object.author == other)
        tx.db.execute(delete(Entry).where(mine, or_(Entry.boosted_by == other, theirs)))


@listens(Departed)
def clear(tx: Transaction, event: Departed) -> None:
    gone = select(Account.id).where(Account.uri == event.actor)
    tx.db.execute(delete(Entry).where(or_(Entry.account.in_(gone), Entry.boosted_by == event.actor)))


def _named(row: Object) -> tuple[str, ...]:
    return audience.recipients(row.said)


def _of(db: Session, actor: str) -> frozenset[str]:
    """Those here who follow an actor, and the actor themselves."""
    return follows.followers_here(db, actor) | {actor}


def _following(tx: Transaction, row: Object) -> frozenset[str]:
    """Those to whom a post comes because they follow its author; an answer only if they follow both."""
    if row.visibility not in TO_FOLLOWERS:
        return frozenset()
    answered = known.find(tx.db, row.reply_to)
    if row.reply_to and answered is None and not _is_of_one_host(row.reply_to, row.uri):
        return frozenset()  # it answers a stranger; on its own host it may go on with what it said before
    if answered is None or answered.author == row.author:
        return _of(tx.db, row.author)
    return _of(tx.db, row.author) & _of(tx.db, answered.author)


def _is_of_one_host(answered: str, uri: str) -> bool:
    return safe_url(answered) is not None and host(answered) == host(uri)


def _fill(tx: Transaction, row: Object, place: int, booster: str | None, readers: Container[str]) -> None:
    """Add an entry for each of `readers` who lives here and has no block with the author or the booster."""
    by = {row.author, booster or row.author}
    for uri, account in accounts.numbers(tx.db).items():
        if uri in readers and not any(one != uri and blocks.exists(tx.db, uri, one) for one in by):
            tx.add_new(Entry, account=account, id=place, object=row.id, boosted_by=booster)


def _take_away(tx: Transaction, row: Object) -> None:
    """Leave a post to those alone who may read it now: some were left out of it, some follow no more (P-231)."""
    readers = select(Account.id, Account.uri).join(Entry, Entry.account == Account.id).where(Entry.object == row.id)
    others = [number for number, uri in tx.db.execute(readers).all() if not access.may_read(tx.db, row, uri)]
    tx.db.execute(delete(Entry).where(Entry.object == row.id, Entry.account.in_(others)))


# --- Reading -----------------------------------------------------------------------------------------------------


def home(account: int, before: int | None = None) -> Select[Entry, Object]:
    """What an account has to read, latest first, older than the entry `before`; nothing by whom it mutes."""
    entries = select(Entry, Object).join(Object, Object.id == Entry.object)
    heard = ~mutes.hides(account, Object.author, Entry.boosted_by)
    entries = entries.where(Entry.account == account, Object.deleted.is_(None), heard)
    if before is not None:
        entries = entries.where(Entry.id < before)
    return entries.order_by(Entry.id.desc())


def profile(author: str, reader: str | None = None, before: int | None = None) -> Select[Object]:
    """The posts of an actor that `reader`, or with ``None`` anybody, may see on their page, latest first."""
    posts = select(Object).where(Object.author == author, Object.deleted.is_(None))
    if reader == author:
        posts = posts.where(Object.visibility.in_(TO_FOLLOWERS))
    elif reader is None:
        posts = posts.where(Object.visibility.in_(access.EVERYBODY))
    else:
        follows_them = exists().where(
            follows.Follow.follower == reader, follows.Follow.followed == author, follows.Follow.state == "accepted"
        )
        seen = or_(Object.visibility.in_(access.EVERYBODY), (Object.visibility == "followers") & follows_them)
        posts = posts.where(seen, ~_blocks(author, reader))
    if before is not None:
        posts = posts.where(Object.id < before)
    return posts.order_by(Object.id.desc())


def conversation(db: Session, row: Object, reader: str | None = None) -> list[Object]:
    """What was said before and after a post, as far as `reader` may see it, in the order in which it was said.

    At most `CONVERSATION` posts, those that came first, for some conversations are made to be endless (P-311).
    """
    posts = select(Object).where(Object.uri.in_(below(beginning(db, row).uri)), Object.deleted.is_(None))
    came = db.scalars(posts.order_by(Object.id).limit(CONVERSATION)).all()
    return readable(db, sorted(came, key=lambda one: (one.published, one.id)), reader)


def below(first: str) -> Select[str]:
    """The URIs of a post and of all that answers it or one of its answers, `LOOKED_AT` of them at most."""
    thread = select(Object.uri).where(Object.uri == first).cte(recursive=True)
    thread = thread.union(select(Object.uri).where(Object.reply_to == thread.c.uri))
    return select(thread.c.uri).limit(LOOKED_AT)


def readable(db: Session, rows: Sequence[Object], reader: str | None) -> list[Object]:
    """Those of `rows` that `reader` may read, in the same order."""
    hidden = _hidden(db, reader, {row.author for row in rows}) if reader else frozenset()
    rooms = {row.conversation for row in rows if row.visibility == "project" and row.conversation}
    theirs = {one for one in rooms if reader and projects.role_of(db, one, reader)}

    def is_open(row: Object) -> bool:
        return row.visibility in access.EVERYBODY or (row.visibility == "project" and row.conversation in theirs)

    seen = (row for row in rows if row.author not in hidden)
    return [row for row in seen if is_open(row) or access.may_read(db, row, reader)]


def beginning(db: Session, row: Object) -> Object:
    """The first post of a conversation, as far as we have it without a gap."""
    if not row.reply_to:
        return row
    step = select(Object.uri, Object.reply_to)
    above = step.where(Object.uri == row.uri).cte(recursive=True)
    above = above.union(step.join(above, Object.uri == above.c.reply_to))
    answers: dict[str, str | None] = dict(db.execute(select(above.c.uri, above.c.reply_to).limit(CONVERSATION)).all())
    first, seen = row.uri, set[str]()
    while (answered := answers.get(first)) and answered in answers and first not in seen:
        seen.add(first)
        first = answered
    return known.find(db, first) or row


def _hidden(db: Session, reader: str, authors: set[str]) -> frozenset[str]:
    """Those of `authors` with whom `reader` has a block, either way."""
    theirs = select(blocks.Block.by).where(blocks.Block.blocked == reader, blocks.Block.by.in_(authors))
    ours = select(blocks.Block.blocked).where(blocks.Block.by == reader, blocks.Block.blocked.in_(authors))
    return frozenset(db.scalars(theirs.union(ours)))


def _blocks(one: str, other: str) -> ColumnElement[bool]:
    between = (blocks.Block.by == one) & (blocks.Block.blocked == other)
    return exists().where(or_(between, (blocks.Block.by == other) & (blocks.Block.blocked == one)))
