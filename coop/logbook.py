"""Writing in the logs of projects: signed statements in and out, by their authors' proofs alone (P-251 to P-254).

The law: a statement is taken for its author's proof, whoever brings it, and only what its author might say is kept; so
every server that has the same statements has the same members.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from itertools import accumulate

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from activitypub import context, html
from activitypub.actor import Actor as Profile
from activitypub.document import Document, Json
from activitypub.errors import Forbidden, Malformed
from activitypub.origin import Activity, host
from activitypub.proof import hash_of
from activitypub.statement import MAX_SIZE, Role, Statement, Writer
from coop import admission, floods, membership, statements, vouchers
from coop.admission import Invitation
from coop.errors import Conflict, NotAllowed, Trouble
from coop.events import Grown, tell
from coop.keepsakes import Keepsake
from coop.membership import Room
from coop.statements import (
    Entry,
    Membership,
    Project,
    derived,
    find,
    find_entry,
    lent_history,
    log,
    past,
    read,
    room_of,
    said_in,
)
from coop.vouchers import Voucher
from federation import actors, ids, known, outbox
from federation.registry import receives, recognises_activity
from federation.store import Transaction
from federation.tables import Actor, Receipt

HELD = timedelta(days=7)  # so long a statement waits for those that it comes after (P-253)
MAX_SUMMARY = 20_000  # characters: made clean, it may be longer than what was said, and has to fit into our own words
MAX_NAMED = 6_000  # octets of the members whom a statement names
KINDS = ("Create", "Invite", "Undo", "Accept", "Reject", "Join", "Add", "Remove", "Leave", "Update")


class Full(Forbidden):
    """There is no room for it in the log of its project, whoever says it."""


# --- In ----------------------------------------------------------------------------------------------------------


@recognises_activity("Statement")
def is_statement(activity: Document) -> bool:
    """Only a statement says what it comes after (P-209)."""
    return activity.has("after") and activity.has("context") and activity.type in KINDS


def receive(tx: Transaction, activity: Activity) -> None:
    """A statement from its author, or byte for byte from anybody. Raise as `learn` does."""
    document = as_sent(tx.db, activity)
    _introduce(tx, activity, document)
    learn(tx, document)


for _kind in KINDS:
    if _kind != "Reject":  # `coop.joining` looks at those
        receives(_kind, "Statement")(receive)


@receives("Add")
def receive_from_another(tx: Transaction, activity: Activity) -> None:
    """A statement that somebody passes on, embedded whole: who that is matters for no more than its author's key."""
    add = as_sent(tx.db, activity)
    for document in add.embeddeds("object"):
        if is_statement(document):
            statement = Statement.read(document)
            is_early = _is_early(tx.db, activity.actor, statement)
            if is_early or _concerns_us(tx.db, statement):
                vouchers.receive(tx, add, activity, statement)
            if is_early:
                raise known.TooEarly(f"{statement.project} is new here, and nobody has looked at the invitation yet")
            _introduce(tx, activity, document)
            learn(tx, document)


def _is_early(db: Session, carrier: str, statement: Statement) -> bool:
    """Whether `carrier` invited somebody to a project new to us, and that itself still has to wait."""
    invites = (Receipt.actor == carrier, Receipt.type == "Invite", Receipt.state == "waiting")
    return not _concerns_us(db, statement) and db.scalar(select(Receipt.id).where(*invites).limit(1)) is not None


def _introduce(tx: Transaction, activity: Activity, document: Document) -> None:
    """Have the server of a project that is new here asked who that is, once (P-255); and that of a new face (P-259).

    Where it sleeps, the genesis that comes with the log is enough.
    """
    new = None
    if document.type == "Invite" and admission.is_first(tx.db, statement := Statement.read(document)):
        new = statement.project
    elif document.type == "Update" and (group := Statement.read(document).group):
        new = _face(group, group.id)
    if new and not tx.db.scalar(select(Receipt.attempts).where(Receipt.uri == activity.id)):
        known.actor(tx.db, new)


