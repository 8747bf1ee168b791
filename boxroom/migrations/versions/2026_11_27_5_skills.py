"""Skill cards and whom those know whom we know; a place, and whether strangers may find somebody; words, folded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_5_skills"
down_revision = "2026_11_27_4_sleep"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(sa.Column("place", sa.String(), nullable=False, server_default=""))
        accounts.add_column(sa.Column("remote", sa.Boolean(), nullable=False, server_default=sa.false()))
        # Whoever is here already was shown to strangers, as their document says; from now on it is their choice.
        accounts.add_column(sa.Column("discoverable", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("accounts") as accounts:
        for name in ("place", "remote", "discoverable"):
            accounts.alter_column(name, server_default=None)
    op.create_table(
        "cards",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("availability", sa.String(), nullable=False),
        sa.Column("has_time", sa.Boolean(), nullable=False),
        sa.Column("pronouns", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("findable", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
    )
    op.create_table(
        "card_skills",
        sa.Column("skill", sa.String(), nullable=False),
        sa.Column("card", NUMBER, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("skill", "card", name=op.f("pk_card_skills")),
    )
    op.create_index(op.f("ix_card_skills_card"), "card_skills", ["card"], unique=False)
    op.create_table(
        "circles",
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", name=op.f("pk_circles")),
    )
    op.create_table(
        "introductions",
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("of", sa.String(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("by", "of", name=op.f("pk_introductions")),
    )
    op.create_index(op.f("ix_introductions_due"), "introductions", ["due"], unique=False)
    op.create_index(op.f("ix_introductions_of"), "introductions", ["of"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search")
        op.execute("CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5(words, tokenize = 'ascii')")
    else:
        op.execute("DELETE FROM search")
    op.execute("DELETE FROM unindexed")
    op.execute("INSERT INTO unindexed (object) SELECT id FROM objects WHERE deleted IS NULL")
