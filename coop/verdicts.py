"""What may be said of an endorsement: asked of its giver's server, from our own memory, or from a copy alone (P-242).

The law: a verdict follows from the signed object, the keys that we saw ourselves, and the revocations that we hold.
What we saw outlasts the server where we saw it; a key that only came with a copy never counts as seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from activitypub import badge, endorsement, keys, proof
from activitypub.collection import Walk
from activitypub.document import Document, Json
from activitypub.endorsement import Bundle, Judgement, KeySeen
from activitypub.errors import Malformed, ProtocolError
from activitypub.origin import origin
from activitypub.sentence import Sentence
from coop import endorsements
from coop.endorsements import Endorsement, Snapshot
from coop.errors import Trouble
from federation import discovery, known
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.registry import errand
from federation.store import Transaction
from federation.tables import Actor

FRESH = timedelta(days=7)  # so long after its giver's server stood by it an endorsement is simply valid
EVERY = timedelta(minutes=1)
AHEAD = timedelta(days=1)  # before that time is over, so that a server may be away for a night
AGAIN = timedelta(hours=6)  # after which one that confirmed nothing is asked once more
AT_ONCE = 5  # givers who are asked in one round

FindKey = Callable[[str], keys.Key | None]


async def check(here: Instance, uri: str) -> Judgement:
    """Ask the endorser's server for its keys and revocations, as far as it answers, then judge (P-242, B6).

    Raise `coop.errors.NotFound` if no such endorsement is known here.
    """
    row = await here.store.read(lambda db: endorsements.at(db, uri))
    if row.revoked is None and origin(row.endorser) != origin(here.home):
        with suppress(ProtocolError, Unreachable, Gone):
            await _confirm(here, row.endorser)
    return await here.store.read(lambda db: verdict_offline(db, endorsements.at(db, uri), here.now()))


def verdict_offline(db: Session, row: Endorsement, now: datetime) -> Judgement:
    """What we can say without asking anybody."""
    [found] = _judged(db, [row], now)
    return found


def _judged(db: Session, rows: Sequence[Endorsement], now: datetime) -> list[Judgement]:
    """What may be said of each, in the same few queries however many there are: pages show some forty."""
    if not rows:
        return []
    here = known.locals_of(db)
    held = known.keys_of(db, {uri for row in rows for uri in claimed(Document(row.inner))})
    givers = {row.endorser for row in rows}
    asked = dict(db.execute(select(Snapshot.actor, Snapshot.asked).where(Snapshot.actor.in_(givers))).all())
    gone = set(db.scalars(select(Actor.uri).where(Actor.uri.in_(givers), Actor.gone.is_not(None))))
    judged = []
    for row in rows:
        is_fresh = row.confirmed is not None and now <= row.confirmed + FRESH
        seen: KeySeen = "live" if is_fresh or row.endorser in here else _remembered(row, asked.get(row.endorser))
        seen = "gone" if row.endorser in gone else seen
        judged.append(judge(Document(row.inner), held.get, seen, now, row.revoked))
    return judged


def claimed(inner: Document) -> Iterable[str]:
    """The ids of the keys by which it says that it is proven."""
    return (uri for one in inner.embeddeds("proof") if (uri := one.uri("verificationMethod")))


def _remembered(row: Endorsement, asked: datetime | None) -> KeySeen:
    """Whether a server confirmed nothing or was not even asked: nobody is to be called silent who was not spoken to."""
    return "silent" if asked and (row.confirmed is None or row.confirmed < asked) else "memory"


def with_verdicts(db: Session, rows: Select[Endorsement], now: datetime) -> list[tuple[Endorsement, Judgement]]:
    """Each endorsement of a query (`endorsements.shown_of`, say, with its limit) and what may be said of it.

    What was altered or revoked is among them, as such: nobody should miss it without knowing.
    """
    found = db.scalars(rows).all()
    return list(zip(found, _judged(db, found, now), strict=True))


def judge(inner: Document, find: FindKey, seen: KeySeen, now: datetime, revoked: datetime | None = None) -> Judgement:
    """The verdict on a signed object; `find` gives the keys that count, `seen` tells how we know them."""
    try:
        said = endorsement.Endorsement.read(inner)
    except ProtocolError as error:
        return Judgement("invalid", endorsement.refused(error))
    claims: tuple[proof.Proof, ...] = ()
    with suppress(ProtocolError):
        claims = proof.read(inner.json, now)
    is_unknown = bool(claims) and not any(find(one.key_id) for one in claims)
    return endorsement.verdict(
        said,
        proof_ok=_holds(inner, find, now),
        revoked=revoked,
        key_seen=None if is_unknown else seen,
        now=now,
    )


def _holds(inner: Document, find: FindKey, now: datetime) -> bool:
    try:
        proof.verify(inner.json, find, now)
    except ProtocolError:
        return False
    return True


# --- Live --------------------------------------------------------------------------------------------------------


@errand(EVERY)
async def keep_confirmed(here: Instance) -> None:
    """Ask those who vouch for people here, for visitors are to see what holds now, and never ask anybody themselves."""
    for endorser in await here.store.read(lambda db: db.scalars(_due(here.now())).all()):
        with suppress(ProtocolError, Unreachable, Gone):
            await _confirm(here, endorser)


def _due(now: datetime) -> Select[str]:
    """Who gave something that is shown here, and has not stood by it lately."""
    subject = select(Actor.uri).where(Actor.local)
    shown = (Endorsement.display == "accepted", Endorsement.revoked.is_(None), Endorsement.subject.in_(subject))
    is_late = or_(Endorsement.confirmed.is_(None), Endorsement.confirmed < now - FRESH + AHEAD)
    may_be_asked = (~Actor.local, Actor.gone.is_(None), or_(Snapshot.asked.is_(None), Snapshot.asked < now - AGAIN))
    query = select(Endorsement.endorser).join(Actor, Actor.uri == Endorsement.endorser)
    query = query.join(Snapshot, Snapshot.actor == Endorsement.endorser).where(*shown, is_late, *may_be_asked)
    return query.distinct().limit(AT_ONCE)


async def _confirm(here: Instance, endorser: str) -> None:
    """Bring the endorser's keys and revocations up to date. Raise if its server gives none."""
    asked = update(Snapshot).where(Snapshot.actor == endorser)
    await here.store.write(lambda tx: tx.db.execute(asked.values(asked=tx.now)))
    if not await discovery.refresh(here, endorser):
        return
    actor = await here.store.read(lambda db: known.actor(db, endorser))
    said = await revocations(here, Document(actor.document))
    await here.store.write(lambda tx: _stand_by(tx, endorser, said))


