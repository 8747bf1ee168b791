"""Agreements with both signatures, commitments, and the addresses of calendars."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_2_agreements"
down_revision = "2026_11_27_1_vouching"


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
        sa.Column("provider", sa.String(), nullable=False),
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
    op.create_table(
        "calendar_addresses",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_calendar_addresses")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_addresses_token_hash")),
    )
    op.create_table(
        "commitments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=True),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hours", sa.String(length=40), nullable=True),
        sa.Column("agreement", sa.String(), nullable=True),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum("proposed", "agreed", "declined", "withdrawn", "replaced", native_enum=False),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("accepted", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("claimed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("thanks", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("provider_shows", sa.Boolean(), nullable=False),
        sa.Column("receiver_shows", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitments")),
        sa.UniqueConstraint("hash", name=op.f("uq_commitments_hash")),
        sa.UniqueConstraint("uri", name=op.f("uq_commitments_uri")),
    )
    op.create_index(op.f("ix_commitments_project_author"), "commitments", ["project", "author"], unique=False)
    op.create_index(op.f("ix_commitments_provider_state"), "commitments", ["provider", "state"], unique=False)
    op.create_index(op.f("ix_commitments_receiver_state"), "commitments", ["receiver", "state"], unique=False)
    op.create_index(op.f("ix_commitments_root"), "commitments", ["root"], unique=False)
