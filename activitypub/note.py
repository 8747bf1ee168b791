"""Notes and their relatives, read from all that servers call a post, written so that all of them show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Self
from urllib.parse import quote, urlsplit

from activitypub import context, html
from activitypub.audience import PUBLIC, PUBLIC_ALIASES
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Malformed
from activitypub.markdown import from_text
from activitypub.media import Media
from activitypub.origin import origin, page
from activitypub.poll import Poll

MAX_TAGS = 200  # P-111
MAX_ATTACHMENTS = 32  # P-111
MAX_MENTIONS = 50  # P-111
_MAX_MARKDOWN = 20_000  # characters; what is longer is shown as text, for it may be made to take long (P-313)


@dataclass(frozen=True, slots=True)
class Mention:
    """An actor by id, and as the author wrote it: ``@bo@bo.example``."""

    href: str
    name: str


@dataclass(frozen=True, slots=True)
class Emoji:
    """A picture that stands for ``:name:`` in content and names."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Note:
    """What the wire says of a post. `content` is clean HTML, all other words are plain text."""

    id: str
    author: str
    content: str
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    type: str = "Note"
    title: str = ""
    warning: str = ""  # shown in place of the content until asked
    sensitive: bool = False
    language: str = ""  # BCP 47
    published: datetime | None = None
    updated: datetime | None = None
    url: str | None = None
    in_reply_to: str | None = None
    context: str | None = None
    conversation: str | None = None
    audience: str | None = None
    mentions: tuple[Mention, ...] = ()
    hashtags: tuple[str, ...] = ()
    emojis: tuple[Emoji, ...] = ()
    attachments: tuple[Media, ...] = ()
    poll: Poll | None = None
    quotable: bool = True  # by anybody; else by its author alone (P-216)

    @classmethod
    def read(cls, document: Document) -> Self:
        """Raise `Malformed` without an id that is a web address and an author on its origin (P-105)."""
        uri = document.id
        by = author(document)
        media = [Media.read(one) for one in document.embeddeds("attachment")[:MAX_ATTACHMENTS]]
        return cls(
            id=uri,
            author=by,
            content=_content(document),
            to=document.uris("to"),
            cc=document.uris("cc"),
            type=document.type,
            title=html.single_line(document.text("name"), 500),
            warning=html.plain(document.text("summary")),
            sensitive=document.flag("sensitive"),
            language=_language(document),
            published=document.time("published"),
            updated=document.time("updated"),
            url=page(document),
            in_reply_to=html.safe_url(document.uri("inReplyTo")),
            context=html.safe_url(document.uri("context")),
            conversation=document.uri("conversation"),
            audience=html.safe_url(document.uri("audience")),
            mentions=mentions(document),
            hashtags=tuple(dict.fromkeys(filter(None, map(_hashtag, _tags(document))))),
            emojis=tuple(filter(None, map(_emoji, _tags(document)))),
            attachments=tuple(filter(None, media)),
            poll=Poll.read(document),
            quotable=_quotable(document),
        )

    def write(self) -> Json:
        """Every property of P-210, without ``@context``: a note travels inside its activity."""
        home = _home(self.id)
        tags: list[Json] = [{"type": "Mention", "href": one.href, "name": one.name} for one in self.mentions]
        tags += [_written_hashtag(one, home) for one in self.hashtags]
        written: Json = {
            "id": self.id,
            "type": self.type,
            "attributedTo": self.author,
            "to": [*self.to],
            "cc": [*self.cc],
            "published": timestamp(self.published) if self.published else None,
            "url": self.url or self.id,
            "content": self.content,
            "contentMap": {self.language or "und": self.content},
            "sensitive": self.sensitive,
            "summary": self.warning or None,
            "tag": tags,
            "attachment": [one.write() for one in self.attachments],
            "context": self.context,
            "conversation": self.context,
            "inReplyTo": self.in_reply_to,
            **{name: f"{self.id}/{name}" for name in ("replies", "likes", "shares")},
        }
        return written | self._occasional()

    def _occasional(self) -> Json:
        """What only some notes have."""
        everyone = PUBLIC_ALIASES.intersection((*self.to, *self.cc))
        policy = {"canQuote": {"automaticApproval": [PUBLIC if self.quotable else self.author]}}
        found = {
            "name": self.title,
            "updated": timestamp(self.updated) if self.updated else None,
            "audience": self.audience,
            "interactionPolicy": policy if everyone else None,
            "directMessage": not everyone and not self.audience and {*self.to} <= {one.href for one in self.mentions},
        }
        return {name: value for name, value in found.items() if value} | (self.poll.write() if self.poll else {})


