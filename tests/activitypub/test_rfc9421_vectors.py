from __future__ import annotations

import json
from base64 import b64decode, b64encode, urlsafe_b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from activitypub import keys, rfc9421, signatures
from activitypub.errors import Unverified
from activitypub.message import Request
from tests.activitypub.rfc9421_by_hand import KEY_ID, changed

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "rfc9421.json").read_text())


def published(name: str) -> tuple[dict[str, Any], Request, keys.PublicKey]:
    [vector] = [one for one in VECTORS["signatures"] if one["name"] == name]
    request = Request(**{**VECTORS["request"], "body": VECTORS["request"]["body"].encode()})
    key = VECTORS["keys"][vector["key"]]
    if "pem" in key:
        return vector, request, keys.load_pem(key["pem"])
    return vector, request, Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(key["x"] + "="))


@pytest.mark.proves("P-062", "P-063")
@pytest.mark.parametrize("name", ["B.2.1", "B.2.3", "B.2.6"])
def test_the_vectors_of_the_rfc_verify(name: str) -> None:
    vector, request, key = published(name)

    base = rfc9421.signature_base(request, vector["components"], request.headers, vector["parameters"])

    assert keys.matches(key, vector["algorithm"], b64decode(vector["value"]), base)
    assert not keys.matches(key, vector["algorithm"], b64decode(vector["value"]), base + b"\n")


@pytest.mark.proves("P-063")
def test_our_ed25519_makes_the_very_signature_of_the_rfc() -> None:
    vector, request, _ = published("B.2.6")
    key = Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(VECTORS["keys"][vector["key"]]["d"] + "="))

    base = rfc9421.signature_base(request, vector["components"], request.headers, vector["parameters"])

    assert b64encode(key.sign(base)).decode() == vector["value"]


@pytest.mark.proves("P-061", "P-062")
def test_the_full_cover_of_the_rfc_is_ours_to_accept() -> None:
    vector, request, key = published("B.2.3")
    alg = ';alg="rsa-pss-sha512"'
    named = vector["parameters"].replace("test-key-rsa-pss", KEY_ID) + alg
    signed = changed(request, signature_input=f"s={named}", signature=f"s=:{vector['value']}:")

    signature = signatures.read(signed, datetime.fromtimestamp(1618884473, UTC))

    with pytest.raises(Unverified, match="does not match the key"):  # for the key id is not the one that was signed
        signature.verify(key)
