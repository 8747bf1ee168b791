"""Posts: what somebody says, here or elsewhere; edited with history, deleted for good.

A post is a row in `objects`. Whatever else is a ``Note`` on the wire (offers, endorsements, room messages) is
published, received and kept by the functions of this file, and has a narrow table of its own beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from activitypub import audience, context, markdown
from activitypub.audience import Visibility
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Forbidden
from activitypub.media import Media
from activitypub.note import Note
from activitypub.note import author as author_of
from activitypub.note import mentioned as mentioned_in
from activitypub.origin import Activity, origin
from coop import access, essays, follows, grants, mentions, projects, revisions, sources
from coop.errors import NotAllowed, NotFound, Trouble
from coop.events import Edited, Erased, Notice, Sent, Shown, tell
from federation import ids, known, outbox, registry
from federation.registry import keeps, receives
from federation.store import Transaction
from federation.tables import Object

READABLE = ("Note", "Article", "Page", "Question", "Event", "Image", "Audio", "Video", "Document")
LATE = timedelta(days=7)  # an edit of something older that we never had is of no interest (P-114)
MAX_ERASED = 100  # objects of one Delete, so that no transaction takes long
WIDTH: dict[str, int] = {"public": 3, "unlisted": 2, "followers": 1, "direct": 0, "project": 0}  # who may see it


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person wants to say. `text` is Markdown; `reply_to` a URI."""

    text: str
    visibility: Visibility = "public"
    warning: str = ""
    reply_to: str | None = None
    attachments: tuple[Media, ...] = ()
    language: str = ""
    to: tuple[str, ...] = ()  # URIs of people whom it is for, whether its words mention them or not
    project: str | None = None  # whose members it is for; of what is public, on whose behalf it is (P-265, P-269)


# --- Out ---------------------------------------------------------------------------------------------------------


def publish(tx: Transaction, author: str, draft: Draft) -> Object:
    """Say something. It is stored with every delivery of it before this transaction ends.

    Raise `Trouble` for an empty, too long or impossible draft, `known.Missing` if the post that it answers has to be
    fetched first. Mentions of actors nobody here has met stay plain text: look them up before.
    """
    if not draft.text.strip() and not draft.attachments:
        raise Trouble("there is nothing in it: write something, or attach a file")
    essays.check(draft.text)
    parent = known.thing(tx, draft.reply_to) if draft.reply_to else None
    if parent is not None and not access.may_read(tx.db, parent, author):
        raise NotFound("there is no post %(reply_to)s", reply_to=draft.reply_to)
    draft = narrowed(draft, parent)
    projects.check_draft(tx.db, draft.project, author, draft.visibility)
    note = compose(tx, author, "notes", draft, parent)
    row = publish_note(tx, essays.travelling(note), draft.visibility)
    sources.keep(tx, row, draft.text)
    return essays.keep(tx, row, note.content)


def narrowed(draft: Draft, parent: Object | None) -> Draft:
    """`draft`, for no more people than what it answers (P-231); what is said in a project is answered there."""
    if parent is not None and parent.visibility == "project":
        return replace(draft, visibility="project", project=parent.conversation)
    if parent is None or WIDTH[draft.visibility] <= WIDTH[parent.visibility]:
        return draft
    return replace(draft, visibility=parent.visibility)


def compose(tx: Transaction, author: str, folder: str, draft: Draft, parent: Object | None = None) -> Note:
    """A new note below ``{home}/{folder}/``, with its mentions, hashtags, audience and conversation."""
    people = mentions.mentioned(tx.db, draft.text)
    besides = {*draft.to, *([parent.author] if parent else [])} - {author, *(one.uri for one in people.values())}
    people |= {f"@{uri}": known.actor(tx.db, uri) for uri in sorted(besides)}
    if draft.visibility == "direct" and not people:
        raise Trouble("a direct post needs somebody to be for: mention them as @name@host")
    uri = outbox.new_uri(tx, folder)
    followers = known.account(tx.db, author).followers
    room = draft.project if draft.visibility == "project" else None
    named = [*(one.uri for one in people.values()), *access.listeners(tx.db, draft.visibility, parent)]
    named += projects.faces(tx.db, draft.project)
    crowd = projects.addressed(tx.db, room, author) if room else named
    addressed = audience.addressed(draft.visibility, followers, crowd)
    return Note(
        id=uri,
        author=author,
        content=mentions.rendered(tx.db, tx.home, draft.text),
        to=tuple(addressed["to"]),
        cc=tuple(addressed["cc"]),
        warning=draft.warning,
        sensitive=bool(draft.warning),
        language=draft.language,
        published=tx.now,
        url=uri,
        in_reply_to=parent.uri if parent else None,
        context=room or (parent.conversation or parent.uri if parent else f"{uri}/context"),
        audience=draft.project,
        mentions=tuple(mentions.mention(one) for one in people.values()),
        hashtags=markdown.hashtags(draft.text),
        attachments=draft.attachments,
    )


