from __future__ import annotations

from collections.abc import Callable
from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as some

from activitypub import keys
from activitypub.document import Document, Json
from activitypub.errors import Malformed, ProtocolError, Unverified

ADA = "https://ada.example/actors/01HZA"
MAIN, PROOFS = f"{ADA}#main-key", f"{ADA}#ed25519-key"
RSA, ED25519 = keys.new_rsa(), Ed25519PrivateKey.from_private_bytes(bytes(32))  # the latter stands in names of tests
PEM, MULTIKEY = keys.write_pem(RSA.public_key()), keys.write_multikey(ED25519.public_key())
RSA_KEY: Json = {"id": MAIN, "owner": ADA, "publicKeyPem": PEM}
ED25519_KEY: Json = {"id": PROOFS, "type": "Multikey", "controller": ADA, "publicKeyMultibase": MULTIKEY}
ACTOR: Json = {
    "id": ADA,
    "type": "Person",
    "inbox": f"{ADA}/inbox",
    "publicKey": RSA_KEY,
    "assertionMethod": [ED25519_KEY],
}


def pem(key: Any) -> str:
    made: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return made.decode()


def numbers(bits: int, exponent: int) -> str:
    key = RSAPublicNumbers(exponent, (1 << bits) - 1).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.proves("P-050", "P-021", "P-022")
def test_we_make_rsa_2048_for_requests_and_ed25519_for_proofs_and_both_are_read_back() -> None:
    assert RSA.key_size == 2048
    assert PEM.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert PEM.endswith("-----END PUBLIC KEY-----\n")
    assert MULTIKEY.startswith("z6Mk")
    assert base58.b58decode(MULTIKEY[1:]) == b"\xed\x01" + ED25519.public_key().public_bytes_raw()

    assert keys.load_pem(PEM) == RSA.public_key()
    assert keys.load_multikey(MULTIKEY) == ED25519.public_key()
    assert keys.load_pem(pem(ED25519)) == ED25519.public_key()


@pytest.mark.proves("P-022")
def test_the_multikey_of_the_fep_is_read_and_written() -> None:
    published = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"  # FEP-521a, FEP-8b32

    assert keys.write_multikey(keys.load_multikey(published)) == published


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["RSA", "Ed25519"])
def test_a_private_key_survives_being_written_and_still_signs(key: keys.PrivateKey) -> None:
    loaded = keys.load_private(keys.write_private(key))

    assert loaded.public_key() == key.public_key()


def test_only_keys_that_we_make_are_loaded_as_private() -> None:
    foreign = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    with pytest.raises(TypeError):
        keys.load_private(foreign.decode())


@pytest.mark.parametrize("bits", [2048, 4096, 8192])
def test_rsa_keys_of_usual_sizes_are_read(bits: int) -> None:
    assert isinstance(keys.load_pem(numbers(bits, 65537)), rsa.RSAPublicKey)


@pytest.mark.parametrize(
    "text",
    [
        numbers(1024, 65537),
        numbers(2047, 65537),
        numbers(8193, 65537),
        numbers(16384, 65537),
        numbers(2048, (1 << 65) + 1),
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(X25519PrivateKey.generate()),
        "",
        "rubbish",
        "🦆",
        PEM.replace("PUBLIC", "PRIVATE"),
        PEM[:200],
        PEM.replace("M", "N"),
        keys.write_private(ED25519),
        PEM + " " * 20_000,
    ],
)
def test_a_weak_huge_or_foreign_key_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        keys.load_pem(text)


@pytest.mark.proves("P-022")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        MULTIKEY[1:],
        f"u{MULTIKEY[1:]}",
        MULTIKEY[:-1],
        f"{MULTIKEY}1",
        f"{MULTIKEY} ",
        f"{MULTIKEY}\n",
        MULTIKEY.replace("6", "0"),
        keys.multibase(b"\xe7\x01" + bytes(32)),
        keys.multibase(b"\xed\x01" + bytes(33)),
        "zä",
        "z" + "1" * 100_000,
    ],
)
def test_a_multikey_that_is_none_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        keys.load_multikey(text)


@pytest.mark.proves("P-052")
@pytest.mark.parametrize("bits", [2048, 8192])
def test_an_rsa_key_may_be_written_as_a_multikey(bits: int) -> None:
    public = keys.load_pem(numbers(bits, 65537))

    written = keys.write_multikey(public)

    assert keys.load_multikey(written) == public
    assert base58.b58decode(written[1:]).startswith(b"\x85\x24\x30\x82")  # the multicodec of RSA, then a sequence