async def revocations(here: Instance, actor: Document) -> list[Document]:
    """The signed Deletes that an actor lists, as far as we follow a collection (P-245). Raise `Malformed` without."""
    upcoming = actor.uri("revocations")
    if upcoming is None or origin(upcoming) != origin(actor.id):
        raise Malformed(f"{actor.id} does not say what it revoked")
    walk, signer = Walk(upcoming), await here.signer(here.uri)
    while upcoming is not None:
        upcoming = walk.take(await here.client.document(upcoming, signer))
    return [one for one in walk.items if isinstance(one, Document)]


def _stand_by(tx: Transaction, endorser: str, revocations: Iterable[Document]) -> None:
    """Take back what the endorser took back; everything else is confirmed as of now."""
    endorsements.remember(tx, known.actor(tx.db, endorser))
    theirs = {row.uri: row for row in tx.db.scalars(select(Endorsement).where(Endorsement.endorser == endorser))}
    for deletion in revocations:
        for uri in deletion.uris("object"):
            row = theirs.get(uri.removesuffix(endorsement.FRAGMENT))
            if row is not None and endorsements.is_signed(tx.db, row.uri, endorser, deletion, tx.now):
                endorsements.revoked(tx, row, deletion)
                known.bury(tx, row.uri, row.endorser)
    for row in theirs.values():
        row.confirmed = tx.now
    tx.db.flush()


# --- Copies ------------------------------------------------------------------------------------------------------


def bundle(db: Session, row: Endorsement) -> Json:
    """A copy that can be verified when its giver's server is gone (P-243)."""
    seen = db.get(Snapshot, row.endorser)
    kept = [(seen.first, seen.first_seen), (seen.last, seen.last_seen)] if seen else []
    distinct = kept[:1] if len(kept) > 1 and kept[0][0] == kept[1][0] else kept
    snapshots = tuple(endorsement.Snapshot(Document(actor), moment) for actor, moment in distinct)
    revocation = Document(row.revocation) if row.revocation else None
    return Bundle(Document(row.inner), snapshots, row.received, _proving(db, row), revocation).write()


def _proving(db: Session, row: Endorsement) -> tuple[Json, ...]:
    """The keys that prove an endorsement, or that it was taken back, whatever keys its giver has had since."""
    wanted = {uri for one in (row.inner, row.revocation or {}) for uri in claimed(Document(one))}
    held = known.keys_of(db, wanted).values()
    return tuple(keys.as_multikey(key) for key in held if key.owner == row.endorser)


def credential(db: Session, row: Endorsement, now: datetime) -> Json:
    """An endorsement that holds as an Open Badge. Raise `Trouble` if its giver signed none, or it does not hold."""
    check_holds(db, row, now)
    if row.badge is None:
        raise Trouble("it came without its giver's signature as an Open Badge, and only its giver can make one")
    written = badge.write(row.inner, row.badge)
    try:
        badge.check(written, _prover(Document(row.inner), partial(known.key, db)))
    except ProtocolError as error:
        raise Trouble("its giver's signature as an Open Badge does not hold: ask them to give it anew") from error
    return written