def tombstone(uri: str, former_type: str, deleted: datetime) -> Json:
    """What remains of a deleted object, to be served with 410 (P-036)."""
    gone = {"id": uri, "type": "Tombstone", "formerType": former_type, "deleted": timestamp(deleted)}
    return {"@context": context.PLAIN, **gone}


def author(document: Document) -> str:
    """The first one named who lives on the note's origin: PeerTube names a channel besides, Mobilizon a group."""
    home = origin(document.id)
    for uri in (*document.uris("attributedTo"), *document.uris("actor")):
        if html.safe_url(uri) and origin(uri) == home:
            return uri
    raise Malformed(f"{document.id} is not attributed to an actor of its own server")


def mentions(document: Document) -> tuple[Mention, ...]:
    """Whoever the author names; the first `MAX_MENTIONS` of them (P-111)."""
    return tuple(filter(None, map(_mention, _tags(document))))[:MAX_MENTIONS]


def mentioned(document: Document) -> frozenset[str]:
    """The same, by their ids alone."""
    named = [tag for tag in _tags(document) if "Mention" in tag.types]
    return frozenset(href for tag in named[:MAX_MENTIONS] if (href := tag.uri("href")))


def _tags(document: Document) -> Sequence[Document]:
    return document.embeddeds("tag")[:MAX_TAGS]


def _content(document: Document) -> str:
    """The words, clean; of what has none its title, summary and address; then the links that came as attachments."""
    words, url = document.text("content"), page(document) or document.id
    match document.text("mediaType").partition(";")[0]:
        case "text/markdown" if len(words) <= _MAX_MARKDOWN:
            words = from_text(words, _home(document.id))
        case "text/markdown" | "text/plain":
            words = f"<p>{escape(words, quote=False)}</p>"
    is_odd = document.type not in ("Note", "Question")
    if not words and is_odd:
        title, summary = html.single_line(document.text("name"), 500), html.plain(document.text("summary"))
        words = "".join(f"<p>{escape(one, quote=False)}</p>" for one in (title, summary) if one)
    links = [
        one for link in document.embeddeds("attachment") if (one := _attached_link(link)) and escape(one) not in words
    ]
    is_cut = len(words) > html.MAX_HTML
    links += [url] if is_cut or (is_odd and not document.text("content")) else []
    return html.clean(words) + "".join(
        f"<p>{html.clean(html.link(one, rel=''))}</p>" for one in links[:MAX_ATTACHMENTS]
    )


def _attached_link(document: Document) -> str | None:
    """The page that a Lemmy post is about comes so."""
    return html.safe_url(document.uri("href")) if "Link" in document.types else None


def _language(document: Document) -> str:
    languages = document.json.get("contentMap")
    first = next(iter(languages), "") if isinstance(languages, dict) else ""
    return html.single_line(first, 35) if first != "und" else ""


def _mention(tag: Document) -> Mention | None:
    href = html.safe_url(tag.uri("href"))
    return Mention(href, html.single_line(tag.text("name"), 2048)) if href and "Mention" in tag.types else None


def _hashtag(tag: Document) -> str:
    is_hashtag = not {"Hashtag", "as:Hashtag"}.isdisjoint(tag.types)
    return html.single_line(tag.text("name"), 100).lstrip("#") if is_hashtag else ""


def _emoji(tag: Document) -> Emoji | None:
    icon = tag.embedded("icon")
    name = html.single_line(tag.text("name"), 100).strip(":")
    url = html.safe_url(icon.uri("url") or icon.uri("href")) if icon and "Emoji" in " ".join(tag.types) else None
    return Emoji(name, url) if name and url else None


def _quotable(document: Document) -> bool:
    """Whoever says nothing has not agreed (P-216)."""
    policy = document.embedded("interactionPolicy")
    quoting = policy.embedded("canQuote") if policy else None
    return quoting is not None and not PUBLIC_ALIASES.isdisjoint(quoting.uris("automaticApproval"))


def _home(uri: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(uri))


def _written_hashtag(name: str, home: str) -> Json:
    return {"type": "Hashtag", "name": f"#{name}", "href": f"{home}/tags/{quote(name.lower())}"}