@pytest.mark.proves("P-052")
def test_an_rsa_multikey_that_is_too_weak_or_broken_is_malformed() -> None:
    der = b"\x85\x24" + RSA.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)[:-1]
    weak = RSAPublicNumbers(65537, (1 << 1024) - 1).public_key()
    for text in (keys.write_multikey(weak), f"z{base58.b58encode(der).decode()}"):
        with pytest.raises(Malformed):
            keys.load_multikey(text)


def test_a_multibase_longer_than_any_key_is_not_decoded() -> None:
    with pytest.raises(Malformed, match="length of a key or signature"):
        keys.from_multibase("z" + "2" * 128)


@given(some.binary(max_size=64))
def test_what_is_written_in_multibase_is_read(raw: bytes) -> None:
    assert keys.from_multibase(keys.multibase(raw)) == raw


@given(some.text())
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (keys.load_pem, keys.load_multikey):
        with pytest.raises(Malformed):
            read(text)
    with pytest.raises(Malformed):
        keys.load_pem(f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")


@pytest.mark.proves("P-052")
def test_an_actor_lists_its_keys_with_what_each_is_for() -> None:
    assert keys.listed(Document(ACTOR)) == (
        keys.Key(MAIN, ADA, RSA.public_key(), "publicKey"),
        keys.Key(PROOFS, ADA, ED25519.public_key(), "assertionMethod"),
    )


@pytest.mark.proves("P-052", "P-302")
@pytest.mark.parametrize(
    "key",
    [
        {**RSA_KEY, "owner": "https://ada.example/actors/eve"},
        {**RSA_KEY, "owner": f"{ADA}/"},
        {**RSA_KEY, "id": "https://eve.example/key"},
        {**RSA_KEY, "publicKeyPem": "rubbish"},
        {"id": MAIN, "publicKeyPem": PEM},
        {"owner": ADA, "publicKeyPem": PEM},
        {**ED25519_KEY, "controller": "https://bo.example/actors/bo"},
        {**ED25519_KEY, "type": "Ed25519"},
        "https://ada.example/key",
        None,
        7,
    ],
)
def test_a_key_that_is_unreadable_or_not_its_own_is_not_listed(key: Any) -> None:
    actor = Document({**ACTOR, "publicKey": [key], "assertionMethod": [key, ED25519_KEY]})

    assert [key.id for key in keys.listed(actor)] == [PROOFS]


def test_an_actor_with_a_thousand_keys_does_not_keep_us_busy() -> None:
    assert len(keys.listed(Document({**ACTOR, "publicKey": [RSA_KEY] * 1000}))) == keys.MAX_KEYS


@pytest.mark.proves("P-052")
@pytest.mark.parametrize("listed", [RSA_KEY, [RSA_KEY], [{**RSA_KEY, "id": f"{ADA}#old"}, RSA_KEY], ["x", RSA_KEY]])
def test_a_key_is_found_alone_or_among_others(listed: Any) -> None:
    actor = Document({**ACTOR, "publicKey": listed})

    assert keys.find(actor, MAIN) == keys.Key(MAIN, ADA, RSA.public_key(), "publicKey")
    assert keys.find(actor, PROOFS).use == "assertionMethod"


@pytest.mark.proves("P-052")
@pytest.mark.parametrize("key_id", [ADA, f"{MAIN}-2", f"{ADA}#Main-Key", f"{ADA}#main%2Dkey", f"{ADA}/main-key", ""])
def test_a_key_is_found_by_its_exact_id_only(key_id: str) -> None:
    with pytest.raises(Unverified, match="does not list"):
        keys.find(Document(ACTOR), key_id)


@pytest.mark.proves("P-052", "P-302")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"owner": "https://ada.example/actors/eve"}, "belongs to"),
        ({"owner": "https://bo.example/actors/bo"}, "belongs to"),
    ],
)
def test_a_listed_key_of_another_owner_is_refused(change: Json, reason: str) -> None:
    with pytest.raises(Unverified, match=reason):
        keys.find(Document({**ACTOR, "publicKey": {**RSA_KEY, **change}}), MAIN)


@pytest.mark.proves("P-052", "P-302")
def test_a_listed_key_of_another_server_is_refused() -> None:
    foreign = "https://eve.example/key"

    with pytest.raises(Unverified, match="not on the server of its owner"):
        keys.find(Document({**ACTOR, "publicKey": {**RSA_KEY, "id": foreign}}), foreign)


