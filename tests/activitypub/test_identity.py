"""Keys that stand for a person: written down, read again, and believed only where both sides say so."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub import identity, keys, proof
from activitypub.document import Document, Json
from activitypub.errors import Malformed
from tests.activitypub.documents import values
from tests.activitypub.proofs_by_hand import ADA, BO, NOW, SECRET

STATEMENT = identity.sign(SECRET, ADA, NOW)
KEY = identity.did(SECRET)


def listing(*statements: Any, uri: str = ADA) -> Document:
    field = {"type": "PropertyValue", "name": "Web", "value": "x"}
    return Document({"id": uri, "type": "Person", "attachment": [field, *statements]})


@pytest.mark.proves("P-244")
def test_a_statement_is_that_of_fep_c390() -> None:
    assert {name: value for name, value in STATEMENT.items() if name not in ("@context", "proof")} == {
        "type": "VerifiableIdentityStatement",
        "subject": KEY,
        "alsoKnownAs": ADA,
    }
    assert KEY.startswith("did:key:z6Mk")
    assert (STATEMENT["proof"]["verificationMethod"], STATEMENT["proof"]["proofPurpose"]) == (KEY, "assertionMethod")
    assert identity.proven(listing(STATEMENT)) == {KEY}


@pytest.mark.proves("P-244")
@pytest.mark.parametrize(
    "change",
    [
        {"alsoKnownAs": BO},
        {"alsoKnownAs": [ADA, BO]},
        {"subject": "did:key:z6MkeTSL73W6mvdxEBGQbU8BzeMuwrxgFyVgnS9fenKa9RyV"},
        {"subject": "did:web:ada.example"},
        {"subject": "did:key:z"},
        {"type": "Statement"},
        {"proof": None},
        {"more": "x"},
        {"@context": []},
    ],
    ids=str,
)
def test_a_statement_that_was_changed_says_nothing(change: Json) -> None:
    assert identity.proven(listing({**STATEMENT, **change})) == frozenset()


@pytest.mark.proves("P-244")
def test_a_statement_about_somebody_else_says_nothing_here() -> None:
    assert identity.proven(listing(STATEMENT, uri=BO)) == frozenset()


@pytest.mark.parametrize("name", ["cryptosuite", "proofPurpose", "verificationMethod", "type"])
def test_a_proof_of_another_kind_is_none(name: str) -> None:
    other = copy.deepcopy(STATEMENT)
    other["proof"][name] = "eddsa-rdfc-2022"
    unsigned = {one: value for one, value in STATEMENT.items() if one != "proof"}
    config = {one: value for one, value in other["proof"].items() if one != "proofValue"}
    other["proof"]["proofValue"] = keys.multibase(SECRET.sign(proof.signed_bytes(unsigned, config)))

    assert identity.proven(listing(other)) == frozenset()


def test_of_many_statements_few_are_looked_at() -> None:
    many = [identity.sign(keys.new_ed25519(), ADA, NOW) for _ in range(9)]

    assert len(identity.proven(listing(*many))) == identity.MAX_STATEMENTS


@given(values)
def test_whatever_is_listed_is_no_statement(value: Any) -> None:
    odd = {"type": "VerifiableIdentityStatement", "alsoKnownAs": ADA, "subject": KEY, "proof": value}

    assert identity.proven(listing(odd, value)) == frozenset()


def test_a_key_can_be_written_down_and_read_again() -> None:
    secret = identity.write_secret(SECRET)

    for text in (secret, secret.replace("-", " "), f"  {secret.replace('-', '')}\n"):
        assert identity.did(identity.load_secret(text)) == KEY


@given(some.data())
def test_a_letter_that_is_wrong_or_missing_is_noticed(data: some.DataObject) -> None:
    secret = identity.write_secret(SECRET).replace("-", "")
    place = data.draw(some.integers(0, len(secret) - 1))
    letter = data.draw(some.sampled_from("123456789ABCDEFGHJKabcdefghijk").filter(lambda one: one != secret[place]))

    for text in (
        secret[:place] + letter + secret[place + 1 :],
        secret[:place] + secret[place + 1 :],
        "",
        "ü0OIl",
        "1" * 500,
    ):
        with pytest.raises(Malformed, match="no recovery key"):
            identity.load_secret(text)
