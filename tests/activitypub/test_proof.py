from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub import keys, proof
from activitypub.document import Document, Json
from activitypub.errors import ProtocolError, Unverified
from activitypub.keys import Key
from tests.activitypub.proofs_by_hand import (
    ADA,
    BO,
    CONTEXT,
    CREATE,
    KEY,
    KEY_ID,
    NOTE,
    NOW,
    PUBLIC,
    SECRET,
    SIGNED,
    VECTORS,
    find,
    refused,
    resigned,
    with_proof,
)


@pytest.mark.proves("P-081", "P-083")
def test_the_vector_of_the_fep_is_made_and_verified() -> None:
    signed = VECTORS["fep8b32"]
    config = signed["proof"]
    unsigned = {name: value for name, value in signed.items() if name != "proof"}
    alice = Key(config["verificationMethod"], signed["actor"], PUBLIC, "assertionMethod")
    created = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)

    assert proof.sign(unsigned, alice.id, SECRET, created) == signed
    assert proof.verify(signed, {alice.id: alice}.get, NOW).owner == signed["actor"]


@pytest.mark.proves("P-081", "P-082")
def test_our_own_vector_is_made_and_verified() -> None:
    signed = VECTORS["ours"]["document"]
    unsigned = {name: value for name, value in signed.items() if name != "proof"}

    assert proof.sign(unsigned, KEY_ID, SECRET, NOW + timedelta(seconds=1)) == signed
    assert proof.verify(signed, find, NOW).key_id == KEY_ID


@pytest.mark.proves("P-081", "P-082")
@pytest.mark.parametrize("name", ["w3c", "ours"])
def test_what_is_signed_is_the_hash_of_the_configuration_and_then_of_the_document(name: str) -> None:
    vector = VECTORS[name]
    config = {name: value for name, value in vector["document"]["proof"].items() if name != "proofValue"}

    signed = proof.signed_bytes(vector["document"], config)

    assert signed.hex() == vector["config_sha256"] + vector["document_sha256"]
    assert keys.matches(PUBLIC, "ed25519", keys.from_multibase(vector["document"]["proof"]["proofValue"]), signed)


@pytest.mark.proves("P-084")
def test_a_proof_holds_until_it_expires() -> None:
    fresh, stale = VECTORS["unexpired"], VECTORS["expired"]
    alice = Key(fresh["proof"]["verificationMethod"], fresh["actor"], PUBLIC, "assertionMethod")

    proof.verify(fresh, {alice.id: alice}.get, NOW)
    proof.verify(stale, {alice.id: alice}.get, datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC))
    with pytest.raises(Unverified, match="expired"):
        proof.verify(stale, {alice.id: alice}.get, NOW)


@pytest.mark.proves("P-080", "P-081")
def test_the_key_is_learnt_first_and_the_proof_verified_later() -> None:
    [claim] = proof.read(SIGNED, NOW)

    assert (claim.key_id, claim.owner) == (KEY_ID, ADA)
    claim.verify(KEY)


@pytest.mark.proves("P-080", "P-083")
def test_an_activity_and_what_it_carries_have_each_their_own_proof() -> None:
    carried = proof.sign({"@context": CONTEXT, **NOTE}, KEY_ID, SECRET, NOW)
    activity = proof.sign({**CREATE, "object": carried}, KEY_ID, SECRET, NOW)

    proof.verify(activity, find, NOW)
    proof.verify(activity["object"], find, NOW)
    assert activity["proof"]["@context"] == activity["@context"] == CONTEXT


def test_signing_leaves_the_document_as_it_was_and_replaces_an_older_proof() -> None:
    again = proof.sign(SIGNED, KEY_ID, SECRET, NOW + timedelta(days=1))

    assert "proof" not in CREATE
    assert again["proof"]["created"] == "2026-01-16T10:00:00Z"
    proof.verify(again, find, NOW + timedelta(days=1))


@pytest.mark.proves("P-090")
def test_mastodons_older_signature_is_neither_kept_nor_believed() -> None:
    older = {"type": "RsaSignature2017", "creator": KEY_ID, "signatureValue": "AAAA"}

    assert "signature" not in proof.sign({**CREATE, "signature": older}, KEY_ID, SECRET, NOW)
    assert proof.read({**CREATE, "signature": older}, NOW) == ()
    refused({**CREATE, "proof": older}, "DataIntegrityProof")
    proof.verify({**SIGNED, "signature": older}, find, NOW)


@pytest.mark.proves("P-086")
def test_no_proof_is_something_else_than_a_bad_one() -> None:
    for none in (CREATE, {**CREATE, "proof": None}, {**CREATE, "proof": []}):
        assert proof.read(none, NOW) == ()
        refused(none, "has no proof")
    with pytest.raises(Unverified):
        proof.read({**CREATE, "proof": "trust me"}, NOW)


