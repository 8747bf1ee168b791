"""An endorsement as Open Badges 3.0 has it: an ``EndorsementCredential``, in its giver's own name.

The law: the credential follows from the signed endorsement, to the byte, and carries it whole. Nobody but its issuer
can sign a credential in the issuer's name; so who gives an endorsement signs both, and the note carries the second
signature as one string (`PROPERTY`). Whoever has the two writes the credential, even when the giver's server is gone.
Nothing here may ever change: of what was given before, the signature would not hold any more.
"""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activitypub import context, proof
from activitypub.document import Document, Json
from activitypub.endorsement import FRAGMENT, Endorsement
from activitypub.errors import Unverified
from activitypub.keys import Key, from_multibase, matches

PROPERTY: Final = "badgeProof"  # of the note: a proofValue
SIGNED: Final = "signedEndorsement"  # of the credential: the endorsement, as it was signed
MAX_PROOF = 120  # characters of a proofValue: 64 octets in base 58 are 88

_CONTEXT: Final[list[Any]] = [
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",  # where the type of `_SCHEMA` has its meaning
    {SIGNED: {"@id": f"{context.NS}{SIGNED}", "@type": "@json"}},  # opaque, or its terms would be those of credentials
]
_SCHEMA: Final = {
    "id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_endorsementcredential_schema.json",
    "type": "1EdTechJsonSchemaValidator2019",
}
_PROOF: Final = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod"}
_BREAK = re.compile(r"</(?:p|li|ul|ol|pre|blockquote|h[1-6])>|<br[^>]*>")
_TAG = re.compile(r"<[^>]*>")


def sign(inner: Json, key: Ed25519PrivateKey, now: datetime) -> str:
    """The giver's signature of the credential that follows from `inner`, which the same `key` has just signed."""
    signed = proof.sign(_unsigned(inner), inner["proof"]["verificationMethod"], key, now)
    return str(signed["proof"]["proofValue"])


def write(inner: Json, value: str) -> Json:
    """The credential, whose signature is `value`. Raise `Malformed` unless `inner` is a signed endorsement."""
    return {**_unsigned(inner), "proof": [{**_config(inner), "proofValue": value}]}  # the schema wants a list


def is_one(document: Document) -> bool:
    return document.embedded(SIGNED) is not None


def check(credential: Json, key: Key) -> None:
    """Raise `ProtocolError` unless it is just what follows from the endorsement in it, and signed by `key`, too."""
    inner = Document(credential).embedded(SIGNED) or Document({})
    given = Document(credential).embedded("proof") or Document({})
    whole = write(inner.json, given.text("proofValue")[:MAX_PROOF])
    if proof.canonical(whole) != proof.canonical(credential):
        raise Unverified("the credential says something else than the endorsement in it")
    signed = proof.signed_bytes(whole, _config(inner.json))
    if not matches(key.public, "ed25519", from_multibase(whole["proof"][0]["proofValue"]), signed):
        raise Unverified("the credential is not signed by the one who gave the endorsement in it")


def _unsigned(inner: Json) -> Json:
    said = Endorsement.read(Document(inner))
    until = {"validUntil": inner["endTime"]} if said.until else {}
    return {
        "@context": _CONTEXT,
        "id": f"{said.id.removesuffix(FRAGMENT)}#credential",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": f"Endorsement: {', '.join(said.skills)}",
        "issuer": {"id": said.author, "type": ["Profile"]},
        "validFrom": inner["published"],
        **until,
        "credentialSubject": {
            "id": said.subject,
            "type": ["EndorsementSubject"],
            "endorsementComment": _words(said, inner),
        },
        "credentialSchema": [_SCHEMA],
        SIGNED: inner,
    }


def _config(inner: Json) -> Json:
    """All of the proof but its value: it is by the key that proves the endorsement, and of the same moment."""
    given = Document(inner).embedded("proof") or Document({})
    made = {"verificationMethod": given.text("verificationMethod"), "created": given.text("created")}
    return {"@context": _CONTEXT, **_PROOF, **made}


def _words(said: Endorsement, inner: Json) -> str:
    """Everything that the endorsement says, as text."""
    role = "" if said.capacity == "other" else f" (as {said.capacity})"
    text = unescape(_TAG.sub("", _BREAK.sub("\n\n", inner["content"]))).strip()
    work = f"\n\n{said.work}" if said.work else ""
    return f"{', '.join(said.skills)}{role}: {text}{work}"
