"""Guessing passwords: slow for whoever guesses, and no way to keep out whoever lives here.

What is guessed from one address, or of one account, is counted. The latter count does not hold for a browser in which
that account was logged in before, so nobody locks others out by guessing on purpose.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cache

from coop.errors import Trouble
from federation.allowance import Allowance
from web.languages import _

FROM_ADDRESS = 10, 1 / 30  # at once, and then one in half a minute
OF_ACCOUNT = 20, 1 / 60
IN_BROWSER = 10, 1 / 10  # for those who know each other
AT_ONCE = 2  # checks: each takes 64 MiB and a core for a while
SHORTEST, LONGEST = 10, 1_000  # characters of a password


@dataclass(slots=True)
class Attempts:
    """What has been tried lately."""

    from_address: Allowance = field(default_factory=lambda: Allowance(*FROM_ADDRESS))
    of_account: Allowance = field(default_factory=lambda: Allowance(*OF_ACCOUNT))
    in_browser: Allowance = field(default_factory=lambda: Allowance(*IN_BROWSER))
    _checking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def wait(self, address: str | None, handle: str | None, known_browser: str | None) -> float:
        """Count an attempt; return 0 if it may be made, else for how many seconds not.

        Without a `handle` it is at something that nobody can guess, and is not counted against whose it is.
        """
        if known_browser:
            return self.in_browser.take(known_browser)
        return (self.from_address.take(address) if address else 0) or (self.of_account.take(handle) if handle else 0)

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Whether it is the password; it takes as long if there is none to be right."""
        async with self._checking:
            return await asyncio.to_thread(_matches, hashed, password[:LONGEST])

    async def hash_of(self, password: str) -> str:
        """Raise `Trouble` for one that is too short."""
        async with self._checking:
            return await asyncio.to_thread(hash_of, password[:LONGEST])


# What hashes is imported when somebody logs in: a server that nobody logs in at need not carry it about.


def _matches(hashed: str | None, password: str) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher().verify(hashed or _nobody(), password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


def hash_of(password: str) -> str:
    """With Argon2id. Raise `Trouble` for one that is too short."""
    from argon2 import PasswordHasher

    if len(password) < SHORTEST:
        raise Trouble(_("a password has %(number)s characters or more; nothing was changed") % {"number": SHORTEST})

    return PasswordHasher().hash(password)


@cache
def _nobody() -> str:
    return hash_of("the password of nobody")
