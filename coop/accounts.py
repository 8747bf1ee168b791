"""Those who live here: people, studios, and the server itself. Each is an actor with two keys at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import JSON, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import identity, keys, parcel
from activitypub.actor import HANDLE, Keys
from activitypub.actor import Actor as Profile
from activitypub.document import Document, Json
from activitypub.keys import Use
from activitypub.origin import host
from coop.errors import Conflict, NotFound, Trouble
from federation import ids, known
from federation.instance import own_key, own_proof_key
from federation.store import Transaction
from federation.tables import Actor, Key, Row

Kind = Literal["person", "studio"]
TYPES: dict[Kind, str] = {"person": "Person", "studio": "Organization"}
SEALING: Use = "keyAgreement"


class Account(Row):
    """Somebody who logs in here, and what they say of themselves."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)  # of its actor
    uri: Mapped[str] = mapped_column(unique=True)
    handle: Mapped[str] = mapped_column(unique=True)  # in lower case
    kind: Mapped[Kind]
    bio: Mapped[str] = mapped_column(default="")  # Markdown
    pronouns: Mapped[str] = mapped_column(default="")
    availability: Mapped[str] = mapped_column(default="")
    place: Mapped[str] = mapped_column(default="")
    remote: Mapped[bool] = mapped_column(default=False)  # works for people elsewhere
    skills: Mapped[list[str]] = mapped_column(default_factory=list)
    links: Mapped[list[str]] = mapped_column(default_factory=list)
    avatar: Mapped[str | None] = mapped_column(default=None)  # the name of an upload
    header: Mapped[str | None] = mapped_column(default=None)
    approves_followers: Mapped[bool] = mapped_column(default=False)
    discoverable: Mapped[bool] = mapped_column(default=False)  # may be shown to people who do not know them
    suspended: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str | None] = mapped_column(default=None)  # in which pages speak to them; None as the browser asks
    theme: Mapped[str | None] = mapped_column(default=None)  # ``light`` or ``dark``; None as the device has it
    hue: Mapped[int | None] = mapped_column(default=None)  # in degrees: of whoever runs it, the whole studio's colour
    password: Mapped[str | None] = mapped_column(default=None)  # hashed with Argon2id; without one nobody logs in
    # The statement of whoever holds the recovery key that they are this account (FEP-c390); the key is not here.
    recovery: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The private keys of an actor: made before its transaction, because that takes a while."""

    rsa: str  # PEM
    ed25519: str  # PEM


def new_keys() -> KeyPair:
    return KeyPair(keys.write_private(keys.new_rsa()), keys.write_private(keys.new_ed25519()))


def create(
    tx: Transaction, handle: str, name: str, kind: Kind, pair: KeyPair, recovery: Ed25519PrivateKey | None = None
) -> Account:
    """Let somebody live here, who goes by a `recovery` key, if they have one.

    Raise `Trouble` if the handle cannot be one, `Conflict` if it is taken.
    """
    check_handle(handle)
    address = f"{handle.lower()}@{host(tx.home)}"
    if tx.db.scalar(select(Actor.id).where(Actor.address == address, Actor.local)):
        raise Conflict("%(handle)s lives here already, or once did; a name is never given to another", handle=handle)
    profile = Profile.ours(f"{tx.home}/actors/{ids.slug(ids.new(tx.now))}", TYPES[kind], handle)
    stated = identity.sign(recovery, profile.id, tx.now) if recovery else None
    profile = replace(profile, url=profile_url(tx.home, handle), indexable=True)
    profile = replace(profile, statements=(stated,) if stated else ())
    actor = mint(tx, profile, name or handle, pair)
    account = Account(id=actor.id, uri=actor.uri, handle=handle.lower(), kind=kind, recovery=stated)
    tx.db.add(account)
    tx.db.flush()
    tx.db.info.pop("accounts", None)
    return account


def check_handle(handle: str) -> None:
    """Raise `Trouble` for what can be none."""
    if not HANDLE.fullmatch(handle):
        raise Trouble("a handle has up to 30 letters, digits, _ . or -, and neither begins nor ends with . or -")


def create_instance_actor(tx: Transaction, pair: KeyPair) -> None:
    """The actor that signs what is done for nobody in particular (P-027)."""
    mint(tx, Profile.ours(f"{tx.home}/actor", "Application", host(tx.home)), "Boxroom", pair)


def mint(tx: Transaction, profile: Profile, name: str, pair: KeyPair) -> Actor:
    """Store a new actor of ours with its keys, and with the document that says of it what `profile` does."""
    actor = Actor(
        id=ids.new(tx.now),
        uri=profile.id,
        host=host(tx.home),
        type=profile.type,
        handle=profile.handle,
        name=name,
        inbox=profile.inbox,
        shared_inbox=profile.shared_inbox,
        followers=profile.followers,
        featured=profile.featured,
        address=f"{profile.handle.lower()}@{host(tx.home)}",
        local=True,
        aware=True,
        document={},
        first_seen=tx.now,
        fetched=tx.now,
        needed=tx.now,
    )
    tx.db.add(actor)
    add_keys(tx, profile.id, pair)
    known.somebody_moved_in(tx.db)
    stated = (key_statement(tx, profile.id, {}),) if profile.type in TYPES.values() else ()
    named = replace(profile, name=name, published=tx.now, statements=(*profile.statements, *stated))
    actor.document = named.write(public_keys(tx.db, profile.id))
    tx.db.flush()
    return actor


def add_keys(tx: Transaction, actor: str, pair: KeyPair) -> None:
    """Each gets a fragment that no key of `actor` ever had (P-021, P-022, P-078)."""
    for use, name, private in (("publicKey", "main-key", pair.rsa), ("assertionMethod", "ed25519-key", pair.ed25519)):
        ever = tx.db.scalar(select(func.count()).where(Key.owner == actor, Key.use == use)) or 0
        uri = f"{actor}#{name}-{ever + 1}" if ever else f"{actor}#{name}"
        public = keys.write_pem(keys.load_private(private).public_key())
        about: dict[str, Any] = {"use": use, "public": public, "private": private}
        tx.db.add(Key(id=uri, owner=actor, first_seen=tx.now, last_seen=tx.now, **about))
    tx.db.flush()


def public_keys(db: Session, actor: str) -> Keys:
    """What the document of `actor`, one of us, says of its keys."""
    requests, proofs = own_key(db, actor, "publicKey"), own_key(db, actor, "assertionMethod")
    present = (Key.owner == actor, Key.private.is_not(None), Key.retired.is_(None))
    rows = db.scalars(select(Key).where(*present, Key.id.not_in([requests.id, proofs.id])).order_by(Key.id)).all()
    sealing = [(row.id.partition("#")[2], parcel.write_multikey(row.public)) for row in rows if row.use == SEALING]
    return Keys(
        pem=requests.public,
        multibase=_multikey(proofs)[1],
        pem_fragment=_multikey(requests)[0],
        multibase_fragment=_multikey(proofs)[0],
        coming=tuple(_multikey(row) for row in rows if row.use != SEALING),
        sealing=next(iter(sealing), None),
    )


def key_statement(tx: Transaction, actor: str, document: Json) -> Json:
    """That whoever has the key which proves what `actor` says is `actor` (P-244); as its `document` has it already."""
    _, key = own_proof_key(tx.db, actor)
    made = (one for one in identity.listed(Document(document)) if one.get("subject") == identity.did(key))
    return next(made, None) or identity.sign(key, actor, tx.now)


def _multikey(row: Key) -> tuple[str, str]:
    return row.id.partition("#")[2], keys.write_multikey(keys.load_pem(row.public))


def named(db: Session, handle: str) -> Account:
    """Raise `NotFound` if nobody here has that handle."""
    found = db.scalar(select(Account).where(Account.handle == handle.lower().removeprefix("@")))
    if found is None:
        raise NotFound("nobody called %(handle)s lives here", handle=handle)
    return found


def at(db: Session, uri: str) -> Account | None:
    return db.scalar(select(Account).where(Account.uri == uri))


def numbers(db: Session) -> dict[str, int]:
    """The row ids of all accounts by their URIs; looked up once in a session."""
    found: dict[str, int] | None = db.info.get("accounts")
    if found is None:
        rows = db.execute(select(Account.uri, Account.id))
        found = db.info["accounts"] = {row.uri: row.id for row in rows}
    return found


def first(db: Session) -> Account:
    """Whoever set this server up. Raise `NotFound` before that."""
    found = db.scalar(select(Account).order_by(Account.id).limit(1))
    if found is None:
        raise NotFound("nobody lives here yet: run `boxroom init` first")
    return found


def count(db: Session) -> int:
    return db.scalar(select(func.count()).select_from(Account)) or 0


def profile_url(home: str, handle: str) -> str:
    """The page about somebody here."""
    return f"{home}/@{handle}"