def as_sent(db: Session, activity: Activity) -> Document:
    """All of `activity`, others' words included: hashes and proofs of statements are over every byte.

    Raise `Forbidden` if it did not come by itself, but in somebody's Announce.
    """
    body = db.scalar(select(Receipt.body).where(Receipt.uri == activity.id))
    if body is None:
        raise Forbidden(f"{activity.id} is for a project's log, and is not boosted")
    return Document.parse(body)


def learn(tx: Transaction, document: Document) -> None:
    """Take a statement into the log of its project, if that concerns us, with all that was waiting for it.

    Raise `Missing` if its author is a stranger, `Unverified` without the author's proof, `Malformed` if it is no
    statement, and `Forbidden` if its author might not say it, or not so much of it: then it is never stored. A project
    to which nobody here turns out to be invited is not kept, either.
    """
    statement = Statement.read(document)
    if find_entry(tx.db, statement.hash) or not _concerns_us(tx.db, statement):
        return
    vouchers.proven(tx, document, statement.project)
    admission.check(tx, statement)
    floods.check(tx, statement)
    tx.db.add(_entry(tx, statement, document))
    tx.db.flush()
    _settle(tx, statement.project)
    entry = find_entry(tx.db, statement.hash)
    if entry is None:
        raise Forbidden(f"{statement.author} might not say this in {statement.project}, as the project's log stands")
    if entry.held:
        floods.check_held(tx.db, host(statement.author))
    if not _concerns_us(tx.db, statement):
        drop(tx, statement.project)


def _entry(tx: Transaction, statement: Statement, document: Document) -> Entry:
    return Entry(
        id=ids.new(tx.now),
        hash=statement.hash,
        uri=statement.id,
        project=statement.project,
        kind=statement.kind,
        author=statement.author,
        subject=statement.subject,
        received=tx.now,
        held=True,
        document=document.json,
    )


def _concerns_us(db: Session, statement: Statement) -> bool:
    """Whether the project's face is or was here, or somebody here is in it or was invited to it."""
    lent = select(Project.id).where(Project.uri == statement.project, Project.moved_to.in_(known.locals_of(db)))
    if known.is_local(db, statement.project) or db.scalar(lent):
        return True
    ours = select(Actor.uri).where(Actor.local)
    invited = select(Entry.id).where(Entry.project == statement.project, Entry.kind == "invite")
    inside = select(Membership.id).where(Membership.project == statement.project)
    if db.scalar(invited.where(Entry.subject.in_(ours)).limit(1)) or db.scalar(
        inside.where(Membership.member.in_(ours)).limit(1)
    ):
        return True
    return admission.is_for_us(db, statement)


def _settle(tx: Transaction, uri: str) -> None:
    """Take what is held and waits for nothing any more, and keep what follows from the whole log."""
    late = (Entry.project == uri, Entry.held, Entry.received < tx.now - HELD)
    tx.db.execute(delete(Entry).where(*late))
    held = {row.hash: row for row in tx.db.scalars(select(Entry).where(Entry.project == uri, Entry.held))}
    project = find(tx.db, uri) or _founded(tx, uri, [read(row) for row in held.values()])
    said = said_in(tx.db, project) if project else {}
    if len(said) + len(held) > membership.MAX_STATEMENTS:
        raise Full(f"the log of a project has at most {membership.MAX_STATEMENTS:,} statements")
    if project is None:
        return
    news = _take_what_stands(tx, project.fingerprint, held, said)
    if not news:
        return
    room = derived(said, project.fingerprint)
    statements.has_grown(tx.db, project, said, room)
    before = _remember(tx, project, room)
    tell(tx, Grown(uri, room, before, tuple(news)))


