"""Pages from templates: one environment, the filters that templates may use, and what every page gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from activitypub import html
from activitypub.document import Json
from activitypub.origin import host
from federation import ids
from federation.instance import Instance
from web import languages
from web.moments import day, exactly, on, price, when
from web.negotiation import ACTIVITY_JSON

BELOW = 2  # levels: a page has one heading of the first, and its parts have those of the second

_HEADING = re.compile("(</?h)([1-6])(?=[ >])")


def page(
    request: Request, template: str, values: Mapping[str, Any], *, alternate: str | None = None, private: bool = False
) -> Response:
    """The page that `template` makes of `values`; `alternate` is the id of the document that says the same (P-033)."""
    found = render(request.scope["instance"], template, alternate=alternate, **values)
    shared = "private, no-store" if private else "public, max-age=60"
    headers = {"Vary": "Accept, Accept-Language, Signature, Signature-Input", "Cache-Control": shared}
    if alternate:
        headers["Link"] = f'<{alternate}>; rel="alternate"; type="{ACTIVITY_JSON}"'
    return Response(found, headers=headers, media_type="text/html")


def render(here: Instance, template: str, **values: Any) -> str:
    given = {
        "home": here.home,
        "host": host(here.home),
        "now": here.now(),
        "alternate": None,
        "linked": None,
        "is_inside": False,
        "theme": "",
        "hue": "",
        **languages.marks(),
    }
    return _ENVIRONMENT.get_template(template).render({**given, **values})


def clean(words: str) -> Markup:
    """HTML that others wrote, made harmless once more where it is shown (P-314), its headings below the page's own."""
    lowered = _HEADING.sub(lambda tag: f"{tag[1]}{min(int(tag[2]) + BELOW, 6)}", html.clean(words))
    return Markup(lowered)  # noqa: S704 - that is what `clean` is for


def as_data(found: Json) -> Markup:
    """JSON in the midst of a page; nothing in it ends the element that it stands in."""
    written = msgspec.json.encode(found).decode()
    for sign in "<>&":
        written = written.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(written)  # noqa: S704 - nothing of HTML is left in it


def place(url: str) -> str:
    """An address as people read it: no scheme, all of the host (P-315)."""
    return url.partition("://")[2].removesuffix("/") or url


def host_of(url: str) -> str:
    """The server at which an address is."""
    return host(url)


def as_code(words: str) -> Markup:
    """An address that is not a link, in the midst of a sentence."""
    return Markup("<code>{}</code>").format(words)


def excerpt(words: str, limit: int = 200) -> str:
    """The beginning of HTML as one line of text."""
    return start(html.plain(words), limit)


def start(words: str, limit: int = 200) -> str:
    """The beginning of text as one line."""
    text = " ".join(words.split())
    return text if len(text) <= limit else f"{text[:limit].rpartition(' ')[0] or text[:limit]}…"


@cache
def static(name: str) -> str:
    """Where a file of ours is, under an address that changes with it."""
    content = (files("web") / "static" / name).read_bytes()
    return f"/static/{name}?{sha256(content).hexdigest()[:12]}"


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("web"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_callables(languages.gettext, languages.ngettext, newstyle=True)  # type: ignore[attr-defined]
    shown = (when, exactly, on, day, price, clean, place, host_of, as_code, as_data, excerpt, start, languages.told)
    made.filters.update({one.__name__: one for one in shown})
    made.filters["slug"] = ids.slug
    made.globals.update(static=static, N_=languages.N_)
    return made


_ENVIRONMENT = _environment()
