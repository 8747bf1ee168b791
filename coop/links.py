"""Whether the pages that an actor names on its profile name that profile in turn, by ``rel="me"`` (P-023)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import html
from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.errors import ProtocolError
from federation import known
from federation.client import Unreachable
from federation.instance import Instance
from federation.store import Transaction
from federation.tables import Row

MAX_LINKS = 8  # of one actor, that we ask for


class VerifiedLink(Row):
    """A page that an actor names and that names the actor's page in turn."""

    __tablename__ = "verified_links"

    actor: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]  # when it was last seen to be so


async def verify(here: Instance, actor: str) -> frozenset[str]:
    """Ask the pages that `actor`, here or elsewhere, names; remember and return those that lead back to its own.

    A page that cannot be had leads nowhere. Raise `known.Missing` for an actor whom nobody here has met.
    """
    profile = Profile.read(Document((await here.store.read(lambda db: known.actor(db, actor))).document))
    home = profile.url or profile.id
    found = frozenset([url for url in named(profile) if await _leads_to(here, url, home)])

    def keep(tx: Transaction) -> None:
        tx.db.execute(delete(VerifiedLink).where(VerifiedLink.actor == actor))
        tx.db.add_all(VerifiedLink(actor=actor, url=url, since=tx.now) for url in found)

    await here.store.write(keep)
    return found


def verified(db: Session, actor: str) -> frozenset[str]:
    """The links of `actor` that lead back to its page, as far as we asked."""
    return frozenset(db.scalars(select(VerifiedLink.url).where(VerifiedLink.actor == actor)))


def named(profile: Profile) -> tuple[str, ...]:
    """The pages that an actor says are its own: the ``rel="me"`` links of its fields."""
    found = (url for _, value in profile.fields for url in _linked(value))
    return tuple(dict.fromkeys(found))[:MAX_LINKS]


async def _leads_to(here: Instance, url: str, page: str) -> bool:
    try:
        answer = await here.client.get(url, accept="text/html")
    except (ProtocolError, Unreachable):
        return False
    found = _linked(answer.body.decode("utf-8", "replace"))
    return answer.is_success and page.lower() in {one.lower() for one in found}


def _linked(page: str) -> list[str]:
    """Every address that a page links to with ``rel="me"``."""
    return [one.get("href", "") for one in html.links(page, "me", "a", "link")]
