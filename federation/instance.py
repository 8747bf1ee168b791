"""One studio's server: its address, store, client and keys. The parts are put together in `boxroom`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from cachetools import LRUCache, TTLCache
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session

from activitypub import keys
from activitypub.document import Document
from activitypub.errors import Forbidden
from activitypub.keys import Use
from activitypub.origin import host, site
from activitypub.synchronization import Announcement
from federation.allowance import OF_ADDRESS, REMEMBERED, Allowance, Senders
from federation.client import Client, Signer, Unreachable
from federation.prepared import Prepared
from federation.store import Store
from federation.tables import BlockedDomain, Key

KEPT = 1.0  # second: so long we sign with a key that another process, a command, may have retired (P-078)
KEYS_FOR = timedelta(minutes=5)  # then a key is looked up again, in case another process was told that it is retired
ASKED_PER_HOUR = 2_000  # requests that strangers can make us send to one domain and its subdomains (P-327)


class NoKey(Exception):
    """None of us has the key that is to sign: somebody else's name was given, or that of one who has left."""


@dataclass(frozen=True, slots=True)
class Absence:
    """That something could not be fetched, and until when that is taken as the answer (P-077)."""

    until: datetime
    error: type[Exception]
    reason: str


@dataclass(slots=True)
class Instance:
    home: str  # "https://garage.example", never with a slash at the end
    store: Store
    client: Client
    source: str = ""  # where this program's source is published
    authorized_fetch: bool = False  # posts and collections only for signed requests (P-034)
    keyring: TTLCache[str, keys.Key] = field(init=False)
    absences: LRUCache[str, Absence] = field(default_factory=lambda: LRUCache(REMEMBERED))
    renewals: LRUCache[str, datetime] = field(default_factory=lambda: LRUCache(REMEMBERED))
    missed: LRUCache[str, datetime] = field(default_factory=lambda: LRUCache(REMEMBERED))  # since when (P-118)
    asking: dict[str, asyncio.Task[Document]] = field(default_factory=dict)  # documents with keys, under way
    asked: LRUCache[tuple[str, int, bool], int] = field(default_factory=lambda: LRUCache(REMEMBERED))  # see `document`
    senders: Senders = field(default_factory=Senders)
    unproven: Allowance = field(default_factory=lambda: Allowance(*OF_ADDRESS))  # by the address that they come from
    stale: set[str] = field(default_factory=set)  # actors in use that have not been asked for a day (P-075)
    announced: LRUCache[str, Announcement] = field(
        default_factory=lambda: LRUCache(REMEMBERED)
    )  # by who said it (P-170)
    compared: LRUCache[str, datetime] = field(default_factory=lambda: LRUCache(REMEMBERED))  # since when it was
    _signers: TTLCache[str, Signer] = field(default_factory=lambda: TTLCache(REMEMBERED, KEPT))
    _looking_up: asyncio.Lock = field(default_factory=asyncio.Lock)
    _blocked: frozenset[str] = frozenset()
    _blocked_read: float = float("-inf")

    def __post_init__(self) -> None:
        self.keyring = TTLCache(REMEMBERED, KEYS_FOR.total_seconds(), timer=lambda: self.now().timestamp())

    @property
    def uri(self) -> str:
        """The instance actor, which signs all that is not done for one person (P-027)."""
        return f"{self.home}/actor"

    def now(self) -> datetime:
        return self.store.clock()

    async def signer(self, actor: str) -> Signer:
        """Who signs requests for `actor`, one of us. Raise `NoKey`."""
        changed = self.store.topic("keys")
        if changed.is_set():
            changed.clear()
            self._signers.clear()
        if (found := self._signers.get(actor)) is None:
            async with self._looking_up:  # a fan-out asks a thousand times at once
                if (found := self._signers.get(actor)) is None:
                    found = self._signers[actor] = await self.store.read(lambda db: _signer(db, actor))
        return found

    async def blocks(self, host: str) -> bool:
        """Whether the operator blocks `host` or a domain that it belongs to."""
        blocked = await self.blocked()
        return bool(blocked) and not blocked.isdisjoint(domains(host))

    async def blocked(self) -> frozenset[str]:
        """The domains that the operator blocks. Read again at most once a second."""
        if self._blocks_are_old:
            async with self._looking_up:
                if self._blocks_are_old:
                    self.store.topic("blocks").clear()
                    self._blocked_read = float("-inf")  # whoever asks meanwhile is not to go by the old ones
                    found = await self.store.read(lambda db: db.scalars(select(BlockedDomain.host)).all())
                    self._blocked, self._blocked_read = frozenset(found), time.monotonic()
        return self._blocked

    @property
    def _blocks_are_old(self) -> bool:
        return self.store.topic("blocks").is_set() or time.monotonic() > self._blocked_read + 1

    async def document(self, uri: str, reader: str | None = None, *, unproven: bool = False) -> Document:
        """What is at `uri`, asked for in the name of `reader`, one of us, or in nobody's but the server's.

        Requests that are made for whoever has yet to prove who they are, `unproven`, have a share of their own, so that
        nobody can use up the other in a stranger's name.

        Raise as `Client.document` does, `Forbidden` for a blocked domain, `Unreachable` also for one that had its share
        of this hour.
        """
        await self._check_open(host(uri))
        window = (site(host(uri)), int(self.now().timestamp()) // 3600, unproven)
        self.asked[window] = self.asked.get(window, 0) + 1
        if self.asked[window] > ASKED_PER_HOUR:
            raise Unreachable(
                "%(host)s was asked %(number)s times within this hour", host=window[0], number=ASKED_PER_HOUR
            )
        document = await self.client.document(uri, await self.signer(reader or self.uri))
        await self._check_open(host(document.id))  # it may have been redirected
        return Document({name: value for name, value in document.json.items() if name != "signature"})  # P-091

    async def _check_open(self, host: str) -> None:
        if await self.blocks(host):
            raise Forbidden("%(host)s is blocked here", host=host)


def domains(host: str) -> list[str]:
    """`host` and, without its port, every domain that it belongs to."""
    labels = host.partition(":")[0].rstrip(".").split(".")  # a dot at the end leads to the same server
    return [host, *(".".join(labels[start:]) for start in range(len(labels)))]


def _own_keys(use: Use) -> tuple[ColumnElement[bool], ...]:
    """Those that sign at present."""
    return Key.use == use, Key.private.is_not(None), Key.retired.is_(None)


_PROOF_KEY = Prepared(
    select(Key.id, Key.private)
    .where(Key.owner == bindparam("actor"), *_own_keys("assertionMethod"))
    .order_by(Key.first_seen)
    .limit(1)
)


def own_key(db: Session, actor: str, use: Use) -> Key:
    """The key that `actor`, one of us, signs with at present. Raise `NoKey`."""
    key = db.scalar(select(Key).where(Key.owner == actor, *_own_keys(use)).order_by(Key.first_seen).limit(1))
    if key is None:
        raise NoKey(f"{actor} has no key for {use} here")
    return key


def own_proof_key(db: Session, actor: str) -> tuple[str, Ed25519PrivateKey]:
    """Id and key that `actor`, one of us, proves documents with. Raise `NoKey`."""
    found = _PROOF_KEY.rows(db, actor=actor)
    if not found:
        raise NoKey(f"{actor} has no key to prove documents with here")
    key_id, private = found[0]
    key = _loaded(private)
    assert isinstance(key, Ed25519PrivateKey)  # noqa: S101 - by the use of its row
    return key_id, key


@lru_cache(64)
def _loaded(pem: str) -> keys.PrivateKey:
    return keys.load_private(pem)


def _signer(db: Session, actor: str) -> Signer:
    row = own_key(db, actor, "publicKey")
    key = _loaded(row.private or "")
    assert isinstance(key, RSAPrivateKey)  # noqa: S101 - by the use of its row
    return Signer(row.id, key)