@pytest.mark.proves("P-084", "P-321")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "Ed25519Signature2020"}, "DataIntegrityProof"),
        ({"cryptosuite": "eddsa-rdfc-2022"}, "eddsa-jcs-2022"),
        ({"cryptosuite": "mldsa44-jcs-2024"}, "eddsa-jcs-2022"),
        ({"proofPurpose": "authentication"}, "assertionMethod"),
        ({"proofPurpose": None}, "assertionMethod"),
        ({"verificationMethod": f"{ADA}#other"}, "unknown"),
        ({"verificationMethod": f"{BO}#ed25519-key"}, "not on the server"),
        ({"verificationMethod": "did:key:z6Mk"}, "not a web address"),
        ({"verificationMethod": [KEY_ID]}, "verificationMethod"),
        ({"proofValue": None}, "proofValue"),
        ({"proofValue": ""}, "base58btc"),
        ({"proofValue": "z"}, "does not match"),
        ({"proofValue": "z" + "1" * 100_000}, "base58btc"),
        ({"proofValue": f"u{SIGNED['proof']['proofValue'][1:]}"}, "base58btc"),
        ({"proofValue": f"{SIGNED['proof']['proofValue'][:-1]}1"}, "does not match"),
        ({"created": "2026-01-15T10:00:01Z"}, "does not match"),
        ({"created": "yesterday"}, "not a time"),
        ({"created": 1768471200}, "not a time"),
        ({"created": "2026-01-15T11:00:01Z"}, "future"),
        ({"expires": "2026-01-15T10:00:00Z"}, "expired"),
        ({"expires": "never"}, "not a time"),
        ({"expires": "2027-01-15T10:00:00Z"}, "does not match"),
        ({"nonce": "new"}, "does not match"),
        ({"@context": CONTEXT[:1]}, "does not match"),
        ({"@context": CONTEXT[1:]}, "does not begin"),
        ({"@context": CONTEXT[0]}, "does not match"),
    ],
)
def test_a_proof_with_any_member_changed_is_refused(change: Json, reason: str) -> None:
    refused(with_proof(**change), reason)


@pytest.mark.proves("P-084", "P-321")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "DataIntegrityproof"}, "DataIntegrityProof"),
        ({"cryptosuite": "eddsa-jcs-2023"}, "eddsa-jcs-2022"),
        ({"proofPurpose": "authentication"}, "assertionMethod"),
        ({"created": "2026-01-15T11:00:01Z"}, "future"),
        ({"created": "soon"}, "not a time"),
        ({"expires": "2026-01-15T09:59:59Z"}, "expired"),
    ],
)
def test_it_is_refused_even_if_the_owner_signed_the_change(change: Json, reason: str) -> None:
    refused(resigned(CREATE, **change), reason)


@pytest.mark.proves("P-084")
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"created": None},
        {"created": "2026-01-15T11:00:00Z"},
        {"created": "2020-01-01T00:00:00.123456789+01:00"},
        {"expires": "2026-01-15T10:00:01Z"},
        {"nonce": "new"},
    ],
)
def test_what_the_owner_signed_otherwise_verifies(change: Json) -> None:
    assert proof.verify(resigned(CREATE, **change), find, NOW).owner == ADA


@pytest.mark.proves("P-084", "P-302", "P-321")
@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (Key(KEY_ID, BO, PUBLIC, "assertionMethod"), "not a key with which"),
        (Key(KEY_ID, "https://ada.example/actors/eve", PUBLIC, "assertionMethod"), "not a key with which"),
        (Key(f"{ADA}#other", ADA, PUBLIC, "assertionMethod"), "not a key with which"),
        (Key(KEY_ID, ADA, PUBLIC, "publicKey"), "not a key with which"),
        (Key(KEY_ID, ADA, keys.new_ed25519().public_key(), "assertionMethod"), "does not match"),
        (Key(KEY_ID, ADA, keys.new_rsa().public_key(), "assertionMethod"), "does not match"),
    ],
)
def test_only_the_owners_own_key_for_proofs_counts(key: Key, reason: str) -> None:
    [claim] = proof.read(SIGNED, NOW)

    with pytest.raises(Unverified, match=reason):
        claim.verify(key)