def publish_note(
    tx: Transaction, note: Note, visibility: Visibility, extra: Json | None = None, terms: list[Any] = context.NOTE
) -> Object:
    """Store `note` with the properties `extra`, and send its ``Create`` to whoever it is for.

    `terms` is the ``@context`` in which all its properties have a meaning.
    """
    document = {**note.write(), **(extra or {})}
    row = known.keep(tx, Document(document), author=note.author, visibility=visibility, local=True)
    _send(tx, "Create", f"{note.id}/activity", row, terms)
    _show(tx, row)
    return row


def edit(tx: Transaction, author: str, uri: str, text: str, warning: str | None = None) -> Object:
    """Replace the words of one's own post; what it said before is kept. Raise `NotFound`, `NotAllowed`, `Trouble`.

    Whoever is mentioned only now gets it as well (P-161); members of a project are its audience whatever it mentions.
    """
    row = changeable(tx.db, author, uri)
    if not text.strip():
        raise Trouble("there is nothing in it: write something, or delete the post")
    essays.check(text)
    note = Note.read(row.said)
    people = mentions.mentioned(tx.db, text)
    kept = {one.href: one for one in note.mentions} | {one.uri: mentions.mention(one) for one in people.values()}
    added = tuple(uri for uri in kept if uri not in (*note.to, *note.cc))
    changed = replace(
        note,
        to=(*note.to, *added) if row.visibility == "direct" else note.to,
        cc=(*note.cc, *added) if row.visibility in ("public", "unlisted", "followers") else note.cc,
        content=mentions.rendered(tx.db, tx.home, text),
        warning=note.warning if warning is None else warning,
        sensitive=note.sensitive if warning is None else bool(warning),
        hashtags=markdown.hashtags(text),
        mentions=tuple(kept.values()),
    )
    revise(tx, row, {**row.document, **essays.travelling(changed).write()})
    sources.keep(tx, row, text)
    return essays.keep(tx, row, changed.content)


def revise(tx: Transaction, row: Object, document: Json, terms: list[Any] = context.NOTE) -> Object:
    """Replace the document of a post of ours, and send the whole of it as ``Update`` (P-230)."""
    # On the wire times are whole seconds, and only what is later replaces anything (P-114).
    updated = max(tx.now, (row.updated or row.published) + timedelta(seconds=1))
    _replace(tx, row, {**document, "updated": timestamp(updated)}, updated)
    _send(tx, "Update", f"{row.uri}#updates/{ids.slug(ids.new(tx.now))}", row, terms)
    return row


def delete(tx: Transaction, author: str, uri: str) -> None:
    """Take a post of one's own back, everywhere it went. Raise `NotFound` or `NotAllowed`."""
    row = own(tx.db, author, uri)
    gone = {"id": row.uri, "type": known.TOMBSTONE}
    if row.type not in READABLE:
        gone["formerType"] = row.type  # who never had it may need to know what it was (P-245)
    addressed = {name: row.document.get(name, []) for name in ("to", "cc")}
    activity = {"id": f"{row.uri}#delete", "type": "Delete", "actor": author, **addressed, "object": gone}
    recipients = _recipients(tx, row)
    known.bury(tx, row.uri, author)
    sent = outbox.publish(tx, activity, *recipients, collapse=WIDTH[row.visibility] > 0)
    tell(tx, Erased(row, Document.parse(sent.body).json))


