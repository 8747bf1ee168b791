"""Who is logged in: the browsers in which somebody acts for one or several of those who live here.

The law: a browser holds a secret of which only the hash is kept here, so that whoever reads the database can be nobody.
Where somebody was logged in once is remembered, for what others guess must never keep out whoever has been here before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Index, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from coop import accounts
from coop.accounts import Account
from coop.errors import NotFound
from coop.events import Departed, listens
from coop.passkeys import Passkey
from federation.registry import chore
from federation.store import Transaction
from federation.tables import Row

LASTS = timedelta(days=90)  # without anybody having come by with it
SEEN = timedelta(minutes=10)  # between two notes that somebody came by
MAX_BROWSER = 200  # characters of what a browser calls itself
LINK = "\n"  # stands in place of that for a link to come in by; no browser can call itself so
LINK_LASTS = timedelta(hours=1)


class Login(Row):
    """An account in a browser: in use, or once used there."""

    __tablename__ = "logins"
    __table_args__ = (Index(None, "account"),)

    browser: Mapped[str] = mapped_column(primary_key=True)  # the hash of its secret
    account: Mapped[int] = mapped_column(primary_key=True)
    acting: Mapped[bool]  # of those in one browser, the one in whose name things are done
    since: Mapped[datetime]
    seen: Mapped[datetime]
    name: Mapped[str] = mapped_column(default="")  # what the browser calls itself
    left: Mapped[datetime | None] = mapped_column(default=None)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in: who they are at this moment, and whom else they may be with a click."""

    browser: str
    account: Account
    others: tuple[Account, ...]
    is_noted: bool = True  # that they came by lately

    @property
    def uri(self) -> str:
        return self.account.uri


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def visitor(db: Session, browser: str, now: datetime) -> Visitor | None:
    """Who acts in that browser; ``None`` if nobody is logged in there, or nobody came by for long."""
    query = select(Login, Account).join(Account, Account.id == Login.account)
    present = (Login.browser == browser, Login.left.is_(None), Login.seen > now - LASTS, ~Account.suspended)
    found = [(login, account) for login, account in db.execute(query.where(*present).order_by(Login.since)).all()]
    acting = next(((login, account) for login, account in found if login.acting), None)
    if acting is None:
        return None
    login, account = acting
    return Visitor(browser, account, tuple(one for _, one in found if one is not account), login.seen > now - SEEN)


def enter(tx: Transaction, browser: str, account: int, name: str) -> None:
    """Log an account in; whoever else is logged in there stays, and acts no more."""
    tx.db.execute(update(Login).where(Login.browser == browser).values(acting=False))
    values = {"acting": True, "since": tx.now, "seen": tx.now, "name": name[:MAX_BROWSER], "left": None}
    insert = tx.insert(Login).values(browser=browser, account=account, **values)
    tx.db.execute(insert.on_conflict_do_update(index_elements=["browser", "account"], set_=values))


def let_in(tx: Transaction, link: str, account: int) -> None:
    """Let whoever has the secret whose hash is `link` come in as `account`, once, within the hour."""
    values = {"acting": False, "since": tx.now, "seen": tx.now, "name": LINK, "left": tx.now}
    tx.add_new(Login, browser=link, account=account, **values)


def come_by_link(tx: Transaction, link: str) -> int:
    """Whom it lets in; from now on it lets nobody in. Raise `NotFound` if it is none, was used or is too old."""
    there = (Login.browser == link, Login.name == LINK, Login.since > tx.now - LINK_LASTS)
    account = tx.db.scalar(select(Login.account).where(*there))
    if account is None:
        raise NotFound("this link has let somebody in before, or is from long ago: log in at /login")
    tx.db.execute(delete(Login).where(Login.browser == link))
    return account


def renew(tx: Transaction, before: str, browser: str) -> None:
    """Whoever is logged in at one secret is so at another from now on: nobody may know it from before a login."""
    tx.db.execute(update(Login).where(Login.browser == before).values(browser=browser))


def act_as(tx: Transaction, browser: str, account: int) -> None:
    """Go on as another one of those who are logged in. Raise `NotFound` if that one is not."""
    there = (Login.browser == browser, Login.account == account, Login.left.is_(None))
    if tx.db.scalar(select(Login.account).where(*there)) is None:
        raise NotFound("nobody of that name is logged in here: log in first")
    tx.db.execute(update(Login).where(Login.browser == browser).values(acting=Login.account == account))


def come_by(tx: Transaction, browser: str) -> None:
    """Note that it is still used, now and then."""
    stale = (Login.browser == browser, Login.left.is_(None), Login.seen < tx.now - SEEN)
    tx.db.execute(update(Login).where(*stale).values(seen=tx.now))


def leave(tx: Transaction, browser: str, account: int) -> None:
    """Log one out of a browser; of the others there, if any, one acts then."""
    one = (Login.browser == browser, Login.account == account, Login.left.is_(None))
    tx.db.execute(update(Login).where(*one).values(left=tx.now, acting=False))
    others = select(Login).where(Login.browser == browser, Login.left.is_(None)).order_by(Login.since.desc())
    found = tx.db.scalars(others).all()
    if found and not any(other.acting for other in found):
        found[0].acting = True
        tx.db.flush()


def leave_everywhere(tx: Transaction, account: int, but: str | None = None) -> int:
    """Log an account out of all browsers `but` one; return of how many. None of them is known any more."""
    theirs = (Login.account == account, Login.browser != (but or ""))
    browsers = tx.db.scalars(select(Login.browser).where(*theirs, Login.left.is_(None))).all()
    for browser in browsers:
        leave(tx, browser, account)
    tx.db.execute(delete(Login).where(*theirs))
    return len(browsers)


def change_password(tx: Transaction, uri: str, hashed: str, but: str | None = None) -> int:
    """Whoever is logged in in another browser is out: it may be why the password is changed. Return of how many."""
    account = accounts.at(tx.db, uri)
    if account is None:
        raise NotFound("%(uri)s does not live here", uri=uri)
    account.password = hashed
    tx.db.flush()
    return leave_everywhere(tx, account.id, but)


def is_open(db: Session) -> bool:
    """Whether there is anybody who could log in, by whatever way."""
    may = select(Account.id).where(~Account.suspended)
    ways = (Account.password.is_not(None), Account.id.in_(select(Passkey.account)))
    return db.scalar(may.where(or_(*ways)).limit(1)) is not None


def is_known(db: Session, browser: str, account: int) -> bool:
    """Whether that account was ever logged in there."""
    there = (Login.browser == browser, Login.account == account)
    return db.scalar(select(Login.account).where(*there)) is not None


def browsers_of(db: Session, account: int, now: datetime) -> Sequence[Login]:
    """Where an account is logged in, what was used last first."""
    present = (Login.account == account, Login.left.is_(None), Login.seen > now - LASTS)
    return db.scalars(select(Login).where(*present).order_by(Login.seen.desc())).all()


@listens(Departed)
def forget(tx: Transaction, event: Departed) -> None:
    gone = select(Account.id).where(Account.uri == event.actor)
    tx.db.execute(delete(Login).where(Login.account.in_(gone)))


@chore(timedelta(hours=12))
def forget_old(tx: Transaction) -> bool:
    tx.db.execute(delete(Login).where(Login.seen < tx.now - LASTS))
    return False
