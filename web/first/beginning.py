"""The first run of a program that has no studio yet: what is known so far, and how much of it.

The law: nothing is founded before the last confirmation. Whoever confirms has the recovery key and the spare codes on
paper by then, so that an end at any moment takes nothing away that cannot be had again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Literal, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activitypub import keys
from coop import spare_codes
from web.attempts import Attempts
from web.first.draft import Draft
from web.once import Once

LINK_LASTS = timedelta(minutes=30)
STEPS = {"whose": "/first", "address": "/first/address", "way-in": "/first/way-in", "sheet": "/first/sheet"}

Verdict = tuple[str, Literal["well", "look", "must"], str, str]  # what was looked at, how it is, and what to do


class Ground(Protocol):
    """What the program can do where the studio will stand."""

    @property
    def trial(self) -> str:
        """An address for trying things out, on this machine alone."""

    def home(self, typed: str) -> str:
        """The address as it would be kept for ever. Raise `Trouble` if it cannot be one."""

    async def look(self, home: str, mark: str) -> list[Verdict]:
        """Whether others would come by that address to this very program, which bears that mark."""

    def keep(self, draft: Draft) -> None:
        """Remember what was typed, if that can be."""

    async def found(self, beginning: Beginning, link: str) -> None:
        """Found the studio, with a link by which a browser comes in. Raise `Trouble`, and leave nothing behind."""


@dataclass(slots=True)
class Beginning:
    """What one browser has said of the studio that is to be, and what was made for it."""

    ground: Ground
    draft: Draft
    now: Callable[[], datetime]
    end: Callable[[], None] = lambda: None  # let the studio take over
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32))  # of the link that opens these pages once
    mark: str = field(default_factory=lambda: secrets.token_urlsafe(16))  # by which the program knows itself
    browser: str | None = None  # in which the link was opened
    is_founded: bool = False
    seen: Sequence[Verdict] = ()  # when the address was looked at last
    password: str | None = field(default=None, repr=False)  # hashed
    recovery: Ed25519PrivateKey = field(default_factory=keys.new_ed25519, repr=False)
    codes: Sequence[str] = field(default_factory=spare_codes.make, repr=False)
    attempts: Attempts = field(default_factory=Attempts)
    once: Once = field(default_factory=Once)
    began: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.now()

    def opens(self, key: str, browser: str) -> bool:
        """Whether the link lets `browser` in: the first one that has it, and soon enough."""
        is_over = self.browser is not None or self.now() > self.began + LINK_LASTS
        if is_over or not compare_digest(key.encode(), self.key.encode()):
            return False
        self.browser = browser
        return True

    def type(self, draft: Draft) -> None:
        """Go on with what was typed."""
        if draft.url != self.draft.url:
            self.seen = ()
        self.draft = draft
        self.ground.keep(draft)

    @property
    def is_stuck(self) -> bool:
        """Whether nobody would come by the address, as far as was seen."""
        return any(state == "must" for _, state, *_ in self.seen)

    @property
    def step(self) -> str:
        """The first one that is not done."""
        if not self.draft.handle:
            return "whose"
        if not self.draft.is_taken:
            return "address"
        if self.draft.way_in == "passkey" or (self.draft.way_in and self.password):
            return "sheet"
        return "way-in"
