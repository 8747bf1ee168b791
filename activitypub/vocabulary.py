"""Every type that means something here, so that of several the one that we know decides (P-110)."""

from __future__ import annotations

RESOURCES = frozenset(  # of ForgeFed: each is an actor, or nothing that it says could be verified
    {
        "Factory",
        "PatchTracker",
        "Project",
        "ReleaseTracker",
        "Repository",
        "Roadmap",
        "Team",
        "TicketTracker",
        "Workflow",
    }
)
ACTORS = frozenset({"Application", "Group", "Organization", "Person", "Service"}) | RESOURCES
ACTIVITIES = frozenset(  # all of ActivityStreams 2, so that a feature which receives one more need not come here
    {
        "Accept",
        "Add",
        "Announce",
        "Arrive",
        "Block",
        "Create",
        "Delete",
        "Dislike",
        "EmojiReact",
        "Flag",
        "Follow",
        "Ignore",
        "Invite",
        "Join",
        "Leave",
        "Like",
        "Listen",
        "Move",
        "Offer",
        "Read",
        "Reject",
        "Remove",
        "TentativeAccept",
        "TentativeReject",
        "Travel",
        "Undo",
        "Update",
        "View",
    }
)
FORGE = frozenset({"Grant", "Revoke"})
POSTS = frozenset({"Article", "Audio", "Document", "Event", "Image", "Note", "Page", "Question", "Video"})
WORK = frozenset({"Agreement", "Commitment", "EconomicEvent", "Endorsement", "EndorsementRequest", "Proposal"})
MAIL = frozenset({"Mailbox", "Parcel"})
PLACES = frozenset({"Collection", "CollectionPage", "OrderedCollection", "OrderedCollectionPage"})
TYPES = ACTORS | ACTIVITIES | FORGE | POSTS | WORK | MAIL | PLACES | {"Tombstone"}
