"""Projects: founded by somebody here, run by their leads, read and written by their members on all their servers.

A project is an actor, whose face is on the founder's server, and a log that every member's server has (DESIGN.md, 7).
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from activitypub import context, markdown
from activitypub.actor import Actor as Profile
from activitypub.audience import Visibility
from activitypub.document import Document, Json
from activitypub.errors import Forbidden, Malformed
from activitypub.origin import Activity, host
from activitypub.sentence import Sentence
from activitypub.statement import Role, Statement
from activitypub.vocabulary import WORK
from coop import accounts, keepsakes, logbook, statements
from coop.accounts import KeyPair
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Departed, Grown, Kind, Notice, listens, tell
from coop.keepsakes import Keepsake
from coop.membership import WRITERS, Member, Room
from coop.statements import Entry, Membership, Project
from federation import known, outbox
from federation.store import Transaction
from federation.tables import Actor, Object

_ROLES: dict[Role, str] = {
    "lead": Sentence("a lead"),
    "usher": Sentence("an usher"),
    "member": Sentence("a member"),
    "guest": Sentence("a guest"),
}
MAX_NAME = 100  # characters
MAX_TEXT = 5_000


@dataclass(frozen=True, slots=True)
class View:
    """A project as its members see it; `invitations` are those that wait for an answer, and for how long they can.

    `requests` are of those who asked to join and were not invited yet. To who was in it and is no more it is as it was
    then, and `kept` says so.
    """

    project: Project
    members: tuple[Member, ...]
    invitations: tuple[Statement, ...] = ()
    requests: tuple[Statement, ...] = ()
    kept: Keepsake | None = None


# --- Out ---------------------------------------------------------------------------------------------------------


def create(tx: Transaction, founder: str, name: str, text: str, pair: KeyPair, *, public: bool = False) -> Project:
    """Found a project, with `founder` as its first lead (P-250). `text` is Markdown.

    If it is `public`, visitors are shown who is in it; its name and what it publishes anybody may see. Raise `Trouble`
    for a name or a text that is empty or too long.
    """
    _check(name, text)
    uri = outbox.new_uri(tx, "projects")
    profile = replace(
        Profile.ours(uri, "Group", free_handle(tx, name)),
        url=uri,
        summary=markdown.from_text(text, tx.home),
        founder=founder,
        discoverable=public,
    )
    group = accounts.mint(tx, profile, name.strip(), pair).document
    logbook.begin(tx, founder, uri, group)
    return statements.at(tx.db, uri)


def edit(
    tx: Transaction, by: str, uri: str, name: str | None = None, text: str | None = None, *, public: bool | None = None
) -> None:
    """Change what a project says of itself, as one of its leads; ``None`` leaves it as it is.

    Raise as `create` does, `NotAllowed`, `NotFound`.
    """
    project = led(tx.db, by, uri)
    _check(project.name if name is None else name, text or "")
    said: Json = {"name": None if name is None else name.strip(), "discoverable": public}
    said["summary"] = None if text is None else markdown.from_text(text, tx.home)
    state(tx, project, by, {key: value for key, value in said.items() if value is not None})


def state(tx: Transaction, project: Project, by: str, said: Json) -> None:
    """Say what the project is, as a lead: all that was said of it last, and `said` in place of what differs (P-251).

    What is None is said of it no more.
    """
    group = statements.room_of(tx.db, project).group
    whole = (group.json if group else {}) | said
    stated = {name: value for name, value in whole.items() if value is not None}
    logbook.say(tx, project, by, lambda write: write.update(outbox.new_uri(tx), stated))


def give_role(tx: Transaction, by: str, uri: str, member: str, role: Role) -> None:
    """Make somebody a lead, an usher, a member or a guest. Raise `NotAllowed`, `NotFound`, `Conflict` (the last lead).

    An usher is a member who may ask in others as members and guests, in the name of the leads.
    """
    project = led(tx.db, by, uri)
    if _role_in(tx.db, project, member) == role:
        raise Conflict("they are %(role)s already", role=_ROLES[role])
    if role != "lead":
        _check_not_last(tx.db, project, member)
    logbook.say(tx, project, by, lambda write: write.add(outbox.new_uri(tx), member, role))


def remove(tx: Transaction, by: str, uri: str, member: str) -> None:
    """Take somebody's role away: they read and write no more. Raise as `give_role` does."""
    project = led(tx.db, by, uri)
    _role_in(tx.db, project, member)
    _check_not_last(tx.db, project, member)
    logbook.say(tx, project, by, lambda write: write.remove(outbox.new_uri(tx), member))


