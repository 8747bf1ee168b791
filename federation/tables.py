"""What federation itself remembers: actors, keys, objects, activities, receipts, lanes, deliveries, blocked domains.

Rows are the domain types. They have no relationships: joins are written out. Features add their own tables to `Row`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    event,
    false,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column
from sqlalchemy.types import TypeEngine

from activitypub.audience import Visibility
from activitypub.document import Document
from activitypub.keys import Use
from activitypub.message import Scheme

Progress = Literal["waiting", "done", "refused", "failed"]


class _Written(sqlite.DATETIME):
    """As SQLAlchemy writes it, only faster: every row has some."""

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], str | None]:
        return lambda value: value.replace(tzinfo=None).isoformat(" ", "microseconds") if value else None


class Moment(TypeDecorator[datetime]):
    """A point in time, aware and in UTC on both sides (SQLite would drop the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        written = _Written()  # type: ignore[no-untyped-call]
        return dialect.type_descriptor(written if dialect.name == "sqlite" else self.impl_instance)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if not isinstance(value, datetime):
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Exact(TypeDecorator[Decimal]):
    """A decimal number, kept as people write it: SQLite would make a float of it."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else f"{value:f}"

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Row(MappedAsDataclass, DeclarativeBase, kw_only=True, repr=False, eq=False):
    """A table row, and the domain type at the same time. Two are equal if they are the same."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        dict[str, Any]: JSON,
        list[str]: JSON,
        int: BigInteger().with_variant(Integer, "sqlite"),
        datetime: Moment,
        Decimal: Exact,
        bytes: LargeBinary,
    }


def partial(*columns: str, where: str) -> Index:
    """An index of only those rows that fulfil `where`: it stays small however many others there are."""
    condition: ColumnElement[bool] = text(where)  # type: ignore[assignment]  # text is an expression there
    index = Index(None, *columns, sqlite_where=condition)

    @event.listens_for(index, "before_create")
    def tell(_: Index, connection: Connection, **__: Any) -> None:
        """Only when it is made there: to name PostgreSQL here loads all of its dialect, 2 MiB of it."""
        if connection.dialect.name == "postgresql":
            index.dialect_options["postgresql"]["where"] = condition

    return index


class Actor(Row):
    """Anyone with an ActivityPub identity, here or elsewhere. The URI is the key, the handle never is (P-004)."""

    __tablename__ = "actors"

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(unique=True)
    host: Mapped[str] = mapped_column(index=True)
    type: Mapped[str]
    handle: Mapped[str]  # as the actor calls itself
    name: Mapped[str]
    inbox: Mapped[str] = mapped_column(index=True)
    document: Mapped[dict[str, Any]]  # as its server gave it; of those who live here, what they say of themselves
    first_seen: Mapped[datetime]
    fetched: Mapped[datetime]  # when its own server last confirmed it
    needed: Mapped[datetime] = mapped_column(index=True)  # when last something here was seen to refer to it (P-327)
    address: Mapped[str | None] = mapped_column(index=True, default=None)  # ``ada@attic.example``, once proven (P-017)
    address_asked: Mapped[datetime | None] = mapped_column(default=None)
    shared_inbox: Mapped[str | None] = mapped_column(default=None)
    followers: Mapped[str | None] = mapped_column(default=None)
    featured: Mapped[str | None] = mapped_column(default=None)
    local: Mapped[bool] = mapped_column(default=False)
    aware: Mapped[bool] = mapped_column(default=False)  # speaks our own words (P-024)
    gone: Mapped[datetime | None] = mapped_column(default=None)


