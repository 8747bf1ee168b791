"""Every table of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_22_first_tables"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("handle", sa.String(), nullable=False),
        sa.Column("kind", sa.Enum("person", "studio", native_enum=False), nullable=False),
        sa.Column("bio", sa.String(), nullable=False),
        sa.Column("pronouns", sa.String(), nullable=False),
        sa.Column("availability", sa.String(), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("avatar", sa.String(), nullable=True),
        sa.Column("header", sa.String(), nullable=True),
        sa.Column("approves_followers", sa.Boolean(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("password", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("handle", name=op.f("uq_accounts_handle")),
        sa.UniqueConstraint("uri", name=op.f("uq_accounts_uri")),
    )
    op.create_table(
        "activities",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("published", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
        sa.UniqueConstraint("uri", name=op.f("uq_activities_uri")),
    )
    op.create_index(op.f("ix_activities_actor_id"), "activities", ["actor", "id"], unique=False)
    op.create_index(op.f("ix_activities_object_type"), "activities", ["object", "type"], unique=False)
    op.create_index(
        op.f("ix_activities_until"),
        "activities",
        ["until"],
        unique=False,
        sqlite_where=sa.text("until IS NOT NULL"),
        postgresql_where=sa.text("until IS NOT NULL"),
    )
    op.create_table(
        "actors",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("handle", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("inbox", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetched", sa.DateTime(timezone=True), nullable=False),
        sa.Column("needed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("address_asked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shared_inbox", sa.String(), nullable=True),
        sa.Column("followers", sa.String(), nullable=True),
        sa.Column("featured", sa.String(), nullable=True),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column("aware", sa.Boolean(), nullable=False),
        sa.Column("gone", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actors")),
        sa.UniqueConstraint("uri", name=op.f("uq_actors_uri")),
    )
    op.create_index(op.f("ix_actors_address"), "actors", ["address"], unique=False)
    op.create_index(op.f("ix_actors_host"), "actors", ["host"], unique=False)
    op.create_index(op.f("ix_actors_inbox"), "actors", ["inbox"], unique=False)
    op.create_index(op.f("ix_actors_needed"), "actors", ["needed"], unique=False)
    op.create_table(
        "addressees",
        sa.Column("object", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("object", "actor", name=op.f("pk_addressees")),
    )
    op.create_index(op.f("ix_addressees_actor"), "addressees", ["actor"], unique=False)
    op.create_table(
        "blocked_domains",
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_blocked_domains")),
    )
    op.create_table(
        "blocks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("blocked", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uri", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
        sa.UniqueConstraint("by", "blocked", name=op.f("uq_blocks_by_blocked")),
    )
    op.create_index(op.f("ix_blocks_uri"), "blocks", ["uri"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("inbox", sa.String(), nullable=False),
        sa.Column("activity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("state", sa.Enum("waiting", "done", "refused", native_enum=False), nullable=False),
        sa.Column("settled", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(op.f("ix_deliveries_activity_inbox"), "deliveries", ["activity", "inbox"], unique=True)
    op.create_index(
        op.f("ix_deliveries_lane_id"),
        "deliveries",
        ["lane", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        op.f("ix_deliveries_settled"),
        "deliveries",
        ["settled"],
        unique=False,
        sqlite_where=sa.text("settled IS NOT NULL"),
        postgresql_where=sa.text("settled IS NOT NULL"),
    )
    op.create_table(
        "endorsed_skills",
        sa.Column("skill", sa.String(), nullable=False),
        sa.Column("endorsement", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("skill", "endorsement", name=op.f("pk_endorsed_skills")),
    )
    op.create_table(
        "endorsements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("endorser", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("inner", sa.JSON(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("display", sa.Enum("waiting", "accepted", "declined", native_enum=False), nullable=False),
        sa.Column("confirmed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revocation", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endorsements")),
        sa.UniqueConstraint("uri", name=op.f("uq_endorsements_uri")),
    )
    op.create_index(op.f("ix_endorsements_endorser_id"), "endorsements", ["endorser", "id"], unique=False)
    op.create_index(op.f("ix_endorsements_hash"), "endorsements", ["hash"], unique=False)
    op.create_index(op.f("ix_endorsements_subject_id"), "endorsements", ["subject", "id"], unique=False)
    op.create_table(
        "entries",
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("object", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("boosted_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("account", "id", "object", name=op.f("pk_entries")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_entries_boosted_by"),
        "entries",
        ["boosted_by"],
        unique=False,
        sqlite_where=sa.text("boosted_by IS NOT NULL"),
        postgresql_where=sa.text("boosted_by IS NOT NULL"),
    )
    op.create_index(op.f("ix_entries_object_account"), "entries", ["object", "account"], unique=True)
    op.create_table(
        "essays",
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_essays")),
    )
    op.create_table(
        "follows",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("follower", sa.String(), nullable=False),
        sa.Column("followed", sa.String(), nullable=False),
        sa.Column("state", sa.Enum("asked", "accepted", native_enum=False), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follows")),
        sa.UniqueConstraint("follower", "followed", name=op.f("uq_follows_follower_followed")),
    )
    op.create_index(op.f("ix_follows_followed_state_id"), "follows", ["followed", "state", "id"], unique=False)
    op.create_index(op.f("ix_follows_uri"), "follows", ["uri"], unique=False)
    op.create_table(
        "grants",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint("resource", "holder", name=op.f("uq_grants_resource_holder")),
    )
    op.create_table(
        "invitation_letters",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("invitation", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_invitation_letters")),
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("inviter", sa.String(), nullable=False),
        sa.Column("invitee", sa.String(), nullable=False),
        sa.Column("role", sa.Enum("lead", "member", "guest", native_enum=False), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Enum("open", "accepted", "declined", "withdrawn", native_enum=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("project", "uri", name=op.f("uq_invitations_project_uri")),
    )
    op.create_index(op.f("ix_invitations_invitee_state"), "invitations", ["invitee", "state"], unique=False)
    op.create_index(op.f("ix_invitations_uri"), "invitations", ["uri"], unique=False)
    op.create_table(
        "keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("use", sa.Enum("publicKey", "assertionMethod", native_enum=False), nullable=False),
        sa.Column("public", sa.String(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("private", sa.String(), nullable=True),
        sa.Column("retired", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
    )
    op.create_index(op.f("ix_keys_owner"), "keys", ["owner"], unique=False)
    op.create_table(
        "lanes",
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("dialect", sa.Enum("cavage", "rfc9421", native_enum=False), nullable=True),
        sa.Column("dialect_learnt", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reached", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_lanes")),
    )
    op.create_index(
        op.f("ix_lanes_due"),
        "lanes",
        ["due"],
        unique=False,
        sqlite_where=sa.text("due IS NOT NULL"),
        postgresql_where=sa.text("due IS NOT NULL"),
    )
    op.create_table(
        "media",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("alt", sa.String(), nullable=False),
        sa.Column("width", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("height", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("blurhash", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("uploaded", sa.DateTime(timezone=True), nullable=False),
        sa.Column("object", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("on_profile", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint("name", name=op.f("uq_media_name")),
    )
    op.create_index(op.f("ix_media_object"), "media", ["object"], unique=False)
    op.create_index(op.f("ix_media_owner"), "media", ["owner"], unique=False)
    op.create_index(
        op.f("ix_media_uploaded"),
        "media",
        ["uploaded"],
        unique=False,
        sqlite_where=sa.text("object IS NULL"),
        postgresql_where=sa.text("object IS NULL"),
    )
    op.create_table(
        "memberships",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.Column("role", sa.Enum("lead", "member", "guest", native_enum=False), nullable=False),
        sa.Column("capability", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("project", "member", name=op.f("uq_memberships_project_member")),
    )
    op.create_index(op.f("ix_memberships_member"), "memberships", ["member"], unique=False)
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "follow",
                "follow request",
                "follow accepted",
                "follow rejected",
                "mention",
                "reply",
                "like",
                "boost",
                "edit",
                "response",
                "response accepted",
                "response declined",
                "endorsement",
                "endorsement revoked",
                "invitation",
                "invitation accepted",
                "invitation declined",
                "invitation withdrawn",
                "request to join",
                "role",
                "removal",
                "leave",
                "report",
                native_enum=False,
            ),
            nullable=False,
        ),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("about", "by", "kind", "account", name=op.f("uq_notifications_about_by_kind_account")),
    )
    op.create_index(
        op.f("ix_notifications_account"),
        "notifications",
        ["account"],
        unique=False,
        sqlite_where=sa.text("read IS NULL"),
        postgresql_where=sa.text("read IS NULL"),
    )
    op.create_index(op.f("ix_notifications_account_id"), "notifications", ["account", "id"], unique=False)
    op.create_table(
        "objects",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("published", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column(
            "visibility",
            sa.Enum("public", "unlisted", "followers", "direct", "project", native_enum=False),
            nullable=False,
        ),
        sa.Column("reply_to", sa.String(), nullable=True),
        sa.Column("conversation", sa.String(), nullable=True),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objects")),
        sa.UniqueConstraint("uri", name=op.f("uq_objects_uri")),
    )
    op.create_index(op.f("ix_objects_author_id"), "objects", ["author", "id"], unique=False)
    op.create_index(
        op.f("ix_objects_conversation"),
        "objects",
        ["conversation"],
        unique=False,
        sqlite_where=sa.text("conversation IS NOT NULL"),
        postgresql_where=sa.text("conversation IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_objects_deleted"),
        "objects",
        ["deleted"],
        unique=False,
        sqlite_where=sa.text("deleted IS NOT NULL"),
        postgresql_where=sa.text("deleted IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_objects_reply_to_id"),
        "objects",
        ["reply_to", "id"],
        unique=False,
        sqlite_where=sa.text("reply_to IS NOT NULL"),
        postgresql_where=sa.text("reply_to IS NOT NULL"),
    )
    op.create_table(
        "offered_skills",
        sa.Column("skill", sa.String(), nullable=False),
        sa.Column("offer", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("skill", "offer", name=op.f("pk_offered_skills")),
    )
    op.create_index(op.f("ix_offered_skills_offer"), "offered_skills", ["offer"], unique=False)
    op.create_table(
        "offers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("purpose", sa.Enum("offer", "request", native_enum=False), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("least", sa.String(length=40), nullable=True),
        sa.Column("most", sa.String(length=40), nullable=True),
        sa.Column("per", sa.Enum("project", "day", "hour", native_enum=False), nullable=False),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Enum("open", "filled", "withdrawn", native_enum=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
        sa.UniqueConstraint("uri", name=op.f("uq_offers_uri")),
    )
    op.create_index(op.f("ix_offers_author_id"), "offers", ["author", "id"], unique=False)
    op.create_index(op.f("ix_offers_state_id"), "offers", ["state", "id"], unique=False)
    op.create_table(
        "pins",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("object", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pins")),
        sa.UniqueConstraint("actor", "object", name=op.f("uq_pins_actor_object")),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("founder", sa.String(), nullable=False),
        sa.Column("members", sa.String(), nullable=False),
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("needed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("uri", name=op.f("uq_projects_uri")),
    )
    op.create_index(op.f("ix_projects_members"), "projects", ["members"], unique=False)
    op.create_table(
        "reactions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("kind", sa.Enum("like", "emoji", "boost", native_enum=False), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("object", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("emoji", sa.String(), nullable=False),
        sa.Column("icon", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reactions")),
        sa.UniqueConstraint("object", "kind", "actor", "emoji", name=op.f("uq_reactions_object_kind_actor_emoji")),
    )
    op.create_index(op.f("ix_reactions_actor_object"), "reactions", ["actor", "object"], unique=False)
    op.create_index(op.f("ix_reactions_uri"), "reactions", ["uri"], unique=False)
    op.create_table(
        "receipts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.Enum("waiting", "done", "refused", "failed", native_enum=False), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("uri", name=op.f("uq_receipts_uri")),
    )
    op.create_index(
        op.f("ix_receipts_due_id"),
        "receipts",
        ["due", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("server", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("uri", name=op.f("uq_reports_uri")),
    )
    op.create_index(
        op.f("ix_reports_site"),
        "reports",
        ["site"],
        unique=False,
        sqlite_where=sa.text("done IS NULL"),
        postgresql_where=sa.text("done IS NULL"),
    )
    op.create_table(
        "responses",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("offer", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("to", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("via", sa.Enum("agreement", "reply", native_enum=False), nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=True),
        sa.Column("state", sa.Enum("open", "accepted", "declined", "withdrawn", native_enum=False), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("agreement", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responses")),
        sa.UniqueConstraint("uri", name=op.f("uq_responses_uri")),
    )
    op.create_index(op.f("ix_responses_by_id"), "responses", ["by", "id"], unique=False)
    op.create_index(op.f("ix_responses_offer_id"), "responses", ["offer", "id"], unique=False)
    op.create_index(op.f("ix_responses_to_id"), "responses", ["to", "id"], unique=False)
    op.create_table(
        "revisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("object", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("replaced", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
    )
    op.create_index(op.f("ix_revisions_object_id"), "revisions", ["object", "id"], unique=False)
    op.create_table(
        "snapshots",
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("first", sa.JSON(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last", sa.JSON(), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("actor", name=op.f("pk_snapshots")),
    )
    op.create_table(
        "statements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
        sa.UniqueConstraint("hash", name=op.f("uq_statements_hash")),
    )
    op.create_index(op.f("ix_statements_project_id"), "statements", ["project", "id"], unique=False)
    op.create_index(op.f("ix_statements_subject_kind"), "statements", ["subject", "kind"], unique=False)
    op.create_index(op.f("ix_statements_uri"), "statements", ["uri"], unique=False)
    op.create_table(
        "tallies",
        sa.Column("object", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("likes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("boosts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("object", name=op.f("pk_tallies")),
    )
    op.create_table(
        "unindexed",
        sa.Column("object", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("object", name=op.f("pk_unindexed")),
    )
    op.create_table(
        "verified_links",
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "url", name=op.f("pk_verified_links")),
    )
    op.create_table(
        "vouchers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("public", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("project", "key", name=op.f("uq_vouchers_project_key")),
    )
    op.create_index(op.f("ix_vouchers_by"), "vouchers", ["by"], unique=False)
    op.create_index(op.f("ix_vouchers_owner"), "vouchers", ["owner"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5(words, tokenize = 'unicode61 remove_diacritics 2')"
        )
    else:
        op.execute("CREATE TABLE IF NOT EXISTS search (object BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
        op.execute("CREATE INDEX IF NOT EXISTS ix_search_words ON search USING gin (words)")
