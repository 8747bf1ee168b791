"""Proofs made by hand, after FEP-8b32, to hold our own code against."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activitypub import keys, proof
from activitypub.document import Json
from activitypub.errors import Unverified
from activitypub.keys import Key

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "proofs.json").read_text())
SECRET = Ed25519PrivateKey.from_private_bytes(base58.b58decode(VECTORS["secret"][1:])[2:])
PUBLIC = keys.load_multikey(VECTORS["public"])
NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
ADA, BO = "https://ada.example/actors/ada", "https://bo.example/actors/bo"
KEY_ID = f"{ADA}#ed25519-key"
KEY = Key(KEY_ID, ADA, PUBLIC, "assertionMethod")
CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2"]
NOTE: Json = {"id": "https://ada.example/notes/7", "type": "Note", "attributedTo": ADA, "content": "Hello"}
CREATE: Json = {"@context": CONTEXT, "id": "https://ada.example/a/1", "type": "Create", "actor": ADA, "object": NOTE}
SIGNED = proof.sign(CREATE, KEY_ID, SECRET, NOW)


def find(key_id: str) -> Key | None:
    return KEY if key_id == KEY_ID else None


def resigned(document: Json, **config: Any) -> Json:
    """With a proof made by hand, whose configuration differs from ours by `config`; ``None`` leaves a member out."""
    ours: Json = {
        "@context": document.get("@context"),
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": KEY_ID,
        "proofPurpose": "assertionMethod",
        "created": "2026-01-15T10:00:00Z",
    }
    config = {"@context" if name == "context" else name: value for name, value in config.items()}
    ours = {name: value for name, value in {**ours, **config}.items() if value is not None}
    plain = {name: value for name, value in document.items() if name != "proof"}
    if "@context" in ours:
        plain["@context"] = ours["@context"]
    text = [json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for one in (ours, plain)]
    value = SECRET.sign(b"".join(hashlib.sha256(one.encode()).digest() for one in text))
    return {**document, "proof": {**ours, "proofValue": f"z{base58.b58encode(value).decode()}"}}


def with_proof(**change: Any) -> Json:
    return {**SIGNED, "proof": {**SIGNED["proof"], **change}}


def refused(document: Json, reason: str, now: datetime = NOW) -> None:
    with pytest.raises(Unverified, match=reason):
        proof.verify(document, find, now)
