"""What somebody here chose: language, day or night, a colour, whom they mute, what they rather miss; and their lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_3_looks"
down_revision = "2026_11_28_2_logins"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("language", sa.String(), nullable=True))
    op.add_column("accounts", sa.Column("theme", sa.String(), nullable=True))
    op.add_column("accounts", sa.Column("hue", NUMBER, nullable=True))
    op.create_table(
        "mutes",
        sa.Column("account", NUMBER, nullable=False),
        sa.Column("muted", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", "muted", name="pk_mutes"),
    )
    op.create_index("ix_mutes_muted", "mutes", ["muted"])
    op.create_table(
        "filters",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("account", NUMBER, nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_filters"),
    )
    op.create_index("ix_filters_account", "filters", ["account"])
    op.create_table(
        "luggage",
        sa.Column("account", NUMBER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", NUMBER, nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("account", "kind", "name", name="pk_luggage"),
    )
    where = sa.text("due IS NOT NULL")
    op.create_index("ix_luggage_due", "luggage", ["due"], sqlite_where=where, postgresql_where=where)