def leave(tx: Transaction, member: str, uri: str) -> None:
    """Be in a project no longer. Raise `NotFound`, `Conflict` for the last lead, who has to name another before."""
    project = statements.at(tx.db, uri)
    _role_in(tx.db, project, member)
    _check_not_last(tx.db, project, member)
    logbook.say(tx, project, member, lambda write: write.leave(outbox.new_uri(tx)))


def _check(name: str, text: str) -> None:
    if not name.strip() or len(name) > MAX_NAME:
        raise Trouble("a project has a name of up to %(most)s characters", most=MAX_NAME)
    if len(text) > MAX_TEXT:
        raise Trouble("what a project says of itself is up to %(most)s characters long", most=MAX_TEXT)


def free_handle(tx: Transaction, name: str) -> str:
    """Something like the name, that nobody here is called yet (P-004)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    word = re.sub("[^a-z0-9]+", "-", plain)[:24].strip("-") or "project"
    spelled = (word if number == 1 else f"{word}-{number}" for number in count(1))
    taken = select(Actor.id).where(Actor.local)
    return next(one for one in spelled if not tx.db.scalar(taken.where(Actor.address == f"{one}@{host(tx.home)}")))


def check_draft(db: Session, uri: str | None, author: str, visibility: Visibility) -> None:
    """Raise `Trouble` unless `author`, one of us, may say something in a project, or in public on its behalf."""
    if uri is None and visibility != "project":
        return
    check_may_write(db, uri, author)
    if visibility not in ("public", "unlisted", "project"):
        raise Trouble("what is said for a project is for its members, or for everybody")


def check_may_write(db: Session, uri: str | None, author: str) -> None:
    """Raise `NotFound`, `NotAllowed` unless `author`, one of us, is one of a project's leads and members."""
    project = statements.at(db, uri or "")
    if not may_post(db, project.uri, author):
        raise NotAllowed("only leads, ushers and members of this project can write in it")


def led(db: Session, by: str, uri: str) -> Project:
    """Raise `NotFound` for a project that is not known here, `NotAllowed` unless `by` leads it."""
    project = statements.at(db, uri)
    if role_of(db, uri, by) != "lead":
        raise NotAllowed("only a lead of this project can do that")
    return project


def _role_in(db: Session, project: Project, member: str) -> Role:
    role = role_of(db, project.uri, member)
    if role is None:
        raise NotFound("%(member)s is not in this project", member=member)
    return role


def _check_not_last(db: Session, project: Project, member: str) -> None:
    leads = db.scalars(_members(project.uri).where(Membership.role == "lead")).all()
    if [one.member for one in leads] == [member]:
        raise Conflict("a project needs a lead: make somebody else one before")


# --- In ----------------------------------------------------------------------------------------------------------


def is_for_members(db: Session, document: Document, author: str, activity: Activity | None) -> bool:
    """Whether a document, which is not public, is for the members of a project that we know (P-265).

    Raise `Malformed` if it names one in ``audience`` or ``context`` but not alone in both; and as `check_may_post`.
    """
    named = {*document.uris("audience"), *document.uris("context")}
    found = db.scalar(select(Project.uri).where(Project.uri.in_(named)).limit(1))
    if found is None:
        return False
    if document.uris("audience") != (found,) or document.uris("context") != (found,):
        raise Malformed("what is for a project's members has the project as its audience and its context")
    check_may_post(db, found, author, activity)
    return True


def check_may_post(db: Session, project: str, author: str, activity: Activity | None) -> None:
    """Raise `Forbidden` unless `author` may write in a project, as we know it, whatever their server says (P-265).

    Raise `TooEarly` if the statement that is said to have given them the role is not here yet (P-257).
    """
    if may_post(db, project, author):
        return
    capability = activity.uri("capability") if activity else None
    if capability and not db.scalar(select(Entry.id).where(Entry.uri == capability, ~Entry.held).limit(1)):
        raise known.TooEarly(f"whether {author} may write in {project} is said in {capability}, which is not here yet")
    raise Forbidden(f"{author} may not write in {project}")


@listens(Departed)
def let_go(tx: Transaction, event: Departed) -> None:
    """Whoever is no more is in no project, whatever its log says (P-116); one of us takes leave while they can."""
    if known.is_local(tx.db, event.actor):
        for project in tx.db.scalars(projects_of(event.actor)).all():
            with suppress(Conflict):  # as its last lead they cannot
                leave(tx, event.actor, project.uri)
    tx.db.execute(delete(Membership).where(Membership.member == event.actor))
    keepsakes.forget(tx, event.actor)


