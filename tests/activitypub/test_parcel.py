"""Parcels: what is sealed for somebody who sleeps, and what of it others cannot do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some

from activitypub import keys, mailbox, parcel
from activitypub.document import Document, Json
from activitypub.errors import Malformed, ProtocolError
from activitypub.parcel import MAX_CONTENT, OVERHEAD, Parcel, SealingKey
from tests.activitypub import hpke_by_hand

ADA, SAM = "https://ada.example/actors/1", "https://sam.example/actors/2"
PRIVATE, PUBLIC = parcel.new_key()
OTHER, _ = parcel.new_key()
MULTIKEY: Json = {
    "id": f"{SAM}#x25519",
    "type": "Multikey",
    "controller": SAM,
    "publicKeyMultibase": parcel.write_multikey(PUBLIC),
}


def actor(*listed: Any) -> Document:
    return Document({"id": SAM, "type": "Person", "keyAgreement": [*listed]})


def key() -> SealingKey:
    found = SealingKey.of(actor(MULTIKEY))
    assert found is not None
    return found


SEALED = Parcel.seal(b"Day 3.", ADA, key())


@given(some.binary(max_size=500))
def test_what_is_sealed_is_opened_by_its_owner_after_it_was_written_and_read(content: bytes) -> None:
    sealed = Parcel.seal(content, ADA, key())

    read = Parcel.read(Document(sealed.write()))

    assert read == sealed
    assert read.open(PRIVATE) == content
    assert len(read.sealed) == len(content) + OVERHEAD


def test_a_seal_is_the_one_of_rfc_9180() -> None:
    private = serialization.load_pem_private_key(PRIVATE.encode(), None)
    assert isinstance(private, X25519PrivateKey)

    opened = hpke_by_hand.opened(SEALED.sealed, private, f"boxroom parcel 1\n{ADA}\n{SAM}".encode())

    assert opened == b"Day 3."


@given(some.integers(0, len(SEALED.sealed) - 1), some.integers(1, 255))
def test_no_octet_of_it_can_be_altered(place: int, change: int) -> None:
    altered = bytearray(SEALED.sealed)
    altered[place] ^= change

    with pytest.raises(Malformed):
        replace(SEALED, sealed=bytes(altered)).open(PRIVATE)


@pytest.mark.parametrize(
    "other",
    [
        replace(SEALED, sender=f"{ADA}0"),
        replace(SEALED, owner=ADA),
        replace(SEALED, sealed=SEALED.sealed[:-1]),
        replace(SEALED, sealed=SEALED.sealed[:20]),
        replace(SEALED, sealed=b""),
        replace(SEALED, sealed=bytes(32) + SEALED.sealed[32:]),  # a point with which every key agrees on the same
    ],
)
def test_it_is_from_nobody_else_and_for_nobody_else(other: Parcel) -> None:
    with pytest.raises(Malformed, match="as its sender sealed it"):
        other.open(PRIVATE)
    with pytest.raises(Malformed):
        SEALED.open(OTHER)


@pytest.mark.parametrize(
    "listed",
    [
        {**MULTIKEY, "controller": ADA},
        {**MULTIKEY, "id": f"{ADA}#x25519"},
        {**MULTIKEY, "publicKeyMultibase": keys.write_multikey(keys.new_ed25519().public_key())},
        {**MULTIKEY, "publicKeyMultibase": keys.multibase(b"\xec\x01" + bytes(31))},
        {**MULTIKEY, "publicKeyMultibase": "z0"},
        {},
    ],
)
def test_a_key_that_is_not_its_owners_or_no_such_key_is_passed_over(listed: Json) -> None:
    assert SealingKey.of(actor(listed)) is None
    assert SealingKey.of(actor(listed, MULTIKEY)) == key()


def test_nothing_is_sealed_that_is_too_long_or_with_a_key_that_is_none() -> None:
    weak = SealingKey.of(actor({**MULTIKEY, "publicKeyMultibase": keys.multibase(b"\xec\x01" + bytes(32))}))

    assert Parcel.read(Document(Parcel.seal(bytes(MAX_CONTENT), ADA, key()).write())).open(PRIVATE)
    with pytest.raises(Malformed, match="64,000"):
        Parcel.seal(bytes(MAX_CONTENT + 1), ADA, key())
    assert weak is not None
    with pytest.raises(Malformed, match="nothing can be sealed"):
        Parcel.seal(b"", ADA, weak)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Note"},
        {"sealed": None},
        {"sealed": ["QQ=="]},
        {"sealed": "no base64!"},
        {"sealed": "A" * 86_000},
        {"actor": None},
        {"to": []},
        {"sealedTo": 1},
    ],
)
def test_what_is_no_parcel_is_malformed(change: Json) -> None:
    with pytest.raises(Malformed):
        Parcel.read(Document({**SEALED.write(), **change}))


@given(
    some.dictionaries(some.sampled_from([*SEALED.write(), "id"]), some.text() | some.lists(some.text()) | some.none())
)
def test_any_json_is_a_parcel_or_malformed(json: Json) -> None:
    with suppress(ProtocolError):
        Parcel.read(Document(json)).open(PRIVATE)


def test_a_mailbox_is_asked_for_by_whom_it_is_for() -> None:
    written = mailbox.write(f"{SAM}#mailboxes/1", SAM)

    assert mailbox.read(Document(written), SAM) == f"{SAM}#mailboxes/1"
    for odd in ({**written, "attributedTo": ADA}, {**written, "type": "Note"}, {**written, "id": None}):
        with pytest.raises(Malformed):
            mailbox.read(Document(odd), SAM)
