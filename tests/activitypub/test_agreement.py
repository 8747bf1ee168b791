"""Agreements: what somebody who answers an offer proposes, and what both then keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from activitypub import context
from activitypub.agreement import Agreement, Clause, check_signed
from activitypub.document import Document, Json
from activitypub.errors import Forbidden, Malformed, ProtocolError
from tests.activitypub.documents import hostile

OFFER = "https://ada.example/offers/01J"
BO = "https://bo.example/actors/01HZB"
PROPOSED = Agreement(
    author=BO,
    text="<p>I can start on Monday.</p>",
    stipulates=Clause(f"{OFFER}#primary", Decimal(1), "one"),
    reciprocal=Clause(f"{OFFER}#reciprocal", Decimal(2400), "one"),
)


@pytest.mark.proves("P-225")
def test_a_response_is_written_as_the_worked_example_has_it() -> None:
    assert PROPOSED.write() == {
        "type": "Agreement",
        "attributedTo": "https://bo.example/actors/01HZB",
        "content": "<p>I can start on Monday.</p>",
        "stipulates": {
            "type": "Commitment",
            "satisfies": "https://ada.example/offers/01J#primary",
            "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "1"},
        },
        "stipulatesReciprocal": {
            "type": "Commitment",
            "satisfies": "https://ada.example/offers/01J#reciprocal",
            "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "2400"},
        },
    }


@pytest.mark.proves("P-226")
def test_in_an_agreement_that_was_made_everything_has_an_id() -> None:
    made = replace(PROPOSED, id="https://ada.example/agreements/01L").write()

    assert made["id"] == "https://ada.example/agreements/01L"
    assert made["stipulates"]["id"] == "https://ada.example/agreements/01L#primary"
    assert made["stipulatesReciprocal"]["id"] == "https://ada.example/agreements/01L#reciprocal"


@pytest.mark.parametrize(
    "agreement",
    [PROPOSED, replace(PROPOSED, reciprocal=None), replace(PROPOSED, id="https://ada.example/agreements/1", text="")],
)
def test_what_we_write_we_read(agreement: Agreement) -> None:
    assert Agreement.read(Document(agreement.write())) == agreement


@pytest.mark.proves("P-207", "P-225")
def test_every_term_of_an_agreement_is_in_its_context() -> None:
    inline = context.AGREEMENT[-1]
    commitment = PROPOSED.write()["stipulates"]
    names = {*PROPOSED.write(), *commitment, *commitment["resourceQuantity"]}

    assert names - {"type", "attributedTo", "content"} <= inline.keys()
    assert inline["satisfies"]["@type"] == "@id"


@pytest.mark.proves("P-225")
@pytest.mark.parametrize(
    "change",
    [
        {"attributedTo": None},
        {"stipulates": None},
        {"stipulates": f"{OFFER}#primary"},
        {"stipulates": {"satisfies": "primary", "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "1"}}},
        {"stipulates": {"satisfies": f"{OFFER}#primary", "resourceQuantity": {"hasUnit": "one"}}},
        {"stipulates": {"satisfies": f"{OFFER}#primary", "resourceQuantity": {"hasNumericalValue": "1"}}},
        {"stipulates": {"satisfies": f"{OFFER}#primary"}},
        {"stipulatesReciprocal": {"resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "1"}}},
        *(
            {
                "stipulatesReciprocal": {
                    "satisfies": f"{OFFER}#reciprocal",
                    "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": amount},
                }
            }
            for amount in ("-1", "1e3", "NaN", True, "", 1e20)
        ),
    ],
)
def test_what_does_not_say_how_much_of_what_is_no_agreement(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        Agreement.read(Document(PROPOSED.write() | change))


@pytest.mark.proves("P-225")
@given(hostile("id", "attributedTo", "stipulates", "stipulatesReciprocal", "content"))
def test_any_json_is_an_agreement_or_malformed(json: Json) -> None:
    for document in (Document(json), Document(PROPOSED.write() | json)):
        try:
            Agreement.read(document)
        except ProtocolError:
            continue


ADA = "https://ada.example/actors/01HZA"
MADE = replace(PROPOSED, author=ADA, id="https://ada.example/agreements/01L", text="")
OFFERED: Json = {"id": "https://bo.example/1", "type": "Offer", "actor": BO, "to": [ADA], "object": PROPOSED.write()}
ACCEPTED: Json = {"id": "https://ada.example/2", "type": "Accept", "actor": ADA, "object": OFFERED["id"]}
ACCEPTED |= {"result": MADE.write()}


@pytest.mark.proves("P-226")
def test_an_offer_and_the_accept_of_it_are_an_agreement() -> None:
    due = replace(PROPOSED.stipulates, due=datetime(2026, 4, 1, tzinfo=UTC))
    dated = {**OFFERED, "object": replace(PROPOSED, stipulates=due).write()}

    assert check_signed(Document(OFFERED), Document(ACCEPTED)) == MADE
    assert check_signed(Document(dated), Document(ACCEPTED)) == MADE


@pytest.mark.proves("P-226")
@pytest.mark.parametrize(
    ("offered", "accepted"),
    [
        ({"type": "Create"}, {}),
        ({"object": "https://bo.example/agreement"}, {}),
        ({"to": ["https://cy.example/actors/1"]}, {}),
        ({"actor": ADA}, {}),
        ({}, {"type": "Reject"}),
        ({}, {"object": "https://bo.example/another"}),
        ({}, {"object": [OFFERED["id"], "https://bo.example/another"]}),
        ({}, {"result": None}),
        ({}, {"result": replace(MADE, id="https://bo.example/agreements/1").write()}),
        ({}, {"result": replace(MADE, id=None).write()}),
        ({}, {"result": replace(MADE, author=BO).write()}),
        ({}, {"result": replace(MADE, reciprocal=None).write()}),
        ({}, {"result": replace(MADE, stipulates=replace(MADE.stipulates, value=Decimal(2))).write()}),
        (
            {},
            {
                "result": replace(
                    MADE, stipulates=replace(MADE.stipulates, due=datetime.max.replace(tzinfo=UTC))
                ).write()
            },
        ),
    ],
)
def test_two_documents_that_do_not_belong_together_are_none(offered: Json, accepted: Json) -> None:
    with pytest.raises(Forbidden):
        check_signed(Document(OFFERED | offered), Document(ACCEPTED | accepted))
