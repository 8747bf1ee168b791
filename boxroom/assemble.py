"""Putting the parts together: settings, store, client, instance, app."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import coop
from activitypub.nodeinfo import RELEASE
from boxroom.settings import Settings
from federation.client import Client
from federation.instance import Instance
from federation.store import Store
from federation.transport import transport


def load_features() -> None:
    """Import every module of `coop`, so that each feature registers what it receives: there is no list to extend."""
    for module in pkgutil.walk_packages(coop.__path__, "coop."):
        importlib.import_module(module.name)


def now() -> datetime:
    return datetime.now(UTC)


def assemble(folder: Path, settings: Settings, clock: Callable[[], datetime] = now) -> Instance:
    """The instance whose data are in `folder`. Close its client and its store when done."""
    load_features()
    store = Store(database_url(folder, settings), settings.url, clock)
    client = Client(
        transport(settings.allow_private_network),
        settings.url,
        clock,
        agent=f"Boxroom/{RELEASE} (+{settings.url}/)",
        allow_private=settings.allow_private_network,
    )
    return Instance(settings.url, store, client, source=settings.source, authorized_fetch=settings.authorized_fetch)


def settle_in() -> None:
    """What is loaded now lives as long as the process: the garbage collector need not look through it ever again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # some batches of activities make and drop that many objects


def database_url(folder: Path, settings: Settings) -> str:
    return settings.database or f"sqlite:///{folder / 'boxroom.db'}"
