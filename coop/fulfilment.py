"""How commitments end: kept, as their receiver says, or released; and shown to everybody, if both of them want it.

The law: the provider may say that it is done, but it is kept once the receiver says so, who alone can release. Each
signs for oneself (FEP-c5a1's ``EconomicEvent``), and only who signed that it was kept can agree to its being shown.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select

from activitypub import commitment as wire
from activitypub import context, markdown
from activitypub.document import Document, Json
from activitypub.errors import Forbidden
from activitypub.origin import Activity
from coop import commitments, projects, promises, vouchers
from coop.commitments import Commitment
from coop.errors import Conflict, NotAllowed, Trouble
from coop.logbook import as_sent
from federation import known, outbox
from federation.registry import receives, recognises
from federation.store import Transaction

MAX_TEXT = 1_000  # characters of Markdown


# --- Out ---------------------------------------------------------------------------------------------------------


def keep(tx: Transaction, account: str, uri: str, text: str = "", *, shown: bool = False) -> Commitment:
    """Say that a commitment was kept: as its receiver that settles it, as its provider it asks the receiver to.

    With `shown`, everybody may see it on the provider's page once the other wants that, too; said again without, it is
    taken back. Raise `NotFound`, `NotAllowed`, `Conflict` for what does not count, or was released, `Trouble`.
    """
    row = commitments.agreed_at(tx.db, uri, account)
    if row.released:
        raise Conflict("it was released, so it cannot be kept any more")
    if len(text) > MAX_TEXT:
        raise Trouble("say it in at most %(most)s characters", most=MAX_TEXT)
    before = _said_before(row, account)
    said = wire.Fulfilment(
        id=outbox.new_uri(tx, "events"),
        author=account,
        project=row.project,
        provider=row.provider,
        receiver=row.receiver,
        commitment=row.uri,
        text=markdown.from_text(text, tx.home),
        published=max(tx.now, before + timedelta(seconds=1)) if before else tx.now,  # on the wire in whole seconds
        shown=shown,
    )
    projects.check_may_write(tx.db, row.project, account)
    document = outbox.sign(tx, {"@context": context.COMMITMENT, **said.write()})
    known.keep(tx, Document(document), author=account, visibility="project", local=True)
    _note(tx, row, said, document)
    promises.send(tx, "Create", f"{said.id}/activity", account, row.project, document)
    return row


def release(tx: Transaction, account: str, uri: str) -> Commitment:
    """Let the provider off, as the receiver. Raise as `commitments.open_at` does, and `NotAllowed`."""
    row = commitments.open_at(tx.db, uri, account)
    if row.receiver != account:
        raise NotAllowed("only the one to whom it is owed can release from it")
    parties = {"provider": row.provider, "receiver": row.receiver, "attributedTo": row.author}
    closed = {"id": row.uri, "type": "Commitment", **parties, "context": row.project, "finished": True}
    sent = promises.send(tx, "Update", outbox.new_uri(tx), account, row.project, closed)
    _let_off(tx, row, sent.json)
    return row


# --- In ----------------------------------------------------------------------------------------------------------


recognises("EconomicEvent")(wire.is_fulfilment)


@receives("Create", "EconomicEvent")
def receive(tx: Transaction, activity: Activity) -> None:
    """One of the two says that it was kept. Raise `ProtocolError` unless it is theirs to say, and proven."""
    document = activity.embedded("object")
    if document is None:
        raise Forbidden("that something was kept is said by one of its two, in their own words")
    learn(tx, document, activity)


def learn(tx: Transaction, document: Document, activity: Activity | None = None) -> None:
    """Take one's word that it was kept, as it was signed; without an `activity`, somebody else brought it."""
    said = wire.Fulfilment.read(document)
    row = _signed(tx, said.commitment, said.project, said.author, activity)
    if (row.provider, row.receiver) != (said.provider, said.receiver):
        raise Forbidden("what was kept is between the same two as what was promised")
    vouchers.proven(tx, document, said.project)
    if _is_news(row, said):
        _note(tx, row, said, document.json)


@receives("Update", "Commitment")
def receive_update(tx: Transaction, activity: Activity) -> None:
    """What is ``finished`` without anybody's having kept it is released (FEP-c5a1); words are not changed this way."""
    learn_release(tx, activity, as_sent(tx.db, activity))


def learn_release(tx: Transaction, activity: Activity, whole: Document) -> None:
    """Take an ``Update``, which is `whole` as it was signed, whoever brought it."""
    uri = activity.require("object")
    document = activity.embedded("object") or activity.hearsay.get(uri)
    row = _signed(tx, uri, activity.require("context"), activity.actor, activity)
    if document is None or not document.flag("finished") or row.receiver != activity.actor:
        raise Forbidden("a commitment never changes, and its receiver alone can say that it is finished")
    promises.check_signed(tx, whole, row.project)
    _let_off(tx, row, whole.json)


def _signed(tx: Transaction, uri: str, project: str, author: str, activity: Activity | None) -> Commitment:
    """A commitment of that project that both have signed. Raise `known.TooEarly` if we do not know that yet."""
    projects.check_may_post(tx.db, project, author, activity)
    row = commitments.find(tx.db, uri)
    if row is None or row.accepted is None:
        raise known.TooEarly(f"that both have signed {uri} is not known here yet")
    if row.project != project:
        raise Forbidden(f"{uri} is a commitment in another project")
    return row


def _is_news(row: Commitment, said: wire.Fulfilment) -> bool:
    """Whether it is later than what its author said before: somebody may pass on what is out of date (P-305)."""
    before = _said_before(row, said.author)
    return before is None or (said.published is not None and said.published > before)


def _said_before(row: Commitment, author: str) -> datetime | None:
    last = row.claim if author == row.provider else row.thanks
    return Document(last or {}).time("published")


# --- Both --------------------------------------------------------------------------------------------------------


def _note(tx: Transaction, row: Commitment, said: wire.Fulfilment, document: Json) -> None:
    """What each said last is kept as it was signed."""
    was_over = row.is_over
    if said.author == row.provider:
        is_first = row.claimed is None
        row.claimed, row.claim, row.provider_shows = row.claimed or tx.now, document, said.shown
        if is_first and not was_over:
            commitments.tell_party(tx, "commitment done", row.receiver, row.provider, row)
    else:
        row.kept, row.thanks, row.receiver_shows = row.kept or tx.now, document, said.shown
        if not was_over:
            commitments.tell_party(tx, "commitment kept", row.provider, row.receiver, row)
    commitments.settle(tx, row.root)


def _let_off(tx: Transaction, row: Commitment, release: Json) -> None:
    if not row.is_over:
        row.released, row.release = tx.now, release
        commitments.settle(tx, row.root)
        commitments.tell_party(tx, "commitment released", row.provider, row.receiver, row)


# --- Queries -----------------------------------------------------------------------------------------------------


def shown_of(account: str) -> Select[Commitment]:
    """What somebody kept and everybody may see, because both want it; the latest first."""
    both = (Commitment.kept.is_not(None), Commitment.provider_shows, Commitment.receiver_shows)
    query = select(Commitment).where(Commitment.provider == account, Commitment.state == "agreed", *both)
    return query.order_by(Commitment.kept.desc(), Commitment.id.desc())


def ended(account: str) -> Select[Commitment]:
    """All that was kept by or for somebody, or released; the latest first."""
    over = or_(Commitment.kept.is_not(None), Commitment.released.is_not(None))
    mine = or_(Commitment.provider == account, Commitment.receiver == account)
    return select(Commitment).where(over, mine, Commitment.state == "agreed").order_by(Commitment.id.desc())
