"""What those who live here say of themselves, and who is told when it changes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from html import escape

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from activitypub import audience, context, html, markdown
from activitypub.actor import Actor as Profile
from activitypub.actor import Picture
from activitypub.document import Document, Json, timestamp
from activitypub.sentence import Sentence
from coop import accounts, follows, mailboxes, media
from coop.accounts import TYPES, Account
from coop.errors import NotFound, Trouble
from federation import ids, known, outbox, registry
from federation.store import Transaction
from federation.tables import Actor

MET = timedelta(days=30)  # who was met since is told of changes (P-028)
MAX_BIO = 5_000  # characters of Markdown
MAX_SKILLS = 20
MAX_LINKS = 8
MAX_LINK = 2_000  # characters
LINES = {"name": 60, "pronouns": 60, "availability": 200, "place": 100}  # characters of what has to be one line
MAX_SKILL = 60

_CALLED = {
    "name": Sentence("the name"),
    "pronouns": Sentence("what the pronouns are"),
    "availability": Sentence("when there is time"),
    "place": Sentence("the place"),
}


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change; ``None`` leaves it as it is. `bio` is Markdown, `avatar` and `header` are names of uploads."""

    name: str | None = None
    bio: str | None = None
    pronouns: str | None = None
    availability: str | None = None
    place: str | None = None
    remote: bool | None = None
    skills: tuple[str, ...] | None = None
    links: tuple[str, ...] | None = None
    avatar: str | None = None  # empty for none
    header: str | None = None
    approves_followers: bool | None = None
    discoverable: bool | None = None


def edit(tx: Transaction, account: str, changes: Changes) -> Actor:
    """Change what `account` says of itself, and tell everybody it concerns. Raise `Trouble` for what cannot be said."""
    row = accounts.at(tx.db, account)
    if row is None:
        raise NotFound("nobody of that name lives here")
    actor = known.account(tx.db, account)
    for name, value in _checked(changes).items():
        if name in ("avatar", "header"):
            value = media.use_for_profile(tx, account, str(value)) if value else None
        setattr(actor if name == "name" else row, name, value)
    tx.db.flush()
    announce(tx, row)
    return actor


def suspend(tx: Transaction, account: str, *, suspended: bool = True) -> None:
    """Let an account of ours be seen no more, or again (P-029). Raise `NotFound` if nobody here has that URI."""
    row = accounts.at(tx.db, account)
    if row is None:
        raise NotFound("nobody of that name lives here")
    row.suspended = suspended
    tx.db.flush()
    announce(tx, row)


def announce(tx: Transaction, account: Account) -> None:
    """Write the account's document anew; if that changes it, send it to followers and whom we met lately (P-028)."""
    actor = known.account(tx.db, account.uri)
    tell(tx, actor, _profile(tx, account, actor).write(accounts.public_keys(tx.db, account.uri)))


def tell(tx: Transaction, actor: Actor, document: Json) -> None:
    """Have `document` speak for `actor`, one of us; if that is new, send it to followers and whom we met lately."""
    if document == actor.document:
        return
    actor.document = document
    tx.db.flush()
    registry.tell_met(tx, actor)
    addressed = audience.addressed("public", actor.followers)
    told = {name: value for name, value in document.items() if name != "@context"}
    update = {
        "@context": context.UPDATE_ACTOR,
        "id": f"{actor.uri}#updates/{ids.slug(ids.new(tx.now))}",
        "type": "Update",
        "actor": actor.uri,
        "published": timestamp(tx.now),
        **addressed,
        "object": told,
    }
    concerned = or_(Actor.fetched > tx.now - MET, Actor.uri.in_(follows.followers(actor.uri)))
    outbox.publish(tx, update, also=select(Actor.uri).where(~Actor.local, concerned), collapse=True)


def _checked(changes: Changes) -> dict[str, object]:
    """What is given, in the form in which it is kept."""
    given = {one.name: getattr(changes, one.name) for one in fields(changes)}
    given = {name: value for name, value in given.items() if value is not None}
    for name, limit in LINES.items():
        if name in given:
            given[name] = _line(_CALLED[name], given[name], limit)
    if changes.bio is not None and len(changes.bio) > MAX_BIO:
        raise Trouble("what you say of yourself may have %(most)s characters", most=MAX_BIO)
    if changes.skills is not None:
        given["skills"] = _skills(changes.skills)
    if changes.links is not None:
        given["links"] = _links(changes.links)
    return given


def _line(name: Sentence, value: str, limit: int) -> str:
    if len(value.splitlines()) > 1 or len(value) > limit:
        raise Trouble("%(name)s is one line of up to %(most)s characters", name=name, most=limit)
    return html.single_line(value, limit)


def name_of(value: str) -> str:
    """What somebody is to be called, as it is kept. Raise `Trouble` for what is no name."""
    return _line(_CALLED["name"], value, LINES["name"])


def _skills(skills: tuple[str, ...]) -> list[str]:
    lines = [_line(Sentence("a skill"), one, MAX_SKILL) for one in skills]
    once = list({one.casefold(): one for one in lines if one}.values())
    if len(once) > MAX_SKILLS:
        raise Trouble("name up to %(most)s skills, those that you want to be found by", most=MAX_SKILLS)
    return once


def _links(links: tuple[str, ...]) -> list[str]:
    given = list(dict.fromkeys(one.strip() for one in links if one.strip()))
    if len(given) > MAX_LINKS:
        raise Trouble("give up to %(most)s links", most=MAX_LINKS)
    if odd := next((one for one in given if html.safe_url(one) is None or len(one) > MAX_LINK), None):
        raise Trouble("%(odd)s is no web address; it begins with https://", odd=odd[:200])
    return given


def _picture(db: Session, home: str, name: str | None) -> Picture | None:
    upload = media.named(db, name) if name else None
    return Picture(media.url(home, upload.name), upload.media_type, upload.alt) if upload else None


def _profile(tx: Transaction, account: Account, actor: Actor) -> Profile:
    where = [*([account.place] if account.place else []), *(["remote"] if account.remote else [])]
    named = {
        "Pronouns": account.pronouns,
        "Skills": ", ".join(account.skills),
        "Availability": account.availability,
        "Place": " or ".join(where),
    }
    told = [(name, escape(value)) for name, value in named.items() if value]
    before = Profile.read(Document(actor.document))
    stated = accounts.key_statement(tx, account.uri, actor.document)
    return replace(
        Profile.ours(actor.uri, TYPES[account.kind], actor.handle),
        moved_to=before.moved_to,
        also_known_as=before.also_known_as,
        name=actor.name,
        summary=markdown.from_text(account.bio, tx.home),
        url=accounts.profile_url(tx.home, actor.handle),
        icon=_picture(tx.db, tx.home, account.avatar),
        image=_picture(tx.db, tx.home, account.header),
        fields=(*told, *(("Web", html.link(one)) for one in account.links)),
        statements=(*([account.recovery] if account.recovery else []), stated),
        skills=tuple(account.skills),
        availability=account.availability,
        place=account.place,
        remote=account.remote,
        manually_approves=account.approves_followers,
        discoverable=account.discoverable,
        indexable=True,
        suspended=account.suspended,
        buddies=mailboxes.buddies_of(tx.db, account.uri),
        published=actor.first_seen,
    )
