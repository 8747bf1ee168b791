"""Agreements with both signatures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_agreements"
down_revision = "2026_11_22_first_tables"


def upgrade() -> None:
    op.add_column("responses", sa.Column("answers", sa.String(), nullable=True))
    op.add_column("responses", sa.Column("signed", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "agreements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("offer", sa.String(), nullable=False),
        sa.Column("proposer", sa.String(), nullable=False),
        sa.Column("responder", sa.String(), nullable=False),
        sa.Column("offered", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("accepted", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("accepted_by", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("uri", name=op.f("uq_agreements_uri")),
    )
    op.create_index(op.f("ix_agreements_offer"), "agreements", ["offer"], unique=False)
    op.create_index(op.f("ix_agreements_proposer_id"), "agreements", ["proposer", "id"], unique=False)
    op.create_index(op.f("ix_agreements_responder_id"), "agreements", ["responder", "id"], unique=False)
