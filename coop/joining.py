"""Asking to be let into a project, and a lead's answer: an invitation, or a refusal (P-251)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from activitypub import html
from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.origin import Activity
from activitypub.statement import Role, Statement, Writer
from coop import invitations, logbook, projects, statements, vouchers
from coop.admission import Invitation
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Notice, tell
from coop.statements import Entry, Membership, Project
from federation import known, outbox
from federation.registry import receives
from federation.store import Transaction
from federation.tables import Activity as Done

AGAIN = timedelta(days=30)  # after which somebody may ask once more


def ask(tx: Transaction, account: str, project: str) -> str:
    """Ask the leads of a project to let `account` in; return the id of the request. `project` may be its face (P-259).

    Raise `known.Missing` for a project that nobody here has met, `Conflict` for who is in it, is invited or has asked
    already, `Trouble` for what is no project, or one whose server does not say what could be answered to.
    """
    face, document = project, Document(known.actor(tx.db, project).document)
    profile, fingerprint = Profile.read(document), document.text("fingerprint")
    project, members = document.uri("context") or face, html.safe_url(document.uri("members")) or profile.members
    if members is None or not fingerprint:
        raise Trouble("%(project)s is no project that can be joined by asking", project=project)
    if projects.role_of(tx.db, project, account):
        raise Conflict("you are in this project already")
    open_ones = invitations.invitations_for(account, tx.now).where(Invitation.project == project)
    if invitation := tx.db.scalar(open_ones.limit(1)):
        raise Conflict("you are invited already: accept %(uri)s", uri=invitation.uri)
    asked = (
        Done.type == "Join",
        Done.actor == account,
        Done.object == members,
        Done.published > tx.now - AGAIN,
    )
    if tx.db.scalar(select(Done.id).where(*asked).limit(1)):
        raise Conflict("you have asked already; whoever leads this project has a month to answer")
    people = [one for one in (face, profile.founder) if one and one != project]
    join = Writer(account, project, members, [fingerprint], people, tx.now).join(outbox.new_uri(tx))
    return outbox.publish(tx, join, join["to"]).uri


def accept(tx: Transaction, by: str, project: str, uri: str, role: Role = "member") -> Statement:
    """Say yes to somebody who asked to join: invite them, which they have to accept in turn.

    Raise `NotFound` for what is no open request, and as `invitations.invite` does.
    """
    return invitations.invite(tx, by, project, _asked(tx.db, project, uri).author, role)


def decline(tx: Transaction, by: str, project: str, uri: str) -> None:
    """Say no to somebody who asked to join, as a lead; they may ask again. Raise `NotFound`, `NotAllowed`."""
    place = statements.at(tx.db, project)
    if projects.role_of(tx.db, project, by) != "lead":
        raise NotAllowed("only a lead of this project can answer who asks to join it")
    join = _asked(tx.db, project, uri)
    known.actor(tx.db, join.author)
    logbook.say(tx, place, by, lambda write: write.reject(outbox.new_uri(tx), join))


def project_asked(db: Session, uri: str) -> str | None:
    """The project that somebody wants to join by the request of that id, whatever became of it."""
    return db.scalar(select(Entry.project).where(Entry.uri == uri, Entry.kind == "join", ~Entry.held).limit(1))


def asked_of(account: str) -> Select[Project]:
    """The projects that `account` leads and that somebody ever asked to join, the one asked last first."""
    led = select(Membership.project).where(Membership.member == account, Membership.role == "lead")
    asked = select(Entry.project, func.max(Entry.id).label("last")).where(Entry.kind == "join", ~Entry.held)
    found = asked.where(Entry.project.in_(led)).group_by(Entry.project).subquery()
    return select(Project).join(found, found.c.project == Project.uri).order_by(found.c.last.desc())


def _asked(db: Session, project: str, uri: str) -> Statement:
    join = statements.room_of(db, statements.at(db, project)).requests.get(uri)
    if join is None:
        raise NotFound("nobody asks that any more")
    return join


@receives("Reject", "Statement")
def receive_reject(tx: Transaction, activity: Activity) -> None:
    """A statement like others; but who asked to join has no log, and learns from it that the answer is no.

    Who leads the project they cannot know; so it is at least proven, and about what they asked.
    """
    document = logbook.as_sent(tx.db, activity)
    logbook.learn(tx, document)
    said = Statement.read(document)
    ours = (Done.uri == said.about, Done.type == "Join", Done.actor.in_(known.locals_of(tx.db)))
    join = tx.db.scalar(select(Done).where(*ours))
    if join is not None and Document.reread(join.body).uri("context") == said.project:
        vouchers.proven(tx, document, said.project)
        tell(tx, Notice("request declined", join.actor, said.author, said.project))
