from __future__ import annotations

import hashlib
import json
from typing import Any

import base58
import pytest

from activitypub import proof
from activitypub.document import Document
from activitypub.errors import Malformed
from tests.activitypub.proofs_by_hand import (
    CREATE,
    KEY_ID,
    NOW,
    SECRET,
    SIGNED,
    find,
    with_proof,
)


@pytest.mark.proves("P-082")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([333333333.33333329, 1e30, 4.50, 2e-3, 1e-27], "[333333333.3333333,1e+30,4.5,0.002,1e-27]"),
        ([-0.0, 56.0, 1e21, 1e20, 1e-6, 1e-7], "[0,56,1e+21,100000000000000000000,0.000001,1e-7]"),
        ([2**53 - 1, -(2**53) + 1], "[9007199254740991,-9007199254740991]"),
        ([None, True, False], "[null,true,false]"),
        ('€$\u000f\nA\'B"\\\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
        (
            {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\u0080": 6, "ö": 7},
            '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}',
        ),
        ({"péché": 1, "peach": 2, "sin": {}, "A\u030a": []}, '{"A\u030a":[],"peach":2,"péché":1,"sin":{}}'),
    ],
)
def test_json_is_made_canonical_as_rfc_8785_shows(value: Any, text: str) -> None:
    assert proof.canonical(value) == text.encode()


@pytest.mark.proves("P-082")
@pytest.mark.parametrize(
    "value", [2**53, -(2**53), float("nan"), float("inf"), "\ud800", {"\udfff": 1}, {"a": [{"b": "\ud800"}]}]
)
def test_json_without_a_canonical_form_is_neither_signed_nor_verified_nor_named(value: Any) -> None:
    with pytest.raises(Malformed):
        proof.sign({**CREATE, "odd": value}, KEY_ID, SECRET, NOW)
    with pytest.raises(Malformed):
        proof.verify({**SIGNED, "odd": value}, find, NOW)
    with pytest.raises(Malformed):
        proof.hash_of({"odd": value})


@pytest.mark.proves("P-082")
def test_a_key_that_occurs_twice_never_reaches_the_proof() -> None:
    body = json.dumps(SIGNED).replace('"type": "Create"', '"type": "Delete", "type": "Create"').encode()

    with pytest.raises(Malformed, match="twice"):
        Document.parse(body)


@pytest.mark.proves("P-260")
def test_a_statement_is_named_by_the_multihash_of_all_of_it() -> None:
    name = proof.hash_of(SIGNED)

    raw = base58.b58decode(name[1:])
    plain = json.dumps(SIGNED, sort_keys=True, separators=(",", ":")).encode()
    assert name.startswith("zQm")
    assert raw == b"\x12\x20" + hashlib.sha256(plain).digest()
    assert proof.hash_of(dict(reversed(SIGNED.items()))) == name
    assert proof.hash_of(with_proof(nonce=1)) != name
