"""What Alembic runs: the migrations, on the connection that `boxroom.migrations` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from boxroom.assemble import load_features
from federation.tables import Exact, Moment, Row


def in_plain_types(kind: str, value: Any, _: Any) -> str | Literal[False]:
    """A migration is history: it names the database's types, not ours, which may change."""
    if kind == "type" and isinstance(value, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(value, Exact):
        return "sa.String(length=40)"
    return False


def is_ours(name: str | None, kind: str, _: Any) -> bool:
    """The tables of full-text search are none of SQLAlchemy's: each database makes its own."""
    return not (kind == "table" and name is not None and name.partition("_")[0] == "search")


load_features()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,  # SQLite cannot change a table, only make it anew
    include_name=is_ours,
    render_item=in_plain_types,
)
with context.begin_transaction():
    context.run_migrations()
