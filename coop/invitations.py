"""Invitations to projects: made by leads, answered by the invited, and silent when their time is over (P-254 to P-258).

Also those of other software, which ask somebody here into a group of theirs (P-256).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from activitypub import context, markdown
from activitypub import statement as wire
from activitypub.errors import Forbidden
from activitypub.origin import Activity
from activitypub.statement import MAX_TEXT, Role, Statement
from coop import admission, blocks, grants, letters, logbook, projects, statements
from coop.accounts import Account
from coop.admission import Invitation
from coop.errors import STANDING, Conflict, NotAllowed, NotFound, Trouble
from coop.events import Grown, Notice, listens, tell
from coop.membership import INVITERS
from coop.statements import Entry, Membership, Project
from federation import ids, known, outbox
from federation.registry import receives
from federation.store import Transaction
from federation.tables import Actor

OPEN_FOR = timedelta(days=30)
MAX_OPEN_FOR = timedelta(days=365)


# --- Out ---------------------------------------------------------------------------------------------------------


def invite(
    tx: Transaction,
    by: str,
    project: str,
    invitee: str,
    role: Role = "member",
    text: str = "",
    open_for: timedelta = OPEN_FOR,
) -> Statement:
    """Ask somebody into a project, as one of its leads, or as an usher for no more than a member. `text` is Markdown.

    The invited get the log besides, from which they see who invites them to what. Raise `known.Missing` for a
    stranger, `NotAllowed`, `NotFound`, `Conflict` if they are in it or invited already, `Trouble`.
    """
    place = statements.at(tx.db, project)
    actor = known.actor(tx.db, invitee)
    _check_may_invite(projects.role_of(tx.db, place.uri, by), role)
    _check(tx, place, actor, text)
    if not timedelta(0) < open_for <= MAX_OPEN_FOR:
        raise Trouble("an invitation is open for up to %(days)s days", days=MAX_OPEN_FOR.days)
    terms = (role, place.fingerprint, tx.now + open_for, markdown.from_text(text, tx.home))
    said = logbook.say(tx, place, by, lambda write: write.invite(outbox.new_uri(tx), invitee, *terms))
    if actor.aware:
        logbook.pass_on(tx, place, by, invitee, statements.said_in(tx.db, place).keys() - {said.hash})
    else:
        letters.write(tx, place, said, actor)
    return said


def withdraw(tx: Transaction, by: str, project: str, uri: str) -> None:
    """Take an invitation back that nobody has answered. Raise `NotFound`, `NotAllowed`."""
    place = statements.at(tx.db, project)
    invitation = statements.room_of(tx.db, place).invitations.get(uri)
    if invitation is None:
        raise NotFound("there is no such invitation, or it is answered already")
    if invitation.author != by and projects.role_of(tx.db, project, by) != "lead":
        raise NotAllowed("only who made it, or a lead, can withdraw an invitation")
    known.actor(tx.db, invitation.subject or "")
    logbook.say(tx, place, by, lambda write: write.undo(outbox.new_uri(tx), invitation))


def accept(tx: Transaction, account: str, uri: str) -> None:
    """Join a project. Raise `NotFound` for what is no invitation to `account`, `Conflict` if it is not open."""
    row = _open(tx, account, uri)
    place = statements.find(tx.db, row.project)
    if place is None:
        _answer_stranger(tx, row, "accepted")
        return
    replica = statements.replica_of(tx.home, place)
    invitation = statements.room_of(tx.db, place).invitations[uri]
    logbook.say(tx, place, account, lambda write: write.accept(outbox.new_uri(tx), invitation, replica))


def decline(tx: Transaction, account: str, uri: str, reason: str = "") -> None:
    """Say no to an invitation, with a word to who made it if one is given: by a direct post, for all read the log.

    Raise as `accept` does, and `Trouble` for a word that is too long.
    """
    row = _open(tx, account, uri)
    if len(reason) > MAX_TEXT:
        raise Trouble("what you say to them is longer than %(most)s characters", most=MAX_TEXT)
    if reason.strip():
        letters.send(tx, account, known.actor(tx.db, row.inviter), markdown.from_text(reason, tx.home))
    place = statements.find(tx.db, row.project)
    if place is None:
        _answer_stranger(tx, row, "declined")
        return
    invitation = statements.room_of(tx.db, place).invitations[uri]
    logbook.say(tx, place, account, lambda write: write.reject(outbox.new_uri(tx), invitation))


def _check_may_invite(mine: Role | None, role: Role) -> None:
    if mine not in INVITERS:
        raise NotAllowed("only a lead of this project can invite somebody, or whom a lead has made an usher")
    if mine == "usher" and role in INVITERS:
        raise NotAllowed("an usher can invite members and guests; only a lead can invite a lead or another usher")


def _check(tx: Transaction, place: Project, invitee: Actor, text: str) -> None:
    if invitee.type not in ("Person", "Organization", "Service"):
        raise Trouble("only people and studios can be invited")
    if len(text) > MAX_TEXT:
        raise Trouble("what you say to them is longer than %(most)s characters", most=MAX_TEXT)
    if projects.role_of(tx.db, place.uri, invitee.uri):
        raise Conflict("they are in this project already")
    open_ones = statements.room_of(tx.db, place).invitations_at(tx.now)
    if any(one.subject == invitee.uri for one in open_ones):
        raise Conflict("they are invited already; withdraw that invitation to make another")


def _open(tx: Transaction, account: str, uri: str) -> Invitation:
    row = tx.db.scalar(called(uri).where(Invitation.invitee == account).limit(1))
    if row is None:
        raise NotFound("there is no such invitation to you")
    if not row.is_open(tx.now):
        raise (
            Conflict("this invitation has expired")
            if row.state == "open"
            else Conflict("this invitation is %(state)s", state=STANDING[row.state])
        )
    return row


def _answer_stranger(tx: Transaction, row: Invitation, state: Literal["accepted", "declined"]) -> None:
    """Answer other software: there is no log, so it is between us, the inviter and the group."""
    row.state = state
    kind, people = ("Accept" if state == "accepted" else "Reject"), [row.inviter, row.project]
    answer = {"id": outbox.new_uri(tx), "type": kind, "actor": row.invitee, "to": people, "object": row.uri}
    outbox.publish(tx, {"@context": context.ACTIVITY, **answer}, people)


# --- In ----------------------------------------------------------------------------------------------------------


@receives("Invite")
def receive_of_others(tx: Transaction, activity: Activity) -> None:
    """An invitation by other software into a group of its own (P-256), whichever way round it is written."""
    ours = set(tx.db.scalars(select(Account.uri).where(Account.uri.in_(_named(activity)))))
    said = wire.Invitation.read(activity, ours)
    if said.invitee not in ours:
        raise Forbidden(f"{said.id} invites nobody who lives here")
    inviter = known.actor(tx.db, said.author)
    if blocks.exists(tx.db, said.invitee, inviter.uri) or find(tx.db, said.id):
        return
    admission.check_number(tx, said.author)
    row = Invitation(
        id=ids.new(tx.now),
        uri=said.id,
        project=said.place,
        inviter=said.author,
        invitee=said.invitee,
        role=said.role,
        text=said.text,
        since=tx.now,
        until=said.until,
    )
    _add(tx, row)


@receives("Undo", "Invite")
def receive_undo(tx: Transaction, activity: Activity) -> None:
    """Other software takes its invitation back."""
    theirs = called(activity.uri("object") or "").where(Invitation.inviter == activity.actor)
    row = tx.db.scalar(theirs.limit(1))
    if row is not None and row.state == "open":
        row.state = "withdrawn"
        tell(tx, Notice("invitation withdrawn", row.invitee, row.inviter, row.uri))


@receives("Accept")
def receive_approval(tx: Transaction, activity: Activity) -> None:
    """A resource of a forge stands by an invitation to it (P-256): now it is known who that is, and can be answered."""
    row = find(tx.db, activity.uri("object") or "")
    if row is None or not grants.is_meant(resource := known.actor(tx.db, activity.actor), row.project):
        return
    row.project = resource.uri
    if (answer := grants.answer_to(tx.db, row.uri, row.invitee)) is not None:
        outbox.deliver(tx, answer, row.invitee, [resource.uri])


@listens(Grown)
def follow_up(tx: Transaction, event: Grown) -> None:
    """Keep what those who live here are invited to as the log has it, and tell them."""
    rows = tx.db.scalars(select(Invitation).where(Invitation.project == event.project)).all()
    kept = {row.uri: row for row in rows}
    for said in event.room.invitations.values():
        if said.id in kept:
            kept[said.id].state = "open"
        elif admission.is_for_us(tx.db, said):
            _add(tx, _row(tx, said))
    for row in rows:
        if row.uri not in event.room.invitations and (row.state == "open" or _was_in_vain(row, event)):
            _close(tx, row, event)
    for said in event.statements:
        if said.kind in ("accept", "reject"):
            _tell_inviter(tx, event, said)


def _add(tx: Transaction, row: Invitation) -> None:
    """Show it, unless nobody would read it. What the log of a project that we have says is not refused for that."""
    if blocks.exists(tx.db, row.invitee, row.inviter) or admission.is_crowded(tx, row.inviter):
        return
    tx.db.add(row)
    tx.db.flush()
    tell(tx, Notice("invitation", row.invitee, row.inviter, row.uri))


def _row(tx: Transaction, said: Statement) -> Invitation:
    return Invitation(
        id=ids.new(tx.now),
        uri=said.id,
        project=said.project,
        inviter=said.author,
        invitee=said.subject or "",
        role=said.role or "member",
        text=said.text,
        since=tx.now,
        until=said.until,
    )


def _was_in_vain(row: Invitation, event: Grown) -> bool:
    """Whether it was accepted without knowing that it had been withdrawn."""
    is_undone = any(one.kind == "undo" and one.about == row.uri for one in event.statements)
    return row.state == "accepted" and row.invitee not in event.room.members and is_undone


def _close(tx: Transaction, row: Invitation, event: Grown) -> None:
    """It is open no longer: it was answered, or taken back, or whoever made it was no lead any more."""
    about = {one.kind: one for one in event.statements if one.about == row.uri}
    if row.invitee in event.room.members:
        row.state = "accepted"
    elif "reject" in about:
        row.state = "declined"
    else:
        row.state = "withdrawn"
        by = about["undo"].author if "undo" in about else row.inviter
        tell(tx, Notice("invitation withdrawn", row.invitee, by, row.uri))


def _tell_inviter(tx: Transaction, event: Grown, answer: Statement) -> None:
    asked = (Entry.project == event.project, Entry.uri == answer.about, Entry.kind == "invite")
    inviter = tx.db.scalar(select(Entry.author).where(*asked).limit(1))
    if inviter and known.is_local(tx.db, inviter):
        member = event.room.members.get(answer.author)
        if answer.kind == "reject":
            tell(tx, Notice("invitation declined", inviter, answer.author, event.project))
        elif member and member.since == answer.id:
            tell(tx, Notice("invitation accepted", inviter, answer.author, event.project))


def _named(activity: Activity) -> list[str]:
    return [*activity.uris("object"), *activity.uris("target")]


# --- Queries -----------------------------------------------------------------------------------------------------


def invitations_for(account: str, now: datetime) -> Select[Invitation]:
    """What somebody here is invited to and has not answered, newest first."""
    mine = select(Invitation).where(Invitation.invitee == account, admission.open_at(now))
    return mine.order_by(Invitation.id.desc())


def called(uri: str) -> Select[Invitation]:
    """Those whose Invite has that id, as a rule one; if somebody used it twice, one that waits for an answer first."""
    return select(Invitation).where(Invitation.uri == uri).order_by(Invitation.state != "open", Invitation.id)


def find(db: Session, uri: str) -> Invitation | None:
    return db.scalar(called(uri).limit(1))


def inviting(account: str) -> Select[Project]:
    """The projects into which somebody may invite members, the one they joined last first."""
    mine = select(Membership.project).where(Membership.member == account, Membership.role.in_(INVITERS))
    return select(Project).where(Project.uri.in_(mine)).order_by(Project.id.desc())