def check_holds(db: Session, row: Endorsement, now: datetime) -> None:
    """Raise `Trouble`, with the verdict, for one that nobody should be shown as a reference."""
    found = verdict_offline(db, row, now)
    if not found.verdict.startswith("valid"):
        raise Trouble("this endorsement is not shown as a reference: %(why)s", why=found.reason)


def shown(db: Session, hash_: str) -> Endorsement | None:
    """What is shown at ``/endorsements/HASH``; ``None`` unless its subject, one of us, shows it."""
    row = db.scalar(select(Endorsement).where(Endorsement.hash == hash_))
    return row if row and row.display == "accepted" and known.is_local(db, row.subject) else None


def served(db: Session, hash_: str) -> Json | None:
    """The copy that is served at ``/endorsements/HASH.json``; ``None`` of what is not shown or was taken back."""
    row = shown(db, hash_)
    return bundle(db, row) if row and row.revoked is None else None


def verify_file(
    body: bytes,
    known_key: FindKey,
    now: datetime,
    revoked_at: Callable[[Document], datetime | None] = lambda inner: None,
    seen: Callable[[Document], KeySeen] = lambda inner: "memory",
) -> tuple[Document, Judgement]:
    """The signed object in a file, and what may be said of it without any network.

    The keys that `known_key` gives are those that we saw ourselves; only where it has none do those count that came in
    the file, and never for more than ``valid by copy`` (P-335). Raise `Malformed` if there is no endorsement in it.
    """
    document = Document.parse(body)
    copy = Bundle.read(document)
    inner = copy.endorsement
    own = judge(inner, known_key, seen(inner), now, revoked_at(inner) or _taken_back(copy, known_key, now))
    if own.verdict != "unknown":
        return inner, _with_badge(document, inner, own, known_key)
    listed = copy.listed().get
    return inner, judge(inner, listed, "bundle", now, _taken_back(copy, listed, now))


def _taken_back(copy: Bundle, find: FindKey, now: datetime) -> datetime | None:
    """As of when its giver took it back, by the signed word of that in the same file (P-245)."""
    deletion = copy.revocation
    if deletion is None or not is_taken_back(copy.endorsement, deletion, find, now):
        return None
    made = deletion.embedded("proof")
    return (made.time("created") if made else None) or now


def is_taken_back(inner: Document, deletion: Document, find: FindKey, now: datetime) -> bool:
    """Whether `deletion` is the signed word of whoever gave it that it holds no more."""
    uri, author = inner.uri("id"), inner.uri("attributedTo")
    return bool(uri and author and endorsement.revokes(deletion, uri, author)) and _holds(deletion, find, now)


def _with_badge(document: Document, inner: Document, found: Judgement, find: FindKey) -> Judgement:
    """The same of an Open Badge: what it says around the endorsement is signed as well, and read first by most."""
    if not badge.is_one(document) or not found.verdict.startswith("valid"):
        return found
    try:
        badge.check(document.json, _prover(inner, find))
    except ProtocolError as error:
        return Judgement("invalid", endorsement.refused(error))
    return found


def _prover(inner: Document, find: FindKey) -> keys.Key:
    """The key of its giver's that an endorsement, which holds, is proven by."""
    found = [key for uri in claimed(inner) if (key := find(uri))]
    return found[0]


def verify_here(db: Session, body: bytes, now: datetime) -> tuple[Document, Judgement]:
    """The same with all that this server has seen. Raise as `verify_file` does."""
    inner, found = verify_file(body, partial(known.key, db), now, partial(revoked_at, db), partial(_seen, db))
    first = endorsements.find(db, inner.uri("id") or "")
    if first is not None and first.revoked is None and first.hash != proof.hash_of(inner.json):
        return inner, Judgement(
            "invalid", Sentence("It is not what came first under this id: it was altered, or given twice.")
        )
    return inner, found


def revoked_at(db: Session, inner: Document) -> datetime | None:
    """As of when whoever gave it took it back, as far as we know, even if the endorsement itself never came here."""
    uri, author = inner.uri("id") or "", inner.uri("attributedTo")
    row = endorsements.find(db, uri)
    if row is not None:
        return row.revoked if row.endorser == author else None
    note = known.find(db, uri.removesuffix(endorsement.FRAGMENT))
    return note.deleted if note is not None and note.author == author else None


def _seen(db: Session, inner: Document) -> KeySeen:
    """How we know the keys of its giver."""
    return "gone" if db.scalar(select(Actor.gone).where(Actor.uri == inner.uri("attributedTo"))) else "memory"
