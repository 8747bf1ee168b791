"""How much somebody may ask of us at once and for long: a bucket that fills again while nothing is taken from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address

from cachetools import LRUCache

from activitypub.sentence import Telling

REMEMBERED = 10_000  # names; whoever comes under more of them makes us forget, not grow (P-327)

# What is proven to be from one actor. Nobody writes as much; the busiest relays pass on about ten things a second. A
# member of a co-op who comes back after weeks has a few thousand things to send, which is the burst.
OF_ACTOR = 3_000, 10
# And from all of one domain, which costs nothing to divide into actors and subdomains: a quarter of what the smallest
# machine works through, and more than the largest server sends to any one studio.
OF_SITE = 20_000, 50
OCTETS = 16_384  # of an activity count as one more: hardly anybody writes as much, and all of it is kept for a while
# Keys that turn out not to exist, which whoever asks from one address has us look for: a wrong one or two, no more.
OF_ADDRESS = 100, 0.1
PAUSE = 60  # seconds: sooner it is not worth coming again, for there would be place for a handful


class TooOften(Telling):
    """Whoever sent this has sent more than their share. It was not kept: they should send it again later."""


@dataclass(slots=True)
class Allowance:
    """So many requests of each: `burst` of them at once, refilled by `rate` a second."""

    burst: float = 600
    rate: float = 20
    clock: Callable[[], float] = time.monotonic
    _left: LRUCache[str, tuple[float, float]] = field(default_factory=lambda: LRUCache(REMEMBERED))

    def take(self, who: str, number: int = 1) -> float:
        """Take so many if there is one; return 0, or the seconds to wait for it. More than are left is a debt."""
        now = self.clock()
        left = self._now_left(who, now)
        if left < 1:
            return (1 - left) / self.rate
        self._left[who] = (left - number, now)
        return 0

    def give_back(self, who: str) -> None:
        """One that was taken does not count after all."""
        now = self.clock()
        self._left[who] = (self._now_left(who, now) + 1, now)

    def _now_left(self, who: str, now: float) -> float:
        left, when = self._left.get(who, (self.burst, now))
        return min(self.burst, left + (now - when) * self.rate)


@dataclass(slots=True)
class Senders:
    """What those may send of whom it is proven that they sent it, so that nobody uses up what is another's (P-332)."""

    actors: Allowance = field(default_factory=lambda: Allowance(*OF_ACTOR))
    sites: Allowance = field(default_factory=lambda: Allowance(*OF_SITE))

    def take(self, actor: str, site: str, octets: int = 0) -> None:
        """Count one activity, by its length, against `actor` and the domain it belongs to. Raise `TooOften`."""
        number = 1 + octets // OCTETS
        if not _is_this_machine(site) and (self.actors.take(actor, number) or self.sites.take(site, number)):
            raise TooOften(
                "%(actor)s, or %(site)s as a whole, sends faster than a small server works", actor=actor, site=site
            )


@lru_cache(maxsize=1024)
def _is_this_machine(site: str) -> bool:
    """Another server on it, to try things out, is not counted, as its requests are not in `web.limits` (RFC 6761)."""
    name = site.partition(":")[0]
    if name.rpartition(".")[2] == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
