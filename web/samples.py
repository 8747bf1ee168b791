"""One of each thing that pages show, made up for the page of styles: nobody's, and stored nowhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from activitypub.endorsement import Endorsement, Verdict
from activitypub.media import Media
from activitypub.note import Note
from activitypub.poll import Poll
from activitypub.proposal import Price, Proposal, Purpose
from coop.conversations import Waiting
from web.languages import N_, _
from web.lines import Line
from web.notices import Told
from web.shown import WORDS, Card, Person, Post, Seal
from web.writing import File, Words

HOME = "https://studio.example"
FAR = "https://far.example"


def all_of_them(now: datetime) -> dict[str, Any]:
    """By the names that the template knows them by."""
    me = Person(f"{HOME}/actors/1", _("Somebody"), "somebody@studio.example", f"{HOME}/@somebody")
    other = Person(f"{FAR}/actors/2", _("Somebody else"), "other@far.example", f"{FAR}/@other")
    post = Post(
        _note(
            now,
            _("<p>What somebody said, with a <a href='https://studio.example/'>link</a> and <code>code</code>.</p>"),
        ),
        me,
        HOME,
        1,
    )
    return {
        "person": me,
        "other": other,
        "post": post,
        "long": Post(post.note, me, HOME, 1, goes_on=True),
        "veiled": Post(_note(now, "<p>…</p>", warning=_("A warning")), me, HOME, 1),
        "polled": Post(_note(now, "", poll=Poll(((_("One"), 12), (_("The other"), 3)), voters=15)), me, HOME, 1),
        "filed": Post(_note(now, "", attachments=(_file(),)), me, HOME, 1),
        "offered": _card(now, "offer", _("Work that somebody offers"), me),
        "wanted": _card(now, "request", _("Work that somebody has to give"), me),
        "seals": [_seal(now, me, other, verdict) for verdict in ("valid", "revoked")],
        "line": Line(post, other, frozenset({"like"}), is_own=True),
        "told": [Told(other, N_("%(name)s follows you"), now, is_new, "", "", "follow") for is_new in (True, False)],
        "crowd": Told(other, N_("%(name)s likes what you said"), now, False, "", "", "like", (me,)),
        "waiting": Waiting(above=1, below=2),
        "strip": [(Media("/static/window.svg", "Image", alt=_("A window")), post)],
        "words": Words(),
        "laden": Words(files=(File("a.pdf", "a.pdf", "", is_picture=False),)),
        "picture": Media(f"{HOME}/media/none.png", "Image", alt=""),
    }


def _note(now: datetime, content: str, **more: Any) -> Note:
    return Note(f"{HOME}/notes/1", f"{HOME}/actors/1", content, published=now - timedelta(hours=2), **more)


def _file() -> Media:
    return Media(f"{FAR}/a.pdf", "Document", media_type="application/pdf")


def _card(now: datetime, purpose: Purpose, title: str, author: Person) -> Card:
    price = Price("EUR", Decimal(2400), Decimal(3600), "day")
    until = now + timedelta(days=30)
    return Card(
        Proposal(f"{HOME}/offers/1", author.uri, purpose, title, "", price, remote=True, until=until),
        author,
        "#main",
        True,
    )


def _seal(now: datetime, giver: Person, subject: Person, verdict: Verdict) -> Seal:
    words = _("<p>What somebody says of the work of somebody else.</p>")
    said = Endorsement(f"{HOME}/notes/2#endorsement", giver.uri, subject.uri, (_("A skill"),), "peer", words, now)
    return Seal(said, giver, subject, verdict, WORDS[verdict], f"{giver.uri}#ed25519-key", None, None)
