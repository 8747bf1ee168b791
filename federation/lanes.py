"""Working the lanes: one POST at a time to each host, oldest first, as many hosts at once as there are.

The law: a lane is in order, and no lane waits for another. What is under way when the power fails is sent once more;
nothing is lost, because a delivery is settled only after its answer is here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial

import structlog
from cachetools import LRUCache, TTLCache
from sqlalchemy import bindparam, select

from activitypub import digest
from activitypub.document import Document
from activitypub.errors import Forbidden, ProtocolError
from activitypub.origin import host
from activitypub.synchronization import HEADER
from federation import discovery, followers, known, settling
from federation.client import Answer, Unreachable
from federation.dispatch import disappeared
from federation.followers import Announcements
from federation.instance import Instance, NoKey
from federation.prepared import Prepared
from federation.settling import ANSWERS, Outcome, Parcel
from federation.store import Unavailable
from federation.tables import Activity, Actor, Lane
from federation.together import Together

AT_ONCE = 1024  # lanes under way; those whose hosts hang keep their place until the client's deadline
SOON_BETTER = frozenset({401, 408, 425, 429})  # all other 4xx, and 501, are permanent for this delivery (P-165)
MOVED = frozenset({301, 308})
SHORTEST_WAIT = timedelta(seconds=30)  # whatever a Retry-After says
TOLD_FOR = 60.0  # seconds, for which what is said of somebody's followers is not counted again
GATHER = 0.01  # seconds: what arrives at many hosts within them is written down together

_DUE = Prepared(select(Lane.host).where(Lane.due <= bindparam("now"), Lane.parked.is_(None)).limit(1))
_BODY = Prepared(
    select(Activity.body, Actor.followers)
    .outerjoin(Actor, Actor.uri == bindparam("by"))
    .where(Activity.id == bindparam("of"))
)

log = structlog.get_logger()


class _NotKept(Exception):
    """There is nothing to send any more."""


@dataclass(slots=True)
class _Body:
    content: bytes
    digest: str
    is_for_followers: bool

    @classmethod
    def of(cls, content: bytes, followers_of_sender: str | None) -> _Body:
        is_for_them = followers.is_for_followers(Document.reread(content), followers_of_sender)
        return cls(content, digest.of(content), is_for_them)


@dataclass(slots=True)
class Lanes:
    """The worker of one instance."""

    here: Instance
    takes_over: bool = False  # what is held already, which was an earlier run of the only process
    _busy: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _bodies: LRUCache[int, _Body] = field(default_factory=lambda: LRUCache(64))
    _read: Together[Parcel, _Body | None] = field(init=False)
    _settle: Together[Outcome, Parcel | None] = field(init=False)
    _looking_up: asyncio.Lock = field(default_factory=asyncio.Lock)
    _followers: TTLCache[str, Announcements] = field(init=False)

    def __post_init__(self) -> None:
        self._followers = TTLCache(8, TOLD_FOR, timer=lambda: self.here.now().timestamp())
        self._read = Together(self._read_all)
        # While others are under way their answers may be here at once.
        self._settle = Together(self._settle_all, lambda waiting: GATHER if waiting < len(self._busy) else 0)

    async def work(self) -> bool:
        """Set out on every lane that is due. Return whether any is under way."""
        if self.takes_over:
            await self.here.store.write(settling.release)
            self.takes_over = False
        free = AT_ONCE - len(self._busy)
        if free > 0 and await self.here.store.read(lambda db: _DUE.value(db, now=self.here.now())):
            busy = set(self._busy)
            for parcel in await self.here.store.write(lambda tx: settling.claim(tx, busy, free)):
                self._busy[parcel.lane] = asyncio.create_task(self._walk(parcel))
        return bool(self._busy)

    async def finish(self) -> None:
        """Wait until every lane that is under way has nothing to send, or failed."""
        while self._busy:
            await asyncio.gather(*self._busy.values())

    def stop(self) -> None:
        """Let go of what is under way: it is not settled, so it is sent again."""
        for walk in self._busy.values():
            walk.cancel()

    async def _walk(self, parcel: Parcel) -> None:
        """Deliver what a lane holds, one after the other, until it is empty or its host fails."""
        lane = parcel.lane
        try:
            head: Parcel | None = parcel
            while head is not None:
                head = await self._settle(await self._deliver(head))
        except Unavailable as error:
            log.warning("lane.unsettled", lane=lane, error=str(error))  # its lease ends, and it is sent again
        except Exception:
            log.exception("lane.failed", lane=lane)  # as above
        finally:
            del self._busy[lane]
            if not self._busy:
                self.here.store.topic("lanes").set()

    async def _deliver(self, parcel: Parcel) -> Outcome:
        try:
            return await self._send(parcel)
        except Unreachable as error:
            return Outcome(parcel, "failed", str(error))
        except (ProtocolError, NoKey, _NotKept) as error:
            return Outcome(parcel, "refused", str(error))
        except Unavailable:
            raise
        except Exception as error:  # a bug must not stop the mail
            log.exception("delivery.failed", lane=parcel.lane, activity=parcel.activity)
            return Outcome(parcel, "failed", f"{type(error).__name__}: {error}")

    async def _send(self, parcel: Parcel) -> Outcome:
        here = self.here
        if await here.blocks(parcel.lane) or await here.blocks(host(parcel.inbox)):
            raise Forbidden(f"{parcel.lane} is blocked here")
        body = await self._body(parcel)
        more = await self._said_of_followers(parcel) if body.is_for_followers else {}
        signer = await here.signer(parcel.sender)
        answer, learnt = await here.client.post(parcel.inbox, body.content, signer, parcel.dialect, body.digest, more)
        if answer.is_success:
            return Outcome(parcel, "arrived", learnt=learnt)
        reason = f"{parcel.lane}{ANSWERS}{_in_words(answer)}"
        if answer.status in MOVED or answer.status == 410:
            return await self._look_again(parcel, answer.status, reason)
        if _is_permanent(answer.status):
            return Outcome(parcel, "refused", reason, answer.status)
        return Outcome(parcel, "failed", reason, answer.status, retry_after=_retry_after(answer, here.now()))

    async def _look_again(self, parcel: Parcel, status: int, reason: str) -> Outcome:
        """The inbox moved or is gone: ask its actor where it is now, or whether it is still there (P-165)."""
        here = self.here
        before = await here.store.read(lambda db: settling.who_has(db, parcel.inbox))
        if before is None:
            return Outcome(parcel, "refused", reason, status)
        if not await discovery.refresh(here, before.uri):
            await here.store.write(lambda tx: disappeared(tx, before.uri, before.uri))
            return Outcome(parcel, "refused", f"{before.uri} was deleted by its server", status)
        after = await here.store.read(lambda db: known.actor(db, before.uri))
        shared = after.shared_inbox if parcel.inbox == before.shared_inbox else None
        if parcel.inbox in (after.inbox, after.shared_inbox) or status == 410:
            return Outcome(parcel, "refused", reason, status)
        await here.store.write(lambda tx: settling.redirect(tx, parcel, shared or after.inbox))
        return Outcome(parcel, "failed", f"{before.uri} has moved its inbox", status, None, timedelta(seconds=1))

    async def _body(self, parcel: Parcel) -> _Body:
        if (body := self._bodies.get(parcel.activity) or await self._read(parcel)) is None:
            raise _NotKept("what was to be sent is not kept any more")
        return body

    async def _read_all(self, parcels: list[Parcel]) -> list[_Body | None]:
        """The bodies of `parcels`, of which many may have the same."""
        wanted = {one.activity: one.sender for one in parcels}
        found = await self.here.store.read(lambda db: [_BODY.rows(db, of=of, by=by) for of, by in wanted.items()])
        bodies = {of: _Body.of(*rows[0]) for of, rows in zip(wanted, found, strict=True) if rows}
        self._bodies.update(bodies)
        return [bodies.get(one.activity) for one in parcels]

    async def _said_of_followers(self, parcel: Parcel) -> dict[str, str]:
        """The header that tells a server who of its people follows the sender (P-170)."""
        if (said := self._followers.get(parcel.sender)) is None:
            async with self._looking_up:
                if (said := self._followers.get(parcel.sender)) is None:
                    said = await self.here.store.read(lambda db: followers.announcements(db, parcel.sender))
                    self._followers[parcel.sender] = said
        return {HEADER: said[parcel.lane]} if parcel.lane in said else {}

    async def _settle_all(self, outcomes: list[Outcome]) -> list[Parcel | None]:
        """Write them down; give what is next on the lane of each."""
        heads = await self.here.store.write(partial(settling.settle, outcomes=outcomes))
        return [heads.get(one.parcel.lane) for one in outcomes]


def _is_permanent(status: int) -> bool:
    return status == 501 or (400 <= status < 500 and status not in SOON_BETTER)


def _in_words(answer: Answer) -> str:
    """The status, and the beginning of what the other server says about it."""
    said = " ".join(answer.body[:200].decode("utf-8", "replace").split())
    return f"{answer.status}: {said}" if said else str(answer.status)


def _retry_after(answer: Answer, now: datetime) -> timedelta | None:
    """As the other server asks for, in seconds or as a date (RFC 9110, 10.2.3)."""
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return max(timedelta(seconds=min(int(asked[:9]), 10**6)), SHORTEST_WAIT)
    try:
        until = parsedate_to_datetime(asked)
        return max(until.replace(tzinfo=until.tzinfo or UTC) - now, SHORTEST_WAIT)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
