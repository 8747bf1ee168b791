"""Faces of projects that move, what former members keep, and actors that moved lately."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_3_faces"
down_revision = "2026_11_27_2_agreements"

ROLES = sa.Enum("lead", "usher", "member", "guest", native_enum=False)


def upgrade() -> None:
    op.add_column("projects", sa.Column("moved_to", sa.String(), nullable=True))
    op.drop_index(op.f("ix_statements_project_id"), "statements")
    op.create_index(op.f("ix_statements_project_held_id_hash"), "statements", ["project", "held", "id", "hash"])
    op.create_table(
        "faces",
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_faces")),
        sa.UniqueConstraint("project", name=op.f("uq_faces_project")),
    )
    op.create_table(
        "keepsakes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("role", ROLES, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keepsakes")),
        sa.UniqueConstraint("project", "member", name=op.f("uq_keepsakes_project_member")),
    )
    op.create_index(op.f("ix_keepsakes_member"), "keepsakes", ["member"])
    op.create_table(
        "relocations",
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_relocations")),
    )
    op.create_index(op.f("ix_relocations_since"), "relocations", ["since"])
