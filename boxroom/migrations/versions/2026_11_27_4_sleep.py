"""When the server was awake, and who is still to be asked what was said while it was not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_4_sleep"
down_revision = "2026_11_27_3_faces"


def upgrade() -> None:
    op.create_table(
        "visits",
        sa.Column("whom", sa.String(), nullable=False),
        sa.Column("what", sa.Enum("outbox", "log", native_enum=False), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("page", sa.String(), nullable=True),
        sa.Column("pages", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("failures", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("whom", "what", name=op.f("pk_visits")),
    )
    op.create_index(op.f("ix_visits_what_due"), "visits", ["what", "due"], unique=False)
    op.create_table(
        "wakings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wakings")),
    )
