"""The public face of a project: what its followers see of it, and where that is (P-250, P-259, P-269).

The law: a face is an actor of one server, and the log says which one is it. Only that one boosts what is published for
the project; every other that ever was it leads its followers there, as long as its server lives.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import audience, context, html
from activitypub.actor import Actor as Profile
from activitypub.document import Document, Json
from activitypub.errors import ProtocolError
from coop import access, accounts, follows, moving, projects, reactions, statements
from coop.accounts import KeyPair
from coop.errors import Conflict, Trouble
from coop.events import Grown, Sent, Shown, listens
from coop.statements import Project
from federation import discovery, ids, known, outbox
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.registry import errand
from federation.store import Transaction
from federation.tables import Actor, Row

EVERY = timedelta(minutes=5)
AT_ONCE = 5  # faces elsewhere that are asked for in one round
MAX_FORMER = 20  # faces that a new one names as what the project was known as

log = structlog.get_logger()


class Face(Row):
    """An actor of ours that is, or was, the public face of a project founded elsewhere."""

    __tablename__ = "faces"

    uri: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(unique=True)


# --- Out ---------------------------------------------------------------------------------------------------------


def move(tx: Transaction, by: str, uri: str, pair: KeyPair) -> str:
    """Have a project's public face on this server, as one of its leads; return the address of the actor that it is now.

    The server that had it sends its followers here, if it still can. Raise `NotAllowed`, `NotFound`, `Conflict`.
    """
    project = projects.led(tx.db, by, uri)
    if is_here(tx.db, project):
        raise Conflict("the public face of this project is on this server already: %(face)s", face=project.face)
    face = _face_here(tx.db, project.uri) or _mint(tx, project, by, pair)
    projects.state(tx, project, by, {"movedTo": None if face == project.uri else face})
    return face


def _mint(tx: Transaction, project: Project, by: str, pair: KeyPair) -> str:
    """An actor with which the project can be followed here; who it is to its members stays the same."""
    profile = Profile.ours(outbox.new_uri(tx, "projects"), "Group", projects.free_handle(tx, project.name))
    profile = replace(
        profile,
        url=profile.id,
        summary=project.summary,
        also_known_as=(project.uri, *_former(tx.db, project)),
        founder=by,
        members=None,
        log=None,
        discoverable=project.public,
    )
    actor = accounts.mint(tx, profile, project.name, pair)
    what = {"context": project.uri, "members": project.members, "fingerprint": project.fingerprint}
    actor.document = {**actor.document, **what}  # for who asks to join
    tx.add_new(Face, uri=actor.uri, project=project.uri)
    return actor.uri


def _face_here(db: Session, project: str) -> str | None:
    """The actor of ours that is or was the face of a project."""
    return project if known.is_local(db, project) else db.scalar(select(Face.uri).where(Face.project == project))


def _former(db: Session, project: Project) -> list[str]:
    """The other actors that leads have ever made a project's face, the last ones of them."""
    said = [*statements.said_in(db, project).values()]
    groups = [one.group for one in reversed(said) if one.kind == "update" and one.group]
    named = [uri for group in groups if (uri := html.safe_url(group.uri("movedTo")))]
    return list(dict.fromkeys(named))[:MAX_FORMER]


def is_here(db: Session, project: Project) -> bool:
    """Whether the face of a project is an actor of ours, and one that is meant for that: leads may name any."""
    return project.face == _face_here(db, project.uri)


def shown_by(db: Session, actor: str) -> Project | None:
    """The project whose face an actor of ours is, or was."""
    return statements.find(db, actor) or statements.find(db, db.scalar(select(Face.project).where(Face.uri == actor)))


@listens(Shown)
@listens(Sent)
def boost(tx: Transaction, event: Shown | Sent) -> None:
    """Show the project's followers what one of its members publishes for it; not what was said for it long ago."""
    row = event.object
    is_old_news = isinstance(event, Shown) and (event.boosted_by or event.found)
    if is_old_news or row.visibility not in access.EVERYBODY:
        return
    for uri in row.said.uris("audience"):
        project = statements.find(tx.db, uri)
        if project and is_here(tx.db, project) and projects.may_post(tx.db, uri, row.author):
            reactions.boost(tx, project.face, row.uri)


@listens(Grown)
def update(tx: Transaction, event: Grown) -> None:
    """Let the actor say what a lead has stated, of what is for a lead to state: never its keys or addresses (P-028)."""
    project = statements.at(tx.db, event.project)
    if not any(one.kind == "update" for one in event.statements) or not is_here(tx.db, project):
        return
    actor = known.actor(tx.db, project.face)
    others = [one for one in (project.uri, *_former(tx.db, project)) if one != actor.uri]
    stated: Json = {"name": project.name, "summary": project.summary, "discoverable": project.public}
    stated |= {"alsoKnownAs": others} if others else {}
    kept = {name: value for name, value in actor.document.items() if name != "movedTo"}
    actor.name, actor.document = project.name, {**kept, **stated}
    tx.db.flush()
    addressed = audience.addressed("public", actor.followers)
    said = {"id": f"{actor.uri}#updates/{ids.slug(ids.new(tx.now))}", "type": "Update", "actor": actor.uri, **addressed}
    inner = {name: value for name, value in actor.document.items() if name != "@context"}
    activity = {"@context": context.UPDATE_ACTOR, **said, "object": inner}
    outbox.publish(tx, activity, also=follows.followers(actor.uri), collapse=True)


@errand(EVERY)
async def meet(here: Instance) -> None:
    """Find out where the faces are that nobody here has met: what is published for a project goes there."""
    new = select(Project.moved_to).where(Project.moved_to.is_not(None), Project.moved_to.not_in(select(Actor.uri)))
    for uri in await here.store.read(lambda db: db.scalars(new.limit(AT_ONCE)).all()):
        with suppress(ProtocolError, Unreachable, Gone):
            await discovery.fetch(here, uri or "")


@errand(EVERY)
async def hand_over(here: Instance) -> None:
    """Lead the followers of what was the face of a project to what is it now, once that one says so itself (P-026)."""
    for old, new in await here.store.read(_moved):
        try:
            if not await here.store.read(lambda db, new=new: known.is_local(db, new)):  # type: ignore[misc]
                await discovery.fetch(here, new)
            with suppress(Trouble):  # whoever it is, it does not say that it is this project
                await here.store.write(lambda tx, old=old, new=new: _lead(tx, old, new))  # type: ignore[misc]
        except (ProtocolError, Unreachable, Gone) as error:
            log.info("face.not_moved", face=old, to=new, reason=str(error))


def _moved(db: Session) -> list[tuple[str, str]]:
    """The actors of ours that were a project's face and do not say where that is now, and where it is."""
    ours = select(Project, Actor).join(Actor, (Actor.uri == Project.uri) & Actor.local)
    lent = select(Project, Actor).join(Face, Face.project == Project.uri).join(Actor, Actor.uri == Face.uri)
    rows = [*db.execute(ours.where(Project.moved_to.is_not(None))), *db.execute(lent)]
    were = [(actor, project.face) for project, actor in rows if project.face != actor.uri]
    return [(actor.uri, face) for actor, face in were if Document(actor.document).uri("movedTo") != face]


def _lead(tx: Transaction, old: str, new: str) -> None:
    moving.lead(tx, known.actor(tx.db, old), known.actor(tx.db, new))