@pytest.mark.proves("P-052")
def test_a_listed_key_that_is_weak_says_so() -> None:
    with pytest.raises(Malformed, match="2048 to 8192 bits"):
        keys.find(Document({**ACTOR, "publicKey": {**RSA_KEY, "publicKeyPem": numbers(1024, 65537)}}), MAIN)


@pytest.mark.proves("P-051", "P-052")
@pytest.mark.parametrize(
    ("key_id", "document", "full"),
    [
        (MAIN, ACTOR, True),
        (f"{ADA}/main-key", ACTOR, True),
        (f"{ADA}/main-key", {"id": ADA, "type": "Person", "publicKey": RSA_KEY}, False),  # GoToSocial's stub
        (f"{ADA}/main-key", {**RSA_KEY, "id": f"{ADA}/main-key"}, False),
        (f"{ADA}/proof-key", {**ED25519_KEY, "id": f"{ADA}/proof-key"}, False),
    ],
    ids=["fragment", "path of an actor", "stub", "PEM", "Multikey"],
)
def test_the_owner_is_learnt_from_whatever_lives_at_the_key_id(key_id: str, document: Json, full: bool) -> None:
    assert keys.owner(Document(document), key_id) == ADA
    assert keys.is_full(Document(document)) is full


@pytest.mark.proves("P-052", "P-302")
@pytest.mark.parametrize(
    ("key_id", "document"),
    [
        ("https://eve.example/key", {**RSA_KEY, "id": "https://eve.example/key"}),
        ("https://eve.example/key", RSA_KEY),
        ("https://eve.example/key", ACTOR),
        ("https://ada.example:8443/key", ACTOR),
        (f"{ADA}/main-key", {**RSA_KEY, "id": f"{ADA}/main-key-2"}),
    ],
)
def test_a_key_on_another_server_or_of_another_name_leads_to_nobody(key_id: str, document: Json) -> None:
    with pytest.raises(Unverified):
        keys.owner(Document(document), key_id)


@pytest.mark.proves("P-052")
@pytest.mark.parametrize("document", [{}, {"id": MAIN}, {"id": MAIN, "type": "Note"}, {"id": MAIN, "owner": ADA}])
def test_what_is_neither_key_nor_actor_leads_to_nobody(document: Json) -> None:
    with pytest.raises(Malformed):
        keys.owner(Document(document), MAIN)


@pytest.mark.proves("P-052")
@pytest.mark.parametrize(
    ("use", "key"), [("publicKey", RSA_KEY), ("assertionMethod", ED25519_KEY)], ids=["PEM", "Multikey"]
)
def test_a_key_that_stands_alone_counts_once_its_owner_lists_it(use: str, key: Json) -> None:
    key_id = f"{ADA}/key"
    alone = Document({**key, "id": key_id})
    silent = Document({**ACTOR, "publicKey": [], "assertionMethod": []})

    found = keys.find(Document({**silent.json, use: [key_id]}), key_id, alone)

    assert (found.id, found.owner, found.use) == (key_id, ADA, use)
    with pytest.raises(Unverified, match="does not list"):
        keys.find(silent, key_id, alone)
    with pytest.raises(Unverified, match="does not list"):
        keys.find(Document({**silent.json, use: [key_id]}), key_id, Document(key))
    with pytest.raises(Unverified, match="belongs to"):
        keys.find(
            Document({**silent.json, use: [key_id]}),
            key_id,
            Document({**alone.json, "owner": "https://ada.example/eve", "controller": "https://ada.example/eve"}),
        )


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text() | some.sampled_from([ADA, MAIN, PEM, MULTIKEY]),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(["id", "type", "owner", "controller", "publicKeyPem", "publicKeyMultibase", "publicKey"]),
            inner,
        )
    ),
    max_leaves=12,
)
READERS: list[Callable[[Document], object]] = [
    keys.listed,
    lambda document: keys.owner(document, MAIN),
    lambda document: keys.find(document, MAIN),
    lambda document: keys.find(Document({**ACTOR, "publicKey": MAIN}), MAIN, document),
]


@given(some.dictionaries(some.sampled_from([*ACTOR, *RSA_KEY, *ED25519_KEY]), JSON), some.sampled_from(READERS))
def test_no_document_breaks_the_readers(json: Json, read: Callable[[Document], object]) -> None:
    try:
        read(Document({**ACTOR, **json}))
        read(Document(json))
    except ProtocolError:
        pass
