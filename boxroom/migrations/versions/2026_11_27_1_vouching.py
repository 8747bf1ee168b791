"""Requests for endorsements, the signature of an endorsement as an Open Badge, and recovery keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_1_vouching"
down_revision = "2026_11_22_first_tables"


def upgrade() -> None:
    op.create_table(
        "endorsement_requests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("to", sa.String(), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("work", sa.String(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "answered", "declined", "withdrawn", native_enum=False),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endorsement_requests")),
        sa.UniqueConstraint("uri", name=op.f("uq_endorsement_requests_uri")),
    )
    op.create_index(op.f("ix_endorsement_requests_to_state"), "endorsement_requests", ["to", "state"], unique=False)
    op.create_index(op.f("ix_endorsement_requests_by_to"), "endorsement_requests", ["by", "to"], unique=False)
    op.create_index(op.f("ix_endorsement_requests_since"), "endorsement_requests", ["since"], unique=False)
    op.add_column("endorsements", sa.Column("badge", sa.String(), nullable=True))
    op.add_column("accounts", sa.Column("recovery", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "identities",
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_identities")),
    )
    op.create_index(op.f("ix_identities_key"), "identities", ["key"], unique=False)
