"""HTML that others wrote, made harmless; text that people write here, made HTML."""

from __future__ import annotations

import re
from contextlib import suppress
from html import escape, unescape
from html.parser import HTMLParser

import nh3

from activitypub.errors import Malformed
from activitypub.origin import origin

MAX_HTML = 256 * 1024  # characters, P-111
MAX_TAGS = 10_000  # the parser's time grows with the square of the nesting; this many take it a fifth of a second

_BLOCKS = ("p", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6")
_CLASSES = re.compile(r"h-card|u-[\w-]+|mention|hashtag|ellipsis|quote-inline")
_LINK_REL = "nofollow noopener noreferrer"

# The parser opens these again in each block after the one that they were left open in: up to three that are alike, but
# with attributes none need be like another, and what comes of it grows with the product of the two (P-313).
_REOPENED = re.compile(r"<(?:big|b|code|em|font|i|nobr|small|strike|strong|s|tt|u)[\s/]", re.IGNORECASE)
MAX_REOPENED = 100_000  # such elements times tags

_HUGE_REFERENCE = re.compile(r"&#x?[0-9a-f]{8,};?", re.IGNORECASE)  # to no character, and too long for a number

_TAG = re.compile(r'<(/?)([a-z0-9]+)((?: [a-z]+="[^"]*")*)>')  # exactly as the sanitiser writes them
_REL = re.compile(r' rel="([^"]*)"')
_ANY_TAG = re.compile(r"<[^<>]*>")
_BREAKS = re.compile(rf"<br>|</(?:{'|'.join(_BLOCKS)})>\n?")
_GAPS = re.compile(rf"<(?:br|/?(?:{'|'.join(_BLOCKS)}))\b[^<>]*>", re.IGNORECASE)  # as anybody writes them
_BLOCK = re.compile(rf"<(/?)(?:{'|'.join(_BLOCKS)})\b[^<>]*>")
_BLANK_LINES = re.compile(r"\n{3,}")

# Characters that show nothing or reorder what is shown: controls, bidi marks, zero widths, fillers, tags.
_UNSEEN = re.compile(
    "[\0-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<![\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\U0001f300-\U0001faff])\u200d"
    "|\u200d(?![\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff])"
)


def clean(html: str) -> str:
    """`html` with only what P-213 allows; safe to show, and to send on.

    ``invisible`` is no class here: what Mastodon hides of a link's address, and anyone of anything, stays to be seen
    (P-315). What is longer than `MAX_HTML` or too deep becomes plain text, cut (P-313).
    """
    tags = html.count("<")
    if len(html) > MAX_HTML or tags > MAX_TAGS or tags * len(_REOPENED.findall(html)) > MAX_REOPENED:
        return _as_text(html)
    try:
        return _TAG.sub(_with_rel, _CLEANER.clean(html))
    except (ValueError, RuntimeError):
        return _as_text(html)


def plain(html: str) -> str:
    """The text of `html`, a line for each block, for titles, feeds and terminals; it has to be escaped again."""
    broken = _BREAKS.sub(_line_end, clean(html))
    return _BLANK_LINES.sub("\n\n", _text(broken, "")).strip()


def beginning(html: str, limit: int) -> str:
    """The first whole blocks of well-formed `html` within `limit` characters; of a longer one, its first words."""
    depth = end = 0
    for tag in _BLOCK.finditer(html[:limit]):
        depth += -1 if tag[1] else 1
        end = end if depth else tag.end()
    return html[:end] or f"<p>{escape(plain(html[:limit]).rpartition(' ')[0], quote=False)}…</p>"


def words(html: str) -> str:
    """What is said in `html`, for a search to look through; it is never shown."""
    return _text(_GAPS.sub(" ", html[:MAX_HTML]), "")


def single_line(text: str, limit: int) -> str:
    """A name or handle as it can be trusted to look: one line, nothing unseen or reordered, at most `limit` characters.

    P-315. Joiners stay where they hold an emoji together.
    """
    return _UNSEEN.sub("", " ".join(text[: 8 * limit].split()))[:limit].strip()


def links(page: str, rel: str, *tags: str) -> list[dict[str, str]]:
    """The attributes of those `tags` of a page that have `rel`, as far as sense can be made of the page."""
    finder = _Finder(tags)
    with suppress(AssertionError):  # the standard library's, for markup that it knows nothing of
        finder.feed(_HUGE_REFERENCE.sub("", page))
    return [link for link in finder.found if rel in link.get("rel", "").lower().split()]


def safe_url(url: str | None) -> str | None:
    """`url` if it is an http(s) address without tricks (P-314, P-331)."""
    try:
        return url if url and origin(url) else None
    except Malformed:
        return None


def link(url: str, rel: str = "me") -> str:
    """The value of a profile field that is a link; anything but a web address stays text (P-023).

    Without `rel` it says nothing of whose page that is.
    """
    if safe_url(url) is None:
        return escape(url)
    shown = url.removeprefix("https://").removesuffix("/")
    return f'<a href="{escape(url)}" rel="{f"{rel} {_LINK_REL}".strip()}" target="_blank">{escape(shown)}</a>'


class _Finder(HTMLParser):
    def __init__(self, tags: tuple[str, ...]) -> None:
        super().__init__()
        self.tags = tags
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.tags:
            self.found.append({name: value or "" for name, value in attrs})


def _as_text(html: str) -> str:
    return f"<p>{escape(_text(html[:MAX_HTML], ' '), quote=False)}</p>"


def _text(html: str, instead: str) -> str:
    """Without tags and references, which leave `instead` and what they stand for."""
    return unescape(_HUGE_REFERENCE.sub("\ufffd", _ANY_TAG.sub(instead, html)))


def _line_end(tag: re.Match[str]) -> str:
    return "\n\n" if tag[0].startswith("</p") else "\n"


def _attribute(tag: str, name: str, value: str) -> str | None:
    match name:
        case "class":
            return " ".join(one for one in value.split() if _CLASSES.fullmatch(one)) or None
        case "rel":
            return " ".join(one for one in ("me", "tag") if one in value.lower().split()) or None
        case "href":
            is_mail = value.lower().startswith("mailto:") and value.isprintable()
            return value if is_mail else safe_url(value)
        case _:
            return value


def _with_rel(tag: re.Match[str]) -> str:
    """A link never lends its target our name, nor tells it where the reader came from."""
    slash, name, attributes = tag.groups()
    if name != "a" or slash:
        return tag[0]
    kept = _REL.search(attributes)
    return f'<a{_REL.sub("", attributes)} rel="{" ".join(filter(None, (kept[1] if kept else "", _LINK_REL)))}">'


_CLEANER = nh3.Cleaner(
    tags={*_BLOCKS, "br", "a", "span", "del", "code", "b", "strong", "u", "i", "em"},
    attributes={
        "*": {"lang", "translate"},
        "a": {"href", "rel", "class"},
        "span": {"class"},
        "p": {"class"},
        "ol": {"start", "reversed"},
        "li": {"value"},
    },
    attribute_filter=_attribute,
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel=None,
)
