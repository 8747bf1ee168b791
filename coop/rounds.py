"""Going round to the servers that are to be asked something: to several at once, to each for one thing after the other.

The law: a server has its turn, bounded in requests and time, and then others have theirs; one that is silent is not
asked for the rest of what is wanted of it. A collection is read page by page on its own origin, as far as was said
beforehand, and a page counts each time that it is read, so nothing that others list keeps us asking for ever.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from activitypub.collection import Walk, is_beside
from activitypub.document import Document
from activitypub.errors import Malformed, ProtocolError
from coop import follows, visits
from coop.visits import MAX_FAILURES, Visit, What
from federation import discovery, known
from federation.client import Gone, Refused, Unreachable
from federation.discovery import Budget, Exhausted
from federation.instance import Instance
from federation.registry import Keeper
from federation.store import Transaction, Unavailable

EVERY = timedelta(seconds=2)
REQUESTS = 40  # to one server in one turn
TURN = timedelta(seconds=30)  # so long it may answer slowly, in one turn
PAGES = 3  # in a row of one collection; then others have their turn (P-173)
NEEDED = 5  # documents that have to be fetched to understand one, itself included

Items = list[str | Document]
Ask = Callable[[Instance, Visit, Budget], Awaitable[Visit | None]]

log = structlog.get_logger()


async def go(here: Instance, what: Collection[What], ask: Ask, failures: int = MAX_FAILURES) -> None:
    """Let `ask` make those visits that are due. Who does not answer is asked that often.

    If `ask` returns a visit, that is made next: it is to the same server, and as good as claimed.
    """
    if not await here.store.read(lambda db: visits.is_any_due(db, what, here.now())):
        return
    claimed = await here.store.write(lambda tx: visits.claim(tx, what))
    await asyncio.gather(*(_take_turn(here, some, ask, failures) for some in claimed.values()))


async def _take_turn(here: Instance, some: Iterable[Visit], ask: Ask, failures: int) -> None:
    """Give one server its turn. One that is not there is not asked for the others that live on it either."""
    within, silent, line = Budget(here.now() + TURN, REQUESTS), "", deque(some)
    while line:
        visit = line.popleft()
        try:
            if silent:
                raise Unreachable(silent)  # noqa: TRY301 - as it would be, after another half minute
            if following := await ask(here, visit, within):
                line.appendleft(following)
        except Unreachable as error:
            silent = silent if isinstance(error, Refused) else error.reason
            await _put_off(here, visit, error.reason, failures)
        except Exhausted:  # it has had its turn
            await here.store.write(lambda tx, visit=visit: visits.stand_back(tx, visit))  # type: ignore[misc]
        except (ProtocolError, Gone) as error:
            log.info("visit.in_vain", what=visit.what, whom=visit.whom, reason=str(error))
            await here.store.write(lambda tx, visit=visit: visits.finish(tx, visit))  # type: ignore[misc]
        except Unavailable:
            raise
        except Exception as error:  # a bug must not keep us from the others
            log.exception("visit.failed", what=visit.what, whom=visit.whom)
            await _put_off(here, visit, type(error).__name__, failures)


async def _put_off(here: Instance, visit: Visit, reason: str, failures: int) -> None:
    given_up = await here.store.write(lambda tx: visits.fail(tx, visit, failures))
    told = "visit.given_up" if given_up else "visit.waits"
    log.info(told, what=visit.what, whom=visit.whom, reason=reason)


async def read_on(
    here: Instance,
    visit: Visit,
    within: Budget,
    collection: str,
    take: Callable[[Items], Awaitable[bool]],
    most: int,
    reader: str | None = None,
) -> None:
    """Read some pages of a collection, from where the last turn ended, and write down whether there are more.

    `take` keeps what is on a page, and returns whether that is enough; `most` pages are read in all. Raise
    `Unreachable`, or `ProtocolError` or `Gone` if there is nothing to be read.
    """
    start = visit.page or collection
    walk, upcoming, listed, pages = Walk(start), start, 0, visit.pages
    following: str | None = start
    try:
        while following and pages < min(visit.pages + PAGES, most):
            upcoming = following
            within.spend(upcoming, here.now())
            following = walk.take(await here.document(upcoming, reader))
            page, listed = walk.items[listed:], len(walk.items)
            pages += bool(page)
            if await take(page):
                following = None
    except Exhausted:  # the server has had its turn; this page, of which something may be missing, is read once more
        following = upcoming
    if following and pages < most:
        await here.store.write(lambda tx: visits.go_on(tx, visit, following, pages))
    else:
        log.info("visit.made", what=visit.what, whom=visit.whom, pages=pages)
        await here.store.write(lambda tx: visits.finish(tx, visit))


async def fetch(
    here: Instance,
    uri: str,
    within: Budget,
    check: Callable[[Transaction, Document], None],
    keep: Keeper | None = None,
) -> Document:
    """The same as `discovery.fetch` in a server's turn, of which one thing that needs too much else costs one request.

    Raise `Exhausted` only if the turn is over.
    """
    within.spend(uri, here.now())
    alone = Budget(within.until, NEEDED)
    try:
        return await discovery.fetch(here, uri, alone, check, keep)
    except Exhausted as error:
        raise Malformed(str(error)) from error
    finally:
        within.left -= max(NEEDED - alone.left - 1, 0)


def collection_of(db: Session, visit: Visit, name: str) -> tuple[str, str | None]:
    """Where to begin with an actor's collection, and who of us asks: one who follows, for followers may be shown more.

    Raise `ProtocolError` if there is none on their own server.
    """
    collection = Document(known.actor(db, visit.whom).document).require(name)
    if not is_beside(collection, visit.whom):
        raise Malformed(f"{collection} is not on the server of {visit.whom}")
    return collection, min(follows.followers_here(db, visit.whom), default=None)
