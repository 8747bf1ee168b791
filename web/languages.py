"""Languages: all that pages say goes through here, in the one that whoever reads it speaks (GNU gettext).

Words in a page are ``{{ _("Say it") }}`` or ``{% trans name=… %}…{% endtrans %}``; in Python they are ``_("…")`` where
they are said at once, and ``N_("…")`` where they stand in a table, to be said by the page: ``{{ _(words) }}``.
"""

from __future__ import annotations

from contextvars import ContextVar
from gettext import NullTranslations

_spoken: ContextVar[NullTranslations] = ContextVar("spoken")
_AS_WRITTEN = NullTranslations()


def gettext(words: str) -> str:
    """`words` in the language that is spoken now."""
    return _spoken.get(_AS_WRITTEN).gettext(words)


def ngettext(one: str, many: str, number: int) -> str:
    """The same for what is counted, in the form that `number` asks for."""
    return _spoken.get(_AS_WRITTEN).ngettext(one, many, number)


def N_(words: str) -> str:  # noqa: N802 - as everybody calls it
    """`words` as they are: somebody else will say them, and they are to be in the catalogues."""
    return words


_ = gettext
