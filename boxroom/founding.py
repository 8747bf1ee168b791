"""Setting up a studio: its folder, its settings, its database, its keys, whoever lives there first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activitypub import keys
from boxroom import folder, migrations
from boxroom.assemble import assemble, database_url
from boxroom.settings import FILE, PREFIX, Settings, Wrong, load, write
from coop import accounts, identities, logins, spare_codes
from coop.accounts import Kind
from federation import known
from federation.store import Transaction


@dataclass(frozen=True, slots=True)
class Founding:
    """Whose studio it will be, and where."""

    url: str
    handle: str
    name: str = ""
    kind: Kind = "person"
    password: str | None = None  # hashed (`web.attempts.hash_of`)
    recovery: Ed25519PrivateKey = field(default_factory=keys.new_ed25519, repr=False)  # nobody keeps it but they
    codes: Sequence[str] = field(default=(), repr=False)  # to come in with when all else is lost
    link: str | None = None  # the hash of a secret that lets whoever founds it in, once
    try_out: bool = False  # among the machines of one's own network alone


async def found(data: Path, founding: Founding) -> Settings:
    """Set up a studio in `data`. Raise `Wrong` or `Trouble`, and leave nothing behind, if that cannot be done."""
    if (data / FILE).exists():
        raise Wrong(f"there is a studio in {data} already; nothing was changed")
    settings = load(data, {**os.environ, f"{PREFIX}URL": founding.url})
    folder.make(data)
    with folder.scaffold(data) as place:
        await _fill(place, settings, founding)
        # what the environment says stays there
        write(place, Settings(url=settings.url, allow_private_network=founding.try_out))
    (data / folder.DRAFT).unlink(missing_ok=True)
    return settings


async def _fill(data: Path, settings: Settings, founding: Founding) -> None:
    url = database_url(data, settings)
    migrations.ensure_current(url, lambda: False)
    pairs = accounts.new_keys(), accounts.new_keys()

    def settle_in(tx: Transaction) -> None:
        if accounts.count(tx.db):
            raise Wrong("somebody lives in this database already; nothing was changed")
        accounts.create_instance_actor(tx, pairs[0])
        account = accounts.create(tx, founding.handle, founding.name, founding.kind, pairs[1], founding.recovery)
        account.password = founding.password
        tx.db.flush()
        identities.remember(tx, known.account(tx.db, account.uri))
        if founding.codes:
            spare_codes.keep(tx, account.id, founding.codes)
        if founding.link:
            logins.let_in(tx, founding.link, account.id)

    here = assemble(data, settings)
    try:
        await here.store.write(settle_in)
    finally:
        await here.client.close()
        here.store.close()
