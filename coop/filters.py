"""Words of which somebody here would rather not read: what has them is closed, and opened by a click."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import html
from coop import accounts
from coop.accounts import Account
from coop.errors import Conflict, NotFound, Trouble
from coop.events import Departed, listens
from federation import ids
from federation.store import Transaction
from federation.tables import Object, Row

MAX_FILTERS = 100  # of one account: each is looked for in each post on a page
MAX_WORDS = 100  # characters


class Filter(Row):
    """A word or several, which count where they stand as whole words, in whatever case."""

    __tablename__ = "filters"

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[int] = mapped_column(index=True)
    words: Mapped[str]
    since: Mapped[datetime]


def add(tx: Transaction, account: str, words: str) -> None:
    """Raise `Trouble` for what are no words, `Conflict` for one too many."""
    number, said = accounts.numbers(tx.db)[account], html.single_line(words, MAX_WORDS + 1)
    if not said or len(said) > MAX_WORDS:
        raise Trouble("name a word or a few, up to %(most)s characters", most=MAX_WORDS)
    theirs = of(tx.db, account)
    if any(one.words.casefold() == said.casefold() for one in theirs):
        return
    if len(theirs) >= MAX_FILTERS:
        raise Conflict("you have %(most)s already; take one of them away first", most=MAX_FILTERS)
    tx.db.add(Filter(id=ids.new(tx.now), account=number, words=said, since=tx.now))


def remove(tx: Transaction, account: str, number: int) -> None:
    """Raise `NotFound` for what is not theirs."""
    one = (Filter.id == number, Filter.account == accounts.numbers(tx.db)[account])
    if not tx.db.execute(delete(Filter).where(*one)).rowcount:  # type: ignore[attr-defined]
        raise NotFound("that is not among your words any more")


def of(db: Session, account: str) -> Sequence[Filter]:
    """Those of an account, by its URI, in the order of the alphabet."""
    return db.scalars(_of(account)).all()


def _of(account: str) -> Select[Filter]:
    theirs = select(Filter).join(Account, Account.id == Filter.account).where(Account.uri == account)
    return theirs.order_by(func.lower(Filter.words), Filter.id)


def found(unwanted: Iterable[Filter], row: Object) -> str:
    """The first of the `unwanted` words that a post has, with its title and its warning; empty if it has none."""
    unwanted = tuple(unwanted)
    if not unwanted:
        return ""
    said = row.said
    text = "\n".join((said.text("name"), said.text("summary"), html.plain(said.text("content")))).casefold()
    return next((one.words for one in unwanted if stands_in(one.words, text)), "")


def stands_in(words: str, text: str) -> bool:
    """Whether `words` are in `text`, which is folded, and do not merely begin or end within other words there."""
    return re.search(rf"(?<!\w){re.escape(words.casefold())}(?!\w)", text) is not None


@listens(Departed)
def forget(tx: Transaction, event: Departed) -> None:
    gone = select(Account.id).where(Account.uri == event.actor)
    tx.db.execute(delete(Filter).where(Filter.account.in_(gone)))
