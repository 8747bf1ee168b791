"""Languages: all that pages say goes through here, in the one that whoever reads it speaks (GNU gettext).

Words in a page are ``{{ _("Say it") }}`` or ``{% trans name=… %}…{% endtrans %}``; in Python they are ``_("…")`` where
they are said at once, and ``N_("…")`` where they stand in a table, to be said by the page: ``{{ _(words) }}``. What
stands in a catalogue may have tags in it, so a template says nothing by ``_`` that is not from here: no name, no post.
What the rooms below say, errors and reasons, is `told`: ``{{ reason | told }}``, with the names that are in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from starlette.types import Scope

from activitypub.sentence import Sentence

FIRST = "en"  # in which the words stand in the source
LOCALES = {"en": "en_GB", "en-us": "en_US", "de": "de_DE", "de-at": "de_AT", "de-ch": "de_CH"}
MAX_ACCEPTED = 200  # characters of a header that are looked at

_spoken: ContextVar[str] = ContextVar("spoken", default=FIRST)


# --- Which -----------------------------------------------------------------------------------------------------------


def asked_for(scope: Scope) -> str:
    """What of ours the browser that asks likes best."""
    header = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
    return accepted(header.decode("latin-1"))


@lru_cache(maxsize=256)
def accepted(header: str) -> str:
    """What of ours ``Accept-Language`` likes best (RFC 9110, 12.5.4); the first language if there is none."""
    asked = [_liked(place, part) for place, part in enumerate(header[:MAX_ACCEPTED].lower().split(","))]
    found = (known(tag) for quality, _, tag in sorted(asked) if quality < 0)
    return next(filter(None, found), FIRST)


def _liked(place: int, part: str) -> tuple[float, int, str]:
    """A range of a header, so that the most liked is sorted first."""
    tag, _, quality = part.replace(" ", "").partition(";q=")
    try:
        return -float(quality or 1), place, tag
    except ValueError:
        return 0, place, tag


def known(tag: str) -> str:
    """The one of ours that is nearest to a language tag; nothing, if none is."""
    tag = tag.lower().replace("_", "-")
    language = tag.partition("-")[0]
    return tag if tag in LOCALES else language if language in LOCALES else ""


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Say all in one of `LOCALES` meanwhile."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def speak(tag: str | None) -> None:
    """To the end of the request, say all as whoever is logged in has chosen, if they have, and it is ours.

    In which country they write it their browser may say.
    """
    if tag and (language := known(tag)) and not spoken().startswith(f"{language}-"):
        _spoken.set(language)


def spoken() -> str:
    return _spoken.get()


def locale() -> str:
    """How whoever reads writes numbers and dates, by the name that Babel has for it."""
    return LOCALES[spoken()]


def marks() -> dict[str, str]:
    """What a page says of its language in its first tag."""
    from babel import Locale

    return {"lang": spoken().partition("-")[0], "dir": Locale.parse(locale()).text_direction}


# --- Saying ----------------------------------------------------------------------------------------------------------


@cache
def _catalogue(language: str) -> NullTranslations:
    """Made of the very file that translators write when it is first needed: whoever installs compiles nothing."""
    if language == FIRST:
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    source = files("web") / "translations" / language / "LC_MESSAGES" / "boxroom.po"
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source.read_bytes()), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _ours() -> NullTranslations:
    return _catalogue(spoken().partition("-")[0])


def gettext(words: str) -> str:
    """`words` in the language that is spoken now."""
    return _ours().gettext(words) if words else ""  # to nothing, gettext answers with who made the catalogue


def ngettext(one: str, many: str, number: int) -> str:
    """The same for what is counted, in the form that `number` asks for."""
    return _ours().ngettext(one, many, number)


def told(what: object) -> str:
    """What an error or a `Sentence` tells, in the language that is spoken now, with numbers and days as it has them."""
    words = what.args[0] if isinstance(what, Exception) and what.args else what
    return words.told(gettext, written) if isinstance(words, Sentence) else gettext(str(words))


def written(part: object) -> str:
    """A number, a day, or what an error or a `Sentence` tells, as whoever reads it has them."""
    from babel.dates import format_date
    from babel.numbers import format_decimal

    match part:
        case Exception() | Sentence():
            return told(part)
        case int() | float():
            return format_decimal(part, locale=locale())
        case date():
            return format_date(part, "long", locale=locale())
    return str(part)


def sentence(error: Exception) -> str:
    """What went wrong, where nothing is said before it."""
    words = told(error)
    return f"{words[:1].upper()}{words[1:]}."


def N_(words: str) -> str:  # noqa: N802 - as everybody calls it
    """`words` as they are: somebody else will say them, and they are to be in the catalogues."""
    return words


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802 - as above
    """The same for what is counted."""
    return one, many


_ = gettext
