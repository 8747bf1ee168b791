"""Setting up a studio: its folder, its settings, its database, its keys, whoever lives there first."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activitypub import keys
from boxroom import folder, migrations
from boxroom.assemble import assemble, database_url
from boxroom.settings import FILE, PREFIX, Settings, Wrong, load, write
from coop import accounts, identities
from coop.accounts import Kind
from federation import known
from federation.store import Transaction
from web.attempts import hash_of


@dataclass(frozen=True, slots=True)
class Founding:
    """Whose studio it will be, and where."""

    url: str
    handle: str
    name: str = ""
    kind: Kind = "person"
    password: str | None = None
    recovery: Ed25519PrivateKey = field(default_factory=keys.new_ed25519, repr=False)  # nobody keeps it but they


async def found(data: Path, founding: Founding) -> Settings:
    """Set up a studio in `data`. Raise `Wrong` or `Trouble`, and leave nothing behind, if that cannot be done."""
    if (data / FILE).exists():
        raise Wrong(f"there is a studio in {data} already; nothing was changed")
    hashed = hash_of(founding.password) if founding.password is not None else None
    settings = load(data, {**os.environ, f"{PREFIX}URL": founding.url})
    folder.make(data)
    try:
        await _fill(data, settings, founding, hashed)
        write(data, Settings(url=settings.url))  # what the environment says stays there
    except BaseException:
        folder.empty(data)
        raise
    return settings


async def _fill(data: Path, settings: Settings, founding: Founding, hashed: str | None) -> None:
    url = database_url(data, settings)
    migrations.ensure_current(url, lambda: False)
    pairs = accounts.new_keys(), accounts.new_keys()

    def settle_in(tx: Transaction) -> None:
        if accounts.count(tx.db):
            raise Wrong("somebody lives in this database already; nothing was changed")
        accounts.create_instance_actor(tx, pairs[0])
        account = accounts.create(tx, founding.handle, founding.name, founding.kind, pairs[1], founding.recovery)
        account.password = hashed
        tx.db.flush()
        identities.remember(tx, known.account(tx.db, account.uri))

    here = assemble(data, settings)
    try:
        await here.store.write(settle_in)
    finally:
        await here.client.close()
        here.store.close()
