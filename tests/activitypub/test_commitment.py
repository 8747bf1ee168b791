"""Commitments, and that they were kept, as the wire has them: strictly, for somebody will sign them in turn."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from activitypub import context, keys, proof
from activitypub.commitment import MAX_SIZE, Commitment, Fulfilment, is_commitment, is_fulfilment
from activitypub.document import Document, Json
from activitypub.errors import Forbidden, Malformed, ProtocolError
from tests.activitypub.documents import hostile

ADA, BO = "https://ada.example/actors/01HZA", "https://bo.example/actors/01HZB"
PROJECT = "https://ada.example/projects/01P"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = keys.new_ed25519()
SAID = Commitment(
    id="https://bo.example/commitments/1",
    author=BO,
    project=PROJECT,
    provider=BO,
    receiver=ADA,
    text="<p>Read the proofs.</p>",
    published=NOW,
    due=datetime(2026, 4, 1, tzinfo=UTC),
    hours=Decimal("2.5"),
    previous="zQm",
    agreement="https://ada.example/agreements/1",
)
KEPT = Fulfilment(
    id="https://ada.example/events/1",
    author=ADA,
    project=PROJECT,
    provider=BO,
    receiver=ADA,
    commitment=SAID.id,
    text="<p>Thank you.</p>",
    published=NOW,
    shown=True,
)


def proven(said: Json) -> Document:
    document = {"@context": context.COMMITMENT, **said}
    return Document(proof.sign(document, f"{said['attributedTo']}#ed25519-key", KEY, NOW))


@pytest.mark.proves("P-265")
def test_a_commitment_is_written_as_the_field_has_it() -> None:
    assert SAID.write() == {
        "id": "https://bo.example/commitments/1",
        "type": "Commitment",
        "attributedTo": BO,
        "context": PROJECT,
        "audience": PROJECT,
        "to": [PROJECT, ADA],
        "provider": BO,
        "receiver": ADA,
        "published": "2026-03-02T09:00:00Z",
        "content": "<p>Read the proofs.</p>",
        "endTime": "2026-04-01T00:00:00Z",
        "effortQuantity": {"hasUnit": "hour", "hasNumericalValue": "2.5"},
        "previous": "zQm",
        "clauseOf": "https://ada.example/agreements/1",
    }


def test_what_we_write_we_read() -> None:
    plain = replace(SAID, due=None, hours=None, previous=None, agreement=None, published=None)

    assert Commitment.read(proven(SAID.write())) == SAID
    assert Commitment.read(proven(plain.write())) == plain
    assert Fulfilment.read(proven(KEPT.write())) == KEPT
    assert (SAID.other, replace(SAID, author=ADA).other) == (ADA, BO)


@pytest.mark.proves("P-207")
@pytest.mark.parametrize("written", [SAID.write(), KEPT.write()])
def test_every_term_is_in_the_context(written: Json) -> None:
    known = {"id", "type", "attributedTo", "context", "audience", "to", "published", "content", "endTime"}

    assert written.keys() - known <= context.COMMITMENT[-1].keys()
    assert all(
        context.COMMITMENT[-1][one]["@type"] == "@id" for one in ("provider", "receiver", "fulfills", "clauseOf")
    )


@pytest.mark.proves("P-209")
def test_each_is_known_by_what_it_has() -> None:
    commitment, event = Document(SAID.write()), Document(KEPT.write())
    grant = Document({"type": "Grant", "fulfills": "https://ada.example/invites/1"})

    assert [is_commitment(one) for one in (commitment, event, grant)] == [True, False, False]
    assert [is_fulfilment(one) for one in (commitment, event, grant)] == [False, True, False]


@pytest.mark.proves("P-265")
@pytest.mark.parametrize(
    "change",
    [
        {"attributedTo": "https://cy.example/actors/1", "id": "https://cy.example/commitments/1"},
        {"id": "https://ada.example/commitments/1"},
        {"type": "Person"},
        {"type": ["Commitment", "Create"], "actor": ADA},
        {"provider": ADA},
        {"provider": [BO, ADA]},
        {"receiver": BO},
        {"receiver": "ada"},
        {"context": None},
        {"context": [PROJECT, "https://ada.example/projects/02P"]},
        {"audience": "https://ada.example/projects/02P"},
        {"audience": [PROJECT, "https://ada.example/projects/02P"]},
        {"content": None},
        {"content": "<p> </p>"},
        {"content": "<script>alert(1)</script>"},
        {"endTime": "soon"},
        {"effortQuantity": {"hasUnit": "hour", "hasNumericalValue": "-1"}},
        {"content": "x" * MAX_SIZE},
        {"big": 2**53},
    ],
)
def test_what_is_not_plainly_between_two_is_no_commitment(change: dict[str, Any]) -> None:
    said = {name: value for name, value in (SAID.write() | change).items() if value is not None}
    signed = {**proven(SAID.write()).json, **said}
    document = Document({name: value for name, value in signed.items() if change.get(name, "") is not None})

    with pytest.raises((Malformed, Forbidden)):
        Commitment.read(document)


@pytest.mark.parametrize("proofs", [None, [], [{}, {}], "proof"])
def test_what_has_not_just_one_proof_has_no_name(proofs: Any) -> None:
    with pytest.raises(Malformed):
        Commitment.read(Document(proven(SAID.write()).json | {"proof": proofs}))


@given(
    hostile("id", "attributedTo", "context", "audience", "provider", "receiver", "content", "endTime", "effortQuantity")
)
def test_any_json_is_a_commitment_or_refused(json: Json) -> None:
    sound = proven(SAID.write()).json
    for document in (Document(json), Document(sound | json)):
        for read in (Commitment.read, Fulfilment.read):
            with suppress(ProtocolError):
                read(document)