def _take_what_stands(
    tx: Transaction, fingerprint: str, held: Mapping[str, Entry], said: dict[str, Statement]
) -> list[Statement]:
    """Add to `said` what is held no longer; what its author might not say is removed, here as everywhere."""
    news: list[Statement] = []
    waiting = {one: read(row) for one, row in held.items()}
    while ready := sorted(one for one, statement in waiting.items() if said.keys() >= set(statement.after)):
        candidates = {one: waiting.pop(one) for one in ready}
        with lent_history(said | candidates, fingerprint) as history:
            sound = [one for one in ready if history.stands(one)]
        for one in sound:
            held[one].held = False
            said[one] = candidates[one]
            news.append(candidates[one])
        for one in candidates.keys() - sound:
            tx.db.delete(held[one])
    tx.db.flush()
    return news


def _founded(tx: Transaction, uri: str, said: Iterable[Statement]) -> Project | None:
    """The project, once its genesis is here: ours, or the one whose fingerprint an invitation to us names (P-255).

    The genesis is its founder's word about an actor of their own server; if we have met that actor, it has to agree.
    """
    ours = known.is_local(tx.db, uri)
    wanted = {one.fingerprint for one in said if one.kind == "invite" and known.is_local(tx.db, one.subject or "")}
    for one in said:
        if one.group is None or one.kind != "create" or not (ours or one.hash in wanted):
            continue
        actor = tx.db.scalar(select(Actor).where(Actor.uri == uri)) or actors.keep(tx, one.group)
        profile = Profile.read(one.group)
        if _agrees(Document(actor.document), one) and profile.members and profile.log:
            row = Project(
                id=ids.new(tx.now),
                uri=uri,
                fingerprint=one.hash,
                founder=one.author,
                members=profile.members,
                log=profile.log,
                since=tx.now,
                needed=tx.now,
            )
            tx.db.add(row)
            tx.db.flush()
            return row
    return None


def _agrees(actor: Document, genesis: Statement) -> bool:
    """Whether a project's actor names the founder and, if any, the fingerprint that follow from its first statement."""
    return actor.uri("attributedTo") == genesis.author and actor.text("fingerprint") in ("", genesis.hash)


def _remember(tx: Transaction, project: Project, room: Room) -> dict[str, Role]:
    """Keep what follows from the log where queries find it; return who was a member before, and as what.

    Whoever is no more, as their own server said, is in it no longer (P-116), though nobody has a word about that in the
    log, and no authority of others depends on it.
    """
    if room.group is not None:
        project.name = html.single_line(room.group.text("name"), 500)
        project.summary = html.clean(html.clean(room.group.text("summary"))[:MAX_SUMMARY])
        project.public = room.group.flag("discoverable")
        project.moved_to = _face(room.group, project.uri)
    rows = {row.member: row for row in tx.db.scalars(select(Membership).where(Membership.project == project.uri))}
    before = {uri: row.role for uri, row in rows.items()}
    gone = set(tx.db.scalars(select(Actor.uri).where(Actor.uri.in_(room.members), Actor.gone.is_not(None))))
    present = {uri: member for uri, member in room.members.items() if uri not in gone}
    for uri in rows.keys() - present.keys():
        tx.db.delete(rows[uri])
    for uri, member in present.items():
        row = rows.get(uri)
        if row is None:
            new = Membership(
                id=ids.new(tx.now), project=project.uri, member=uri, role=member.role, capability=member.since
            )
            tx.db.add(new)
        else:
            row.role, row.capability = member.role, member.since
    tx.db.flush()
    return before


def _face(group: Document, project: str) -> str | None:
    """Where a lead says that the public face is, if it is not with the project itself (P-259)."""
    face = html.safe_url(group.uri("movedTo"))
    return None if face == project else face