@listens(Grown)
def notify(tx: Transaction, event: Grown) -> None:
    """Tell those who live here what of it concerns them."""
    members = event.room.members
    for one in event.statements:
        who = one.subject or one.author
        match one.kind:
            case "add" if who in members and members[who].since == one.id and who in event.before:
                _tell(tx, "role", [who], one)
            case "remove" if who in event.before and who not in members:
                _tell(tx, "removal", [who], one)
            case "leave" if who in event.before and who not in members:
                _tell(tx, "leave", _leads(event), one)
            case "join" if one.id in event.room.requests:
                _tell(tx, "request to join", _leads(event), one)
            case _:
                continue


def _leads(event: Grown) -> list[str]:
    return [uri for uri, member in event.room.members.items() if member.role == "lead"]


def _tell(tx: Transaction, kind: Kind, people: list[str], statement: Statement) -> None:
    for one in people:
        if one != statement.author and known.is_local(tx.db, one):
            tell(tx, Notice(kind, one, statement.author, statement.project))


# --- Queries -----------------------------------------------------------------------------------------------------


def projects_of(account: str) -> Select[Project]:
    """The projects that somebody is in, the one they joined last first."""
    mine = select(Membership.project).where(Membership.member == account)
    return select(Project).where(Project.uri.in_(mine)).order_by(Project.id.desc())


def show(db: Session, uri: str, reader: str, now: datetime) -> View:
    """A project to one of its members, or to who was one and lives here. Raise `NotFound` to everybody else."""
    project = statements.at(db, uri)
    if kept := keepsakes.of(db, uri, reader):
        return View(project, tuple(keepsakes.room(db, kept).members.values()), kept=kept)
    _role_in(db, project, reader)
    room = statements.room_of(db, project)
    waiting = room.invitations_at(now)
    members = tuple(Member(one.member, one.role, one.capability) for one in db.scalars(_members(uri)))
    return View(project, members, waiting, requests(room, now))


def requests(room: Room, now: datetime) -> tuple[Statement, ...]:
    """Those that wait for an answer: of who asks to join and was not invited yet."""
    invited = {one.subject for one in room.invitations_at(now)}
    return tuple(one for one in room.requests.values() if one.author not in invited)


def talk(project: str, kept: Keepsake | None = None) -> Select[Object]:
    """What members have said to each other, newest first; or what somebody kept of it."""
    said = (Object.conversation == project, Object.visibility == "project", Object.deleted.is_(None))
    mine = (keepsakes.within(kept),) if kept else ()
    return select(Object).where(*said, Object.type.not_in(WORK), *mine).order_by(Object.id.desc())


def role_of(db: Session, project: str, actor: str) -> Role | None:
    mine = (Membership.project == project, Membership.member == actor)
    return db.scalar(select(Membership.role).where(*mine))


def may_post(db: Session, project: str, actor: str) -> bool:
    """Everybody but guests, who read (P-252)."""
    return role_of(db, project, actor) in WRITERS


def people(project: str) -> Select[str]:
    """Everyone who is in a project."""
    return select(Membership.member).where(Membership.project == project).order_by(Membership.id)


def addressed(db: Session, project: str, author: str) -> list[str]:
    """Whom a message in a room names: the project and everyone else who is in it now (P-265)."""
    return [project, *(one for one in db.scalars(people(project)) if one != author)]


def faces(db: Session, project: str | None) -> list[str]:
    """Whom a public post names besides, so that the project's followers are shown it: where its face has moved to."""
    found = statements.find(db, project)
    return [found.moved_to] if found and found.moved_to else []


def readers(project: str) -> Select[str]:
    """Those who get what members say: whoever is in the project, on a server that knows what a room is (P-267)."""
    return select(Actor.uri).where(Actor.uri.in_(people(project)), Actor.aware)


def room_terms(db: Session, project: str, author: str) -> Json:
    """What an activity in a room says of its author's right to it (P-257). Raise `NotAllowed` if there is none."""
    check_may_write(db, project, author)
    mine = (Membership.project == project, Membership.member == author)
    capability = db.scalar(select(Membership.capability).where(*mine))
    return {"@context": context.ROOM_NOTE, "context": project, "capability": capability}


def _members(project: str) -> Select[Membership]:
    return select(Membership).where(Membership.project == project).order_by(Membership.id)
