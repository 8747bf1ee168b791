"""Of all the actors, posts and projects of other servers, those that somebody here still has to do with (P-327)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Select, delete, exists, literal, or_, select, union, update
from sqlalchemy.orm import InstrumentedAttribute, Mapped, aliased, mapped_column

from activitypub import audience
from coop import admission, logbook
from coop.accounts import Account
from coop.admission import Invitation
from coop.agreements import Agreement
from coop.blocks import Block
from coop.circles import Circle, Introduction
from coop.commitments import Commitment
from coop.endorsement_requests import EndorsementRequest
from coop.endorsements import Endorsement, Snapshot
from coop.events import Departed, Edited, Erased, Shown, listens
from coop.faces import Face
from coop.feed import Entry
from coop.follows import Follow
from coop.grants import Grant
from coop.keepsakes import Keepsake
from coop.links import VerifiedLink
from coop.mailboxes import Buddy
from coop.moving import Relocation
from coop.mutes import Mute
from coop.notifications import Notification
from coop.offers import Offer
from coop.pins import Pin
from coop.posts import READABLE
from coop.reactions import Reaction, Tally
from coop.responses import Response
from coop.revisions import Revision
from coop.statements import Entry as Statement
from coop.statements import Membership, Project
from coop.visits import Visit
from coop.vouchers import Voucher
from federation.registry import chore, needs
from federation.store import Transaction
from federation.tables import Actor, Object, Row

DELETED = timedelta(days=90)  # so long a late copy of a deleted post is known for what it is (P-112)
LEFT = timedelta(days=30)  # so long a project is kept that nobody here is, was or can be in
SOME = 200  # in one transaction
FEW = 5  # projects, each of which may have ten thousand statements


class Addressee(Row):
    """Whom a post from here names: its author may edit it or take it back, and then they have to be told."""

    __tablename__ = "addressees"

    object: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(primary_key=True, index=True)


# Every column in which an actor of another server may stand; a test sees to it that none is missing.
NAMES: tuple[InstrumentedAttribute[str] | InstrumentedAttribute[str | None], ...] = (
    Addressee.actor,
    Agreement.accepted_by,
    Agreement.proposer,
    Agreement.provider,
    Agreement.responder,
    Block.by,
    Block.blocked,
    Buddy.buddy,
    Buddy.owner,
    Commitment.author,
    Commitment.project,
    Commitment.provider,
    Commitment.receiver,
    Circle.actor,
    Endorsement.endorser,
    Endorsement.subject,
    EndorsementRequest.by,
    EndorsementRequest.to,
    Entry.boosted_by,
    Face.project,
    Follow.follower,
    Follow.followed,
    Grant.resource,
    Introduction.by,
    Invitation.inviter,
    Invitation.invitee,
    Invitation.project,
    Keepsake.project,
    Membership.member,
    Membership.project,
    Mute.muted,
    Notification.about,
    Notification.by,
    Offer.author,
    Pin.actor,
    Project.founder,
    Project.moved_to,
    Project.uri,
    Reaction.actor,
    Relocation.origin,
    Relocation.target,
    Response.by,
    Response.to,
    Snapshot.actor,
    Statement.author,
    Statement.project,
    Statement.subject,
    VerifiedLink.actor,
    Visit.whom,
    Voucher.by,
    Voucher.owner,
    Voucher.project,
)
OF_POSTS = (Entry.object, Pin.object, Reaction.object, Revision.object, Tally.object)


@needs
def needed(some: Collection[str]) -> Select[str]:
    """Those of `some` that a feature here refers to."""
    found = union(*(select(name).where(name.in_(some)) for name in NAMES)).subquery()
    return select(found.c[0])


@listens(Shown)
@listens(Edited)
def remember(tx: Transaction, event: Shown | Edited) -> None:
    """A project's members are remembered as such."""
    row = event.object
    if not row.local or row.visibility == "project" or (isinstance(event, Shown) and event.boosted_by):
        return
    named = [uri for uri in audience.recipients(row.said) if not uri.startswith(f"{tx.home}/")]
    if named:
        people = select(literal(row.id), Actor.uri).where(Actor.uri.in_(named))
        tx.db.execute(tx.insert(Addressee).from_select(["object", "actor"], people).on_conflict_do_nothing())


@listens(Erased)
def forget(tx: Transaction, event: Erased) -> None:
    if event.object.local:
        tx.db.execute(delete(Addressee).where(Addressee.object == event.object.id))


@listens(Departed)
def forget_all(tx: Transaction, event: Departed) -> None:
    theirs = select(Object.id).where(Object.author == event.actor, Object.local)
    tx.db.execute(delete(Addressee).where(Addressee.object.in_(theirs)))


@chore(timedelta(hours=1))
def clear(tx: Transaction) -> bool:
    """Forget that there were posts of others, which they deleted, unless one of us answered them."""
    answer = aliased(Object)
    answered = exists().where(answer.reply_to == Object.uri, answer.local)
    response = exists().where(Response.uri == Object.uri)
    kinds = (*READABLE, "EndorsementRequest")
    old = (Object.deleted < tx.now - DELETED, Object.type.in_(kinds), ~Object.local, ~answered, ~response)
    some = tx.db.scalars(select(Object.id).where(*old).limit(SOME)).all()
    for column in OF_POSTS:
        tx.db.execute(delete(column.class_).where(column.in_(some)))
    tx.db.execute(delete(Object).where(Object.id.in_(some)))
    return len(some) == SOME


@chore(timedelta(hours=1))
def clear_projects(tx: Transaction) -> bool:
    """Forget projects that nobody here has a part in any more, and what waits for what never came (P-253)."""
    part = or_(
        Project.uri.in_(select(Actor.uri).where(Actor.local)),
        Project.uri.in_(select(Membership.project).where(Membership.member.in_(select(Account.uri)))),
        Project.uri.in_(select(Invitation.project).where(admission.open_at(tx.now))),
        Project.uri.in_(select(Keepsake.project)),
        Project.uri.in_(select(Face.project)),
    )
    tx.db.execute(update(Project).where(part).values(needed=tx.now))
    few = tx.db.scalars(select(Project.uri).where(Project.needed < tx.now - LEFT).limit(FEW)).all()
    for uri in few:
        logbook.drop(tx, uri)
    tx.db.execute(delete(Statement).where(Statement.held, Statement.received < tx.now - logbook.HELD))
    elsewhere = Invitation.project.not_in(select(Project.uri))
    tx.db.execute(delete(Invitation).where(elsewhere, Invitation.since < tx.now - LEFT, ~admission.open_at(tx.now)))
    return len(few) == FEW
