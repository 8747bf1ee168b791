"""What people here write, as HTML that every server shows: Markdown, links, mentions and hashtags (P-212, P-213)."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from activitypub.html import safe_url
from activitypub.origin import MAX_URI

if TYPE_CHECKING:  # the parser, a megabyte of it, is loaded once somebody here writes something
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token
    from markdown_it.utils import OptionsDict

_URL = re.compile(rf"https?://[^\s<>\"\\^`{{|}}]{{1,{MAX_URI}}}", re.IGNORECASE)  # what is longer is no address
_MENTION = re.compile(r"@([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)@([^\W_](?:[\w.-]*[^\W_])?(?::\d{1,5})?)")
_HASHTAG = re.compile(r"#(?=\d*[^\W\d])(\w{1,100})")
_SCHEME_BEFORE = re.compile(r"(?:^|[^A-Za-z0-9+.-])(https?)$", re.IGNORECASE)
_LONGEST_BEFORE = len("(https")  # with what stands before it, and no more: there may be a colon after every character


def from_text(text: str, home: str, mentions: Mapping[str, tuple[str, str]] | None = None) -> str:
    """`text`, Markdown, as HTML of the subset that Mastodon keeps.

    `mentions` maps an address (``bo@bo.example``, lower case) to the profile's URL and the handle; an address that it
    lacks stays text. Hashtags lead to ``{home}/tags/…``.
    """
    return str(_markdown().render(text, {"home": home, "mentions": mentions or {}})).strip()


def addresses(text: str) -> tuple[str, ...]:
    """Who is mentioned in `text`, as lower-case ``bo@bo.example``: what `from_text` wants to have resolved."""
    return tuple(dict.fromkeys(token.content.lower() for token in _tokens(text, "mention")))


def hashtags(text: str) -> tuple[str, ...]:
    """The hashtags in `text` without their ``#``, each as first written."""
    first: dict[str, str] = {}
    for token in _tokens(text, "hashtag"):
        first.setdefault(token.content.lower(), token.content)
    return tuple(first.values())


def _tokens(text: str, kind: str) -> list[Token]:
    children = (child for token in _markdown().parse(text, {}) for child in token.children or ())
    return [child for child in children if child.type == kind]


def _url(state: StateInline, silent: bool) -> bool:
    before = state.pending[-_LONGEST_BEFORE:] if state.src[state.pos] == ":" and not state.linkLevel else ""
    scheme = _SCHEME_BEFORE.search(before)
    found = _URL.match(state.src, state.pos - len(scheme[1]), state.posMax) if scheme else None
    url = _without_closing(found[0]) if found else ""
    if not scheme or not safe_url(url):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[1])]
        state.push("link_open", "a", 1).attrs = {"href": url}
        state.push("text", "", 0).content = url
        state.push("link_close", "a", -1)
    state.pos += len(url) - len(scheme[1])
    return True


def _without_closing(url: str) -> str:
    """`url` without the punctuation of the sentence around it; a bracket that it opens itself stays."""
    while url and (url[-1] in ".,;:!?'\"*_~" or (url[-1] == ")" and url.count(")") > url.count("("))):
        url = url[:-1]
    return url


def _named(kind: str, pattern: re.Pattern[str]) -> Any:
    """A rule that finds what `pattern` matches where a word may begin."""

    def rule(state: StateInline, silent: bool) -> bool:
        before = state.src[state.pos - 1] if state.pos else " "
        found = None if before.isalnum() or before in "/_&@#" else pattern.match(state.src, state.pos, state.posMax)
        if found is None or state.linkLevel:
            return False
        if not silent:
            state.push(kind, "", 0).content = found[0][1:]
        state.pos += len(found[0])
        return True

    return rule


def _render_mention(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    address = tokens[index].content
    if (known := env["mentions"].get(address.lower())) is None:
        return escape(f"@{address}")
    url, handle = known
    return (
        f'<span class="h-card"><a href="{escape(url)}" class="u-url mention">@<span>{escape(handle)}</span></a></span>'
    )


def _render_hashtag(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    name = tokens[index].content
    href = f"{env['home']}/tags/{quote(name.lower())}"
    return f'<a href="{escape(href)}" class="mention hashtag" rel="tag">#<span>{escape(name)}</span></a>'


def _render_link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    href = tokens[index].attrGet("href")
    leads = f' href="{escape(str(href))}"' if href else ""
    return f'<a{leads} rel="nofollow noopener noreferrer">'


def _render_fence(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    return f"<pre><code>{escape(tokens[index].content, quote=False)}</code></pre>\n"


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    class Markdown(MarkdownIt):
        def validateLink(self, url: str) -> bool:  # noqa: N802 (the parser asks by this name)
            return safe_url(url) is not None or url.lower().startswith("mailto:")

    markdown = Markdown("commonmark", {"html": False, "breaks": True, "xhtmlOut": False})
    markdown.enable("strikethrough").disable(["image", "hr", "reference"])
    markdown.inline.ruler.before("escape", "url", _url)
    markdown.inline.ruler.before("escape", "mention", _named("mention", _MENTION))
    markdown.inline.ruler.before("escape", "hashtag", _named("hashtag", _HASHTAG))
    for rule, render in _RENDERERS.items():
        markdown.add_render_rule(rule, render)
    return markdown


_RENDERERS = {
    "mention": _render_mention,
    "hashtag": _render_hashtag,
    "link_open": _render_link,
    "fence": _render_fence,
    "s_open": lambda self, tokens, index, options, env: "<del>",
    "s_close": lambda self, tokens, index, options, env: "</del>",
}
