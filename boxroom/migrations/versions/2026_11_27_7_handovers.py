"""The signed word by which a commitment was released, for those who join its project later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_7_handovers"
down_revision = "2026_11_27_6_held"


def upgrade() -> None:
    with op.batch_alter_table("commitments") as commitments:
        commitments.add_column(sa.Column("release", sa.JSON(none_as_null=True), nullable=True))
