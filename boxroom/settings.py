"""What an operator may decide: a file, then the environment. Read once, then passed on as values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from activitypub.errors import Malformed
from activitypub.origin import origin

FILE = "boxroom.toml"
PREFIX = "BOXROOM_"
_NOT_SETTINGS = frozenset({"BOXROOM_DATA", "BOXROOM_TEST_DATABASE"})


class Wrong(Exception):
    """A setting cannot be what it is; the text names it and says what it may be."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an operator may decide. `docs/settings.md` lists these fields; a test keeps it so."""

    url: str
    """The address that this server has for ever: ``https://garage.example``. All that is said here bears it."""
    database: str = ""
    """Where everything is kept: empty for SQLite in the data folder, or ``postgresql+psycopg://…``."""
    allow_private_network: bool = False
    """Federate over loopback and private addresses too, plain http included: for a LAN, a VPN or development."""
    authorized_fetch: bool = False
    """Show posts and collections only to servers that sign their requests. What is not public always is so."""
    source: str = ""
    """Where the source of this program is published, as its licence asks: an address without a slash at its end."""
    trusted_proxies: list[str] = []
    """Addresses of reverse proxies whose ``X-Forwarded-For`` is believed."""
    log_level: str = "info"
    """``debug``, ``info``, ``warning`` or ``error``."""


def load(folder: Path, environment: Mapping[str, str]) -> Settings:
    """Raise `Wrong`, naming the setting, if a value is wrong, missing or unknown."""
    file = folder / FILE
    try:
        written: dict[str, Any] = msgspec.toml.decode(file.read_bytes()) if file.exists() else {}
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Wrong(f"{file} is not TOML: {error}") from error
    try:
        settings = msgspec.convert({**written, **_given(environment)}, Settings, strict=False)
        return msgspec.structs.replace(settings, url=_home(settings.url))
    except msgspec.ValidationError as error:
        raise Wrong(f"{file}: {error}") from error


def write(folder: Path, settings: Settings) -> None:
    """Keep what differs from the defaults in the folder's file."""
    defaults = Settings(url="")
    values = {name: getattr(settings, name) for name in settings.__struct_fields__}
    changed = {name: value for name, value in values.items() if value != getattr(defaults, name)}
    (folder / FILE).write_bytes(msgspec.toml.encode(changed))


def _given(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {name: name.removeprefix(PREFIX).lower() for name in environment if name.startswith(PREFIX)}
    given: dict[str, Any] = {short: environment[name] for name, short in names.items() if name not in _NOT_SETTINGS}
    if isinstance(given.get("trusted_proxies"), str):
        given["trusted_proxies"] = given["trusted_proxies"].split()
    return given


def _home(url: str) -> str:
    """`url` as an origin, without a slash at its end. Raise `Wrong` unless it can be one."""
    home = url.rstrip("/").lower()
    try:
        origin(home)
    except Malformed as error:
        raise Wrong(f"url has to be an address such as https://garage.example, not {url!r}") from error
    if home.count("/") != 2 or "?" in home or "#" in home:
        raise Wrong(f"url is an address without a path, not {url!r}")
    return home
