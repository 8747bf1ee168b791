"""Direct posts as letters between the same people, and which were read. Those that are there are filed by a chore."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_4_letters"
down_revision = "2026_11_28_3_looks"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "letters",
        sa.Column("account", NUMBER, nullable=False),
        sa.Column("object", NUMBER, nullable=False),
        sa.Column("circle", sa.String(), nullable=False),
        sa.Column("read", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("account", "object", name="pk_letters"),
    )
    op.create_index("ix_letters_account_circle_object", "letters", ["account", "circle", "object"])
    op.create_index("ix_letters_object", "letters", ["object"])
    unread = sa.text("read IS NULL")
    columns = ["account", "circle"]
    op.create_index("ix_letters_account_circle", "letters", columns, sqlite_where=unread, postgresql_where=unread)
    op.create_table(
        "unfiled",
        sa.Column("object", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("object", name="pk_unfiled"),
    )
    op.execute("INSERT INTO unfiled (object) SELECT id FROM objects WHERE visibility = 'direct' AND deleted IS NULL")
