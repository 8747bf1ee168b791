"""The ``@context`` of what we write: one constant for each kind of document, with only the terms that it needs.

Every term outside ActivityStreams is mapped inline, those whose value is an id as ids (P-207), and no context is named
that other servers have not bundled (P-206). Readers never depend on any of this (P-208).
"""

from __future__ import annotations

from typing import Any, Final

AS2 = "https://www.w3.org/ns/activitystreams"
SECURITY = "https://w3id.org/security/v1"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
DID = "https://www.w3.org/ns/did/v1"
MULTIKEY = "https://w3id.org/security/multikey/v1"

NS = "https://w3id.org/boxroom#"

_VOCABULARIES = {
    "box": NS,
    "fep044f": "https://w3id.org/fep/044f#",
    "forge": "https://forgefed.org/ns#",
    "gts": "https://gotosocial.org/ns#",
    "litepub": "http://litepub.social/ns#",
    "om2": "http://www.ontology-of-units-of-measure.org/resource/om-2/",
    "ostatus": "http://ostatus.org#",
    "schema": "http://schema.org#",
    "sec": "https://w3id.org/security#",
    "toot": "http://joinmastodon.org/ns#",
    "vf": "https://w3id.org/valueflows/ont/vf#",
}
_TERMS = {
    "Agreement": "vf:Agreement",
    "Commitment": "vf:Commitment",
    "EconomicEvent": "vf:EconomicEvent",
    "Endorsement": "box:Endorsement",
    "Hashtag": "as:Hashtag",
    "Intent": "vf:Intent",
    "Mailbox": "box:Mailbox",
    "Parcel": "box:Parcel",
    "PropertyValue": "schema:PropertyValue",
    "QuoteAuthorization": "fep044f:QuoteAuthorization",
    "QuoteRequest": "fep044f:QuoteRequest",
    "Ticket": "forge:Ticket",
    "action": "vf:action",
    "after": "box:after",
    "availability": "box:availability",
    "availableQuantity": "vf:availableQuantity",
    "badgeProof": "box:badgeProof",
    "blurhash": "toot:blurhash",
    "capacity": "box:capacity",
    "conversation": "ostatus:conversation",
    "delta": "box:delta",
    "deltaFormat": "box:deltaFormat",
    "digestMultibase": "sec:digestMultibase",
    "directMessage": "litepub:directMessage",
    "discoverable": "toot:discoverable",
    "effortQuantity": "vf:effortQuantity",
    "endorsement": "box:endorsement",
    "endorsementRequest": "box:endorsementRequest",
    "fingerprint": "box:fingerprint",
    "finished": "vf:finished",
    "hasNumericalValue": "om2:hasNumericalValue",
    "hasUnit": "om2:hasUnit",
    "indexable": "toot:indexable",
    "isResolved": "forge:isResolved",
    "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
    "maximum": "box:maximum",
    "minimum": "box:minimum",
    "offerState": "box:offerState",
    "order": "box:order",
    "previous": "box:previous",
    "publishes": "vf:publishes",
    "purpose": "vf:purpose",
    "quorum": "box:quorum",
    "reciprocal": "vf:reciprocal",
    "remote": "box:remote",
    "resolved": "forge:resolved",
    "resourceQuantity": "vf:resourceQuantity",
    "revision": "box:revision",
    "sealed": "box:sealed",
    "sensitive": "as:sensitive",
    "size": "https://joinpeertube.org/ns#size",
    "skill": "box:skill",
    "stipulates": "vf:stipulates",
    "stipulatesReciprocal": "vf:stipulatesReciprocal",
    "suspended": "toot:suspended",
    "unitBased": "vf:unitBased",
    "value": "schema:value",
    "votersCount": "toot:votersCount",
    "vouchedKey": "box:vouchedKey",
    "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
}
_IDS = {
    "alsoKnownAs": "as:alsoKnownAs",
    "assignedTo": "forge:assignedTo",
    "automaticApproval": "gts:automaticApproval",
    "buddies": "box:buddies",
    "canQuote": "gts:canQuote",
    "capability": "forge:capability",
    "clauseOf": "vf:clauseOf",
    "collaborators": "forge:collaborators",
    "dependsOn": "forge:dependsOn",
    "electorate": "box:electorate",
    "endorsementsGiven": "box:endorsementsGiven",
    "endorsementsReceived": "box:endorsementsReceived",
    "featured": "toot:featured",
    "featuredTags": "toot:featuredTags",
    "fulfills": "vf:fulfills",
    "interactingObject": "gts:interactingObject",
    "interactionPolicy": "gts:interactionPolicy",
    "interactionTarget": "gts:interactionTarget",
    "log": "box:log",
    "mailbox": "box:mailbox",
    "members": "box:members",
    "movedTo": "as:movedTo",
    "offers": "box:offers",
    "provider": "vf:provider",
    "receiver": "vf:receiver",
    "replica": "box:replica",
    "resolvedBy": "forge:resolvedBy",
    "resourceConformsTo": "vf:resourceConformsTo",
    "revocations": "box:revocations",
    "satisfies": "vf:satisfies",
    "sealedTo": "box:sealedTo",
}
_SPECIAL: dict[str, dict[str, str]] = {
    "attributionDomains": {"@id": "toot:attributionDomains", "@container": "@set"},
    "implements": {"@id": "https://w3id.org/fep/844e/implements", "@type": "@id", "@container": "@list"},
}