class Key(Row):
    """A key that an actor lists or once listed. One that ever verified something is never deleted (P-243)."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(primary_key=True)  # its URI, fragment included
    owner: Mapped[str] = mapped_column(index=True)
    use: Mapped[Use]  # requests are signed with the one, documents proven with the other
    public: Mapped[str]  # PEM
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]  # in its owner's document
    private: Mapped[str | None] = mapped_column(default=None)  # PEM; of those who live here alone
    retired: Mapped[datetime | None] = mapped_column(default=None)


class Object(Row):
    """Anything anyone said. `document` is the truth on the wire; columns exist where a query needs them."""

    __tablename__ = "objects"
    __table_args__ = (
        Index(None, "author", "id"),
        partial("reply_to", "id", where="reply_to IS NOT NULL"),
        partial("conversation", where="conversation IS NOT NULL"),
        partial("deleted", where="deleted IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    author: Mapped[str]
    published: Mapped[datetime]
    document: Mapped[dict[str, Any]]
    local: Mapped[bool] = mapped_column(default=False)
    visibility: Mapped[Visibility] = mapped_column(default="direct")
    reply_to: Mapped[str | None] = mapped_column(default=None)
    conversation: Mapped[str | None] = mapped_column(default=None)
    updated: Mapped[datetime | None] = mapped_column(default=None)
    deleted: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def said(self) -> Document:
        """`document`, to be read; what several readers look up is looked up once."""
        read: Document | None = vars(self).get("_said")
        if read is None or read.json is not self.document:
            read = vars(self)["_said"] = Document(self.document)
        return read

    def was_read(self, document: Document) -> None:
        """`document` is what it says: what was looked up in it on the way here need not be again."""
        vars(self)["_said"] = document


class Activity(Row):
    """What somebody here did, as it goes out: signed and serialised once, for all who get it (P-163)."""

    __tablename__ = "activities"
    __table_args__ = (
        Index(None, "actor", "id"),
        Index(None, "object", "type"),
        partial("until", where="until IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    actor: Mapped[str]  # of another server where we pass on what it said
    object: Mapped[str | None]
    public: Mapped[bool]
    published: Mapped[datetime]
    body: Mapped[bytes]
    until: Mapped[datetime | None] = mapped_column(default=None)  # after which nobody needs it; None for ever


class Receipt(Row):
    """An activity that we have acknowledged, until and after it is worked through."""

    __tablename__ = "receipts"
    __table_args__ = (partial("due", "id", where="state = 'waiting'"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    uri: Mapped[str] = mapped_column(unique=True)  # of the activity: a repeat finds it taken (P-103)
    type: Mapped[str]
    actor: Mapped[str]
    proven: Mapped[bool]  # by its actor's signature or proof; otherwise it is a hint (P-091)
    body: Mapped[bytes]  # as received, byte for byte: proofs are checked on it, and it is what we pass on (P-085)
    received: Mapped[datetime]
    due: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    state: Mapped[Progress] = mapped_column(default="waiting")
    error: Mapped[str | None] = mapped_column(default=None)


class Lane(Row):
    """The way to one host: in order, at its own pace, whatever happens on the others."""

    __tablename__ = "lanes"
    __table_args__ = (partial("due", where="due IS NOT NULL"),)

    host: Mapped[str] = mapped_column(primary_key=True)
    due: Mapped[datetime | None] = mapped_column(default=None)  # when to try next; None while there is nothing to send
    held: Mapped[bool] = mapped_column(default=False, server_default=false())  # somebody delivers there, until `due`
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    failing_since: Mapped[datetime | None] = mapped_column(default=None)
    parked: Mapped[datetime | None] = mapped_column(default=None)  # given up until the host is heard of again (P-167)
    error: Mapped[str | None] = mapped_column(default=None)  # what it last answered, in words for the operator
    dialect: Mapped[Scheme | None] = mapped_column(default=None)  # which signature it takes
    dialect_learnt: Mapped[datetime | None] = mapped_column(default=None)
    reached: Mapped[datetime | None] = mapped_column(default=None)  # when something last arrived


class Delivery(Row):
    """One activity on its way to one inbox. It is kept for a while, so that its author can see where it got to."""

    __tablename__ = "deliveries"
    __table_args__ = (
        partial("lane", "id", where="state = 'waiting'"),
        partial("settled", where="settled IS NOT NULL"),
        Index(None, "activity", "inbox", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    lane: Mapped[str]
    inbox: Mapped[str]
    activity: Mapped[int]
    sender: Mapped[str]  # who signs the request
    state: Mapped[Literal["waiting", "done", "refused"]] = mapped_column(default="waiting")
    settled: Mapped[datetime | None] = mapped_column(default=None)
    error: Mapped[str | None] = mapped_column(default=None)


class BlockedDomain(Row):
    """A host that nothing is taken from and nothing is sent to; subdomains are included."""

    __tablename__ = "blocked_domains"

    host: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")
