"""Whether somebody is delivering on a lane, told from one that is left alone for a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_6_held"
down_revision = "2026_11_27_5_skills"


def upgrade() -> None:
    with op.batch_alter_table("lanes") as lanes:
        lanes.add_column(sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))