def forget(tx: Transaction, project: Project, lies: Collection[str]) -> None:
    """Take back statements that turn out to be forged, with all that was said after them; even the project itself."""
    said = said_in(tx.db, project)
    doomed = {one for one, statement in said.items() if one in lies or not past(statement, said).isdisjoint(lies)}
    for row in tx.db.scalars(select(Entry).where(Entry.project == project.uri)).all():
        if row.hash in doomed or row.hash in lies:
            tx.db.delete(row)
    tx.db.flush()
    room = derived(said_in(tx.db, project), project.fingerprint)
    before = _remember(tx, project, room)
    tell(tx, Grown(project.uri, room, before, ()))
    if project.fingerprint in doomed:
        tx.db.delete(project)
        tx.db.flush()


def drop(tx: Transaction, project: str) -> None:
    """Keep nothing of a project that does not concern us: what members said to each other nobody here can read."""
    for column in (Entry.project, Membership.project, Voucher.project, Invitation.project, Keepsake.project):
        tx.db.execute(delete(column.class_).where(column == project))
    tx.db.execute(delete(Project).where(Project.uri == project))
    statements.forget(tx.db)


# --- Out ---------------------------------------------------------------------------------------------------------


def begin(tx: Transaction, founder: str, uri: str, group: Json) -> None:
    """Make the first statement of a project, which nobody else has to know yet (P-250)."""
    write = Writer(founder, uri, f"{uri}/members", (), (), tx.now)
    sent = _state(tx, write.genesis(outbox.new_uri(tx), group), ())
    actor = known.actor(tx.db, uri)
    actor.document = {**actor.document, "fingerprint": hash_of(sent.json)}
    tx.db.flush()


def say(tx: Transaction, project: Project, author: str, write: Callable[[Writer], Json]) -> Statement:
    """Make a statement after all that we know, tell everybody whom it concerns, and keep it (P-254).

    Raise `NotAllowed` if the project's log does not let `author` say that, `Conflict` if there is no room in it any
    more, `Trouble` if it is too long.
    """
    room = room_of(tx.db, project)
    people = (*([project.moved_to] if project.moved_to else []), *_named(room))
    activity = write(Writer(author, project.uri, project.members, room.heads, people, tx.now))
    try:
        document = _state(tx, activity, activity["to"])
    except Full as error:
        raise Conflict(
            "%(name)s: its log is full, so nothing about it, or about who is in it, can be changed any more. You can "
            "still talk in its room; for all else found a new project, and invite its members there",
            name=project.name,
        ) from error
    except Forbidden as error:
        raise NotAllowed("your role in this project does not allow that, or not any more") from error
    return Statement.read(document)


def _state(tx: Transaction, activity: Json, to: Collection[str]) -> Document:
    """Publish a statement, and keep it. Raise `Trouble` if it is too long, and as `learn` does."""
    try:
        document = Document.parse(outbox.publish(tx, activity, to).body)
        learn(tx, document)
    except (Malformed, outbox.TooLong) as error:
        raise Trouble(
            "what is said about a project takes up to %(most)s bytes in all: shorten it", most=MAX_SIZE
        ) from error
    return document


def _named(room: Room) -> tuple[str, ...]:
    """As many of the members as a statement has room for; to all others `coop.carriers` brings it."""
    ends = accumulate(len(uri.encode()) for uri in room.members)
    return tuple(uri for uri, end in zip(room.members, ends, strict=True) if end <= MAX_NAMED)


def pass_on(tx: Transaction, project: Project, by: str, to: str, hashes: Collection[str]) -> None:
    """Send `to` those statements of the log, each whole and with the key that proves it (P-254, P-243).

    Who lives here reads the same store.
    """
    if known.is_local(tx.db, to):
        return
    for entry in tx.db.scalars(log(project.uri).where(Entry.hash.in_(hashes))).all():
        add = {"id": outbox.new_uri(tx), "type": "Add", "actor": by, "to": [to], "target": project.log}
        key = vouchers.vouch(tx.db, entry.document, tx.now)
        terms = {"object": entry.document} | ({"vouchedKey": key} if key else {})
        outbox.publish(tx, {"@context": context.HANDOVER, **add, **terms}, [to])
