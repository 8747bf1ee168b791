"""What a form does: once, however often it is sent, in one transaction, after all that it needs was fetched."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from starlette.datastructures import FormData
from starlette.requests import Request

from activitypub.errors import ProtocolError
from coop.errors import Trouble
from federation import discovery
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.outbox import TooLong
from federation.store import Transaction, Unavailable
from federation.tables import Actor
from web import session
from web.languages import _, told
from web.once import Once, new_key
from web.session import text

EXPECTED = (Trouble, ProtocolError, Unreachable, Gone, TooLong, Unavailable)


async def done(request: Request, sent: FormData, work: Callable[[Transaction], object]) -> str:
    """The URI that came of `work`, if one did, now or when the very same form was sent before.

    Raise one of `EXPECTED`.
    """
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    once: Once = request.scope["once"]
    typed = sorted((name, text(sent, name)) for name in sent)
    said = repr((visitor.browser, visitor.uri, request.url.path, text(sent, "key") or new_key(), typed))

    async def run() -> str:
        found = await discovery.completing(here, work)
        return found if isinstance(found, str) else ""

    return await once.do(sha256(said.encode()).hexdigest(), run)


async def somebody(here: Instance, typed: str) -> Actor:
    """Whoever has the address or the link that was typed. Raise `Trouble` if it is nobody's."""
    found = await discovery.lookup(here, typed.strip())
    if not isinstance(found, Actor):
        raise Trouble(_("that is something that was said, not somebody: an address looks like ada@attic.example"))
    return found


def in_words(error: Exception) -> str:
    if isinstance(error, Unavailable):
        return _("Nothing can be stored here now, and nothing was done. Try again in a minute.")
    return _("Nothing was done: %(why)s.") % {"why": told(error)}