def _send(tx: Transaction, kind: str, uri: str, row: Object, terms: list[Any]) -> None:
    document = row.document
    addressed = {name: document.get(name, []) for name in ("to", "cc")}
    if document.get("directMessage"):
        addressed["directMessage"] = True
    when = document.get("updated") if kind == "Update" else document.get("published")
    head = {"@context": terms, "id": uri, "type": kind, "actor": row.author, "published": when}
    people, also = _recipients(tx, row)
    if row.visibility == "project":
        head |= projects.room_terms(tx.db, row.conversation or "", row.author)
    elif right := grants.capability(tx, row.author, people):
        head |= {"@context": context.with_capability(terms), "capability": right}
    outbox.publish(tx, {**head, **addressed, "object": document}, people, also, collapse=WIDTH[row.visibility] > 0)


def _recipients(tx: Transaction, row: Object) -> tuple[tuple[str, ...], Select[str] | None]:
    """Everyone named in the audience of a post of ours, and the query for those whom a collection stands for."""
    if row.visibility == "project":
        return (), projects.readers(row.conversation or "")
    named = audience.recipients(Document({**row.document, "actor": row.author}))
    return named, registry.expansion_of(tx.db, named)


# --- In ----------------------------------------------------------------------------------------------------------


@receives("Create")
def receive_reference(tx: Transaction, activity: Activity) -> None:
    """A ``Create`` of something that is elsewhere: it is fetched, and kept if it is the sender's own and concerns us.

    Unknown kinds are nothing to us.
    """
    if activity.embedded("object") is not None:
        return
    uri = activity.require("object")
    if known.is_known(tx.db, uri):
        return
    if origin(uri) != origin(activity.actor):
        raise Forbidden(f"{uri} is not by {activity.actor}")
    raise known.Missing(uri, partial(_check_reference, activity))


@receives("Create", *READABLE)
def receive(tx: Transaction, activity: Activity) -> Object | None:
    """A ``Create``: keep its object if it concerns us (P-112). ``None`` if there is nothing new to it.

    Raise `Forbidden` if it is not the sender's own.
    """
    document = activity.embedded("object")
    if document is None:
        receive_reference(tx, activity)
        return None
    if author_of(document) != activity.actor:
        raise Forbidden(f"{document.id} is not by {activity.actor}")
    return _take(tx, document, activity) if concerns_us(tx, activity, document) else None


@receives("Update", *READABLE)
def receive_update(tx: Transaction, activity: Activity) -> Object | None:
    """An ``Update``: replace what we have if it is newer (P-114). ``None`` if nothing changed."""
    document = activity.embedded("object")
    if document is None:
        return None
    row = known.find(tx.db, document.id)
    if row is None:
        return receive(tx, activity) if known.published(document, tx.now) > tx.now - LATE else None
    if row.author != activity.actor:
        raise Forbidden(f"{row.uri} is not by {activity.actor}")
    return _refresh(tx, row, document, activity)


@keeps(*READABLE)
def keep(tx: Transaction, document: Document, found: bool = False) -> Object | None:
    """Keep a post that was fetched from where it lives, or bring it up to date. What was `found` is told to nobody."""
    row = known.find(tx.db, document.id)
    if row is None:
        return _take(tx, document, None, found)
    return _refresh(tx, row, document, None)


@receives("Delete")
def erase(tx: Transaction, activity: Activity) -> None:
    """A ``Delete``, of whatever kind of post: what is gone stays gone, even if it comes later (P-115)."""
    for uri in activity.uris("object")[:MAX_ERASED]:
        row = known.find(tx.db, uri)
        if row is not None and row.author != activity.actor:
            raise Forbidden(f"{uri} is not by {activity.actor}")
        if row is None and origin(uri) != origin(activity.actor):
            raise Forbidden(f"{uri} is not on the server of {activity.actor}")
        was_there = row is not None and not row.deleted
        known.bury(tx, uri, activity.actor)
        if row is not None and was_there:
            tell(tx, Erased(row, activity.json))


def concerns_us(tx: Transaction, activity: Activity, document: Document) -> bool:
    """Whether anybody here wants it: a follower, somebody it addresses, the author of what it answers (P-112)."""
    here = known.locals_of(tx.db)
    if activity.actor in here or follows.followers_here(tx.db, activity.actor):
        return True
    if not here.isdisjoint(audience.recipients(document)) or not here.isdisjoint(audience.recipients(activity)):
        return True
    return (answered := known.find(tx.db, document.uri("inReplyTo"))) is not None and (
        answered.local or bool(follows.followers_here(tx.db, answered.author))
    )


