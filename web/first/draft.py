"""What somebody typed before there is a studio: kept from step to step, and over a restart, but for what is secret."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from activitypub.origin import host
from coop import accounts, profiles
from coop.accounts import TYPES, Kind
from coop.errors import Trouble

WAYS_IN = ("passkey", "password")

WayIn = Literal["", "passkey", "password"]


class Draft(msgspec.Struct, frozen=True):
    """Whose studio it will be, where, and how they will come in. What was not typed yet is empty."""

    name: str = ""
    handle: str = ""
    kind: Kind = "person"
    url: str = ""
    is_taken: bool = False  # that address, after it was looked at
    way_in: WayIn = ""

    @property
    def address(self) -> str:
        """What others will find them by."""
        return f"@{self.handle.lower()}@{host(self.url)}"


def read(kept: bytes) -> Draft:
    """What `write` made; an empty one of what is none."""
    try:
        return msgspec.json.decode(kept, type=Draft)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Draft()


def write(draft: Draft) -> bytes:
    return msgspec.json.encode(draft)


def check_whose(draft: Draft) -> None:
    """Raise `Trouble` for what cannot be somebody's name, handle or kind."""
    if not profiles.name_of(draft.name):
        raise Trouble("say by what name people know you, or the studio")
    accounts.check_handle(draft.handle)
    if draft.kind not in TYPES:
        raise Trouble("say whether it is one person's or several people's")


def is_for_trying_out(url: str) -> bool:
    """Whether nobody but this very machine can come there."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    return parts.scheme == "http" and (name == "localhost" or (is_number(name) and ip_address(name).is_loopback))


def takes_passkeys(url: str) -> bool:
    """Whether browsers make passkeys for that address: it has a name, and nobody listens on the way there."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    return name == "localhost" or (parts.scheme == "https" and not is_number(name))


def is_number(name: str) -> bool:
    """Whether a host has no name, but a number alone."""
    try:
        return bool(ip_address(name))
    except ValueError:
        return False