def define(*terms: str, shared: tuple[str, ...] = (AS2, DATA_INTEGRITY)) -> list[Any]:
    """The contexts `shared` with others, then `terms` with the prefixes that they use, or that are named among them.

    Always an array: Mastodon verifies no proof under a context that is a string (P-083).
    """
    mapped = {term: _definition(term) for term in dict.fromkeys(terms) if term not in _VOCABULARIES}
    spelled = [one if isinstance(one, str) else one["@id"] for one in mapped.values()]
    used = [
        prefix for prefix in _VOCABULARIES if prefix in terms or any(one.startswith(f"{prefix}:") for one in spelled)
    ]
    inline = {prefix: _VOCABULARIES[prefix] for prefix in used} | mapped
    return [*shared, inline] if inline else [*shared]


def with_capability(terms: list[Any]) -> list[Any]:
    """The context `terms` of something that is sent to a resource which asks for a right to it (P-256)."""
    return [*terms, *define("capability", shared=())]


def _definition(term: str) -> str | dict[str, str]:
    if term in _IDS:
        return {"@id": _IDS[term], "@type": "@id"}
    return _SPECIAL.get(term) or _TERMS[term]


_FACE = (
    *("toot", "schema", "gts", "manuallyApprovesFollowers", "PropertyValue", "value", "discoverable", "indexable"),
    *(
        "suspended",
        "featured",
        "featuredTags",
        "attributionDomains",
        "alsoKnownAs",
        "movedTo",
        "webfinger",
        "implements",
    ),
    *("offers", "endorsementsReceived", "endorsementsGiven", "revocations", "skill", "availability", "remote"),
)
_MAIL = ("mailbox", "buddies")
_PROJECT = ("members", "collaborators", "log")
_NOTE = (
    *("Hashtag", "sensitive", "conversation", "directMessage", "votersCount"),
    *("blurhash", "size", "digestMultibase", "interactionPolicy", "canQuote", "automaticApproval"),
)
_QUANTITY = ("resourceQuantity", "hasUnit", "hasNumericalValue")
_EDITED = ("capability", "revision", "previous")

PLAIN: Final = define(shared=(AS2,))
"""Collections, tombstones, and whatever else has neither a proof nor a term of its own."""

ACTIVITY: Final = define()
"""Follow, Like, Announce, Undo and others that only name their object."""

HANDOVER: Final = define("vouchedKey", shared=(AS2, MULTIKEY, DATA_INTEGRITY))
"""Add of a statement that another made, with that author's key."""

ACTOR: Final = define(*_FACE, *_MAIL, shared=(AS2, SECURITY, DID, MULTIKEY))
"""P-020: did/v1 is what makes ``assertionMethod`` visible to Fedify."""

PROJECT: Final = define(*_FACE, *_PROJECT, "fingerprint", shared=(AS2, SECURITY, DID, MULTIKEY))
UPDATE_ACTOR: Final = define(
    *_FACE, *_MAIL, *_PROJECT, "fingerprint", shared=(AS2, SECURITY, DID, MULTIKEY, DATA_INTEGRITY)
)
"""An activity that embeds a whole actor."""

NOTE: Final = define(*_NOTE)
OFFER: Final = define(
    *_NOTE,
    *("Intent", "purpose", "unitBased", "publishes", "reciprocal", "action", "resourceConformsTo", *_QUANTITY),
    *("availableQuantity", "minimum", "maximum", "offerState", "skill", "remote"),
)
AGREEMENT: Final = define("Agreement", "Commitment", "stipulates", "stipulatesReciprocal", "satisfies", *_QUANTITY)
ENDORSEMENT_NOTE: Final = define(*_NOTE, "endorsement", "badgeProof")
ENDORSEMENT_REQUEST: Final = define(*_NOTE, "endorsementRequest", "skill")
ENDORSEMENT: Final = define("Endorsement", "capacity", "skill")
"""P-240: of the signed object inside, never to change by a byte: every endorsement ever given depends on it."""

MAILBOX: Final = define("Mailbox")
PARCEL: Final = define("Parcel", "sealed", "sealedTo", shared=(AS2,))
STATEMENT: Final = define("after", "fingerprint", "replica", "capability")
GENESIS: Final = define(*_FACE, *_PROJECT, "after", shared=(AS2, SECURITY, DID, MULTIKEY, DATA_INTEGRITY))
ROOM_NOTE: Final = define(*_NOTE, "capability")
TASK: Final = define(
    *("Ticket", "isResolved", "resolvedBy", "resolved", "assignedTo", "dependsOn", "order", *_EDITED),
)
COMMITMENT: Final = define(
    *("Commitment", "EconomicEvent", "provider", "receiver", "effortQuantity", "hasUnit", "hasNumericalValue"),
    *("previous", "clauseOf", "fulfills", "finished", "discoverable", "capability"),
)
"""P-265: of signed objects, and of what is said about them."""
PAGE: Final = define("delta", "deltaFormat", *_EDITED)
FILE: Final = define("size", "digestMultibase", *_EDITED)
DECISION: Final = define("quorum", "electorate", "votersCount", *_EDITED)
QUOTE: Final = define("QuoteRequest", "QuoteAuthorization", "interactingObject", "interactionTarget")