def _check_reference(activity: Activity, tx: Transaction, document: Document) -> None:
    """Raise `Forbidden` unless what was fetched would have been kept, had it come with the ``Create`` (P-112)."""
    if author_of(document) != activity.actor:
        raise Forbidden(f"{document.id} is not by {activity.actor}")
    if not concerns_us(tx, activity, document):
        raise Forbidden(f"{document.id} concerns nobody here")


def _take(tx: Transaction, document: Document, activity: Activity | None, found: bool = False) -> Object | None:
    author = known.actor(tx.db, author_of(document))
    seen = audience.visibility(document, author.followers, activity)
    if seen not in access.EVERYBODY and projects.is_for_members(tx.db, document, author.uri, activity):
        seen = "project"
    number = ids.new(known.published(document, tx.now)) if found else None  # among what was said then
    row = known.keep_new(tx, document, author=author.uri, visibility=seen, number=number)
    if row is not None and found:
        tell(tx, Shown(row, found=True))
    elif row is not None:
        _show(tx, row)
    elif activity and (here := known.find(tx.db, document.id)) and here.author == author.uri and not here.deleted:
        tell(tx, Sent(here))
    return row


def _refresh(tx: Transaction, row: Object, document: Document, activity: Activity | None) -> Object | None:
    """Only what is newer and still the same thing; its audience may become narrower, never wider (P-114, P-316)."""
    if row.deleted or row.local:
        return None
    when = document.time("updated") or (activity.time("published") if activity else None)
    if when is None or when <= (row.updated or row.published) or registry.kind(document) != row.type:
        return None
    if author_of(document) != row.author:
        return None
    if row.visibility == "project":
        projects.check_may_post(tx.db, row.conversation or "", row.author, activity)
    author = known.actor(tx.db, row.author)
    seen = audience.visibility(document, author.followers, activity)
    if WIDTH[seen] < WIDTH[row.visibility]:
        row.visibility = seen
    _replace(tx, row, document.json, min(when, tx.now))
    return row


def _replace(tx: Transaction, row: Object, document: Json, updated: datetime) -> None:
    revisions.keep(tx, row)
    row.document, row.updated = document, updated
    tx.db.flush()
    tell(tx, Edited(row))
    _tell_mentioned(tx, row)


def _show(tx: Transaction, row: Object) -> None:
    tell_named(tx, row)
    tell(tx, Shown(row))


def tell_named(tx: Transaction, row: Object) -> None:
    """Tell whoever is answered or mentioned here."""
    answered = known.find(tx.db, row.reply_to)
    if answered is not None and answered.author != row.author:
        _notify(tx, "reply", [answered.author], row)
    _tell_mentioned(tx, row)


def _tell_mentioned(tx: Transaction, row: Object) -> None:
    answered = known.find(tx.db, row.reply_to)
    told = {row.author, answered.author if answered else None}
    _notify(tx, "mention", mentioned_in(row.said) - told, row)


def _notify(tx: Transaction, kind: Literal["reply", "mention"], people: Iterable[str | None], row: Object) -> None:
    """Those of `people` who live here and may read the post; to be named in it is not to be addressed."""
    for one in known.locals_of(tx.db).intersection(people):
        if access.may_read(tx.db, row, one):
            tell(tx, Notice(kind, one, row.author, row.uri))


# --- Queries -----------------------------------------------------------------------------------------------------


def own(db: Session, author: str, uri: str) -> Object:
    """Raise `NotFound` if there is no such post (any more), `NotAllowed` if it is somebody else's."""
    row = known.find(db, uri)
    if row is None or row.deleted:
        raise NotFound("there is no post %(uri)s here", uri=uri)
    if row.author != author:
        raise NotAllowed("that is somebody else's; only its author can change it")
    return row


def changeable(db: Session, author: str, uri: str) -> Object:
    """The same of what is but words; raise `Trouble` for what others have agreed to, or check by its seal."""
    row = own(db, author, uri)
    if row.type not in READABLE:
        raise Trouble("that is more than words, and stays as it is; take it back, and say it anew")
    return row


def replies(to: str) -> Select[Object]:
    """Whatever answers a post and everybody may see, oldest first."""
    seen = or_(Object.visibility == "public", Object.visibility == "unlisted")
    return select(Object).where(Object.reply_to == to, Object.deleted.is_(None), seen).order_by(Object.id)
