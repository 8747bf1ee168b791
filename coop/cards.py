"""Skill cards: what somebody can do and whether they have time, as their own document says it, where queries find it.

The law: a card says what the document says, since both are written in one transaction. Whether it may be shown to
somebody who does not know them is their own word, too (`Card.findable`): Mastodon's ``discoverable``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Index, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import html
from activitypub.actor import Actor as Profile
from activitypub.document import Document
from coop import skills, words
from coop.accounts import Account
from coop.events import Departed, listens
from federation.registry import chore, met
from federation.store import Transaction
from federation.tables import Actor, Row

MAX_SKILLS = 32  # of one card
MAX_LINE = 100  # characters of a skill, pronouns or place
MAX_FIELD = 2_000  # characters of a field that lists skills
SOME = 200  # cards dropped in one transaction
PEOPLE = ("Person", "Organization", "Service")

# What others call the fields of a profile that have no property of their own.
CALLED_SKILLS = frozenset({"skills", "skill", "fahigkeiten", "kompetenzen", "kenntnisse"})
CALLED_PRONOUNS = frozenset({"pronouns", "pronoun", "pronomen"})
_SEPARATOR = re.compile(r"[,;|/•·\n]")
_HAS_NO_TIME = re.compile(
    r"\b(unavailable|booked|busy|not (currently |really )?available|not now|no (time|capacity|availability)|closed"
    r"|ausgebucht|ausgelastet|nicht (verfugbar|frei)|belegt|keine? (zeit|kapazitat(en)?))\b|^(no|none|nein|keine?)$"
)


class Card(Row):
    """What somebody says of themselves to those who look for help."""

    __tablename__ = "cards"

    id: Mapped[int] = mapped_column(primary_key=True)  # of their actor
    availability: Mapped[str]
    has_time: Mapped[bool]  # as far as the words of `availability` tell
    pronouns: Mapped[str]
    place: Mapped[str]
    area: Mapped[str]  # `place`, folded
    remote: Mapped[bool]
    findable: Mapped[bool]  # by people who do not know them


class CardSkill(Row):
    """A skill that a card names: `skill` is its key, `name` how it is written there."""

    __tablename__ = "card_skills"
    __table_args__ = (Index(None, "card"),)

    skill: Mapped[str] = mapped_column(primary_key=True)
    card: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@met
def keep(tx: Transaction, actor: Actor) -> None:
    """Bring somebody's card in line with their document. Who names no skill has none."""
    profile = Profile.read(Document(actor.document))
    named = _skills(profile) if profile.type in PEOPLE and not profile.suspended else {}
    _drop(tx, [actor.id])
    if not named:
        return
    tx.db.add(
        Card(
            id=actor.id,
            availability=profile.availability,
            has_time=says_time(profile.availability),
            pronouns=html.single_line(_field(profile, CALLED_PRONOUNS), MAX_LINE),
            place=profile.place,
            area=words.fold(profile.place),
            remote=profile.remote,
            findable=profile.discoverable,
        )
    )
    tx.db.add_all(CardSkill(skill=key, card=actor.id, name=name) for key, name in named.items())
    tx.db.flush()


@listens(Departed)
def forget(tx: Transaction, event: Departed) -> None:
    _drop(tx, tx.db.scalars(select(Actor.id).where(Actor.uri == event.actor)).all())


@chore(timedelta(hours=1))
def complete(tx: Transaction) -> bool:
    """Whoever lives here has one, even if they told of their skills before there were cards."""
    here = select(Actor).join(Account, Account.uri == Actor.uri).outerjoin(Card, Card.id == Actor.id)
    for actor in tx.db.scalars(here.where(Card.id.is_(None), Actor.gone.is_(None)).limit(SOME)).all():
        keep(tx, actor)
    return False


@chore(timedelta(hours=1))
def clear(tx: Transaction) -> bool:
    """Drop the cards of those who are forgotten."""
    some = tx.db.scalars(select(Card.id).where(Card.id.not_in(select(Actor.id))).limit(SOME)).all()
    _drop(tx, some)
    return len(some) == SOME


def of(db: Session, actor: int) -> Card | None:
    return db.get(Card, actor)


def says_time(availability: str) -> bool:
    """Whether somebody who writes that has time: they say something, and not that they have none."""
    folded = " ".join(words.fold(availability).split())
    return bool(folded) and not _HAS_NO_TIME.search(folded)


def _skills(profile: Profile) -> dict[str, str]:
    """Key and name of each skill. Of those whose software knows no skills, the field of that name is read."""
    told = profile.skills or _SEPARATOR.split(_field(profile, CALLED_SKILLS)[:MAX_FIELD])
    named = {skills.key(one): html.single_line(one, MAX_LINE) for one in reversed(told[:MAX_SKILLS])}
    return {key: name for key, name in named.items() if key}


def _field(profile: Profile, called: frozenset[str]) -> str:
    """The text of the first field of the profile that is `called` so."""
    found = (value for name, value in profile.fields if " ".join(words.split(name)) in called)
    return html.plain(next(found, ""))


def _drop(tx: Transaction, some: Sequence[int]) -> None:
    tx.db.execute(delete(CardSkill).where(CardSkill.card.in_(some)))
    tx.db.execute(delete(Card).where(Card.id.in_(some)))