@pytest.mark.proves("P-084", "P-302")
@pytest.mark.parametrize(
    "document",
    [
        {**CREATE, "actor": BO},
        {**CREATE, "actor": "https://ada.example/actors/eve"},
        {**CREATE, "actor": [BO, ADA]},
        {**CREATE, "actor": [ADA, BO]},
        {**CREATE, "actor": None},
        {**CREATE, "attributedTo": BO},
        {"@context": CONTEXT, **NOTE, "attributedTo": BO},
        {"@context": CONTEXT, **NOTE, "attributedTo": BO, "actor": ADA},
        {"@context": CONTEXT, **NOTE, "attributedTo": [ADA, BO]},
        {"@context": CONTEXT, "id": BO, "type": "Person", "attributedTo": ADA},
        {"@context": CONTEXT},
    ],
)
def test_a_good_signature_under_a_document_of_somebody_else_is_refused(document: Json) -> None:
    refused(resigned(document), "not on the server|not a key with which|one actor or author")


@pytest.mark.proves("P-084")
@pytest.mark.parametrize(
    "document",
    [
        {**CREATE, "actor": {"id": ADA, "type": "Person"}},
        {**CREATE, "attributedTo": [ADA]},
        {"@context": CONTEXT, **NOTE},
        {"@context": CONTEXT, "id": ADA, "type": "Group", "attributedTo": BO},
    ],
)
def test_the_owner_is_the_actor_the_author_or_the_actor_document_itself(document: Json) -> None:
    assert proof.verify(resigned(document), find, NOW).owner == ADA


@pytest.mark.proves("P-081", "P-085", "P-321")
@pytest.mark.parametrize(
    "change",
    [
        {"id": "https://ada.example/a/2"},
        {"type": "Update"},
        {"object": {**NOTE, "content": "Hello!"}},
        {"object": {**NOTE, "sensitive": True}},
        {"to": [ADA]},
        {"unknown": 1},
        {"@context": [CONTEXT[0]]},
        {"@context": [*reversed(CONTEXT)]},
    ],
)
def test_any_change_to_the_document_is_noticed(change: Json) -> None:
    refused({**SIGNED, **change}, "does not match|does not begin")
    if "object" not in change:
        refused({name: value for name, value in SIGNED.items() if name not in {"id"} | change.keys()}, "does not")


@pytest.mark.proves("P-085")
@pytest.mark.proves("P-083")
def test_a_context_is_the_same_only_if_it_is_written_the_same() -> None:
    signed = proof.sign({**NOTE, "@context": [{"v": 1}]}, KEY_ID, SECRET, NOW)
    config = {name: value for name, value in signed["proof"].items() if name != "proofValue"}

    proof.signed_bytes({**signed, "@context": [{"v": 1.0}]}, config)
    with pytest.raises(Unverified, match="does not begin"):
        proof.signed_bytes({**signed, "@context": [{"v": True}]}, config)


def test_unknown_members_and_the_senders_own_order_survive_the_round_trip() -> None:
    signed = proof.sign(
        {**CREATE, "x:unknown": [{"b": 1, "a": [None, 1.5]}], "é": "\u2028</script>"}, KEY_ID, SECRET, NOW
    )
    body = json.dumps(dict(reversed(signed.items())), indent=3).encode()

    proof.verify(Document.parse(body).json, find, NOW)


@pytest.mark.proves("P-321")
def test_the_first_valid_proof_of_the_owner_counts_among_at_most_four() -> None:
    good, foreign, bad = (
        SIGNED["proof"],
        with_proof(verificationMethod=f"{BO}#k")["proof"],
        with_proof(nonce=1)["proof"],
    )
    unknown = with_proof(verificationMethod=f"{ADA}#k")["proof"]

    def among(*proofs: Any) -> Json:
        return {**CREATE, "proof": [*proofs]}

    proof.verify(among(good), find, NOW)
    proof.verify(among(foreign, "rubbish", bad, good), find, NOW)
    proof.verify(among(unknown, good), find, NOW)
    assert [claim.key_id for claim in proof.read(among(unknown, foreign, good), NOW)] == [f"{ADA}#k", KEY_ID]
    refused(among(foreign, bad, unknown, bad, good), "does not match")
    refused(among(foreign, "rubbish"), "DataIntegrityProof")
    refused(among([good]), "DataIntegrityProof")


JSON = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text()
    | some.sampled_from([ADA, KEY_ID, CONTEXT, SIGNED["proof"], NOTE]),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    some.dictionaries(some.sampled_from(["@context", "actor", "attributedTo", "type", "id", "proof", "@graph"]), JSON),
    some.dictionaries(some.sampled_from([*SIGNED["proof"], "expires", "nonce"]), JSON),
)
def test_no_document_breaks_the_reader(document: Json, config: Json) -> None:
    for odd in (document, {**SIGNED, **document}, {**with_proof(**config), "extra": document}):
        try:
            proof.verify(odd, find, NOW)
        except ProtocolError:
            continue
        assert odd == SIGNED or "proof" not in document
