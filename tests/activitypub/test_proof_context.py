from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from activitypub import proof
from activitypub.document import Json
from activitypub.errors import Malformed
from tests.activitypub.proofs_by_hand import (
    CONTEXT,
    CREATE,
    KEY_ID,
    NOTE,
    NOW,
    SECRET,
    SIGNED,
    find,
    refused,
    resigned,
)


@pytest.mark.proves("P-083")
@pytest.mark.parametrize("more", [[], [{"box": "https://w3id.org/boxroom#"}], ["https://w3id.org/security/v1"]])
def test_the_context_may_have_grown_at_its_end_since(more: list[Any]) -> None:
    proof.verify({**SIGNED, "@context": [*CONTEXT, *more]}, find, NOW)


@pytest.mark.proves("P-083")
@pytest.mark.parametrize(
    "context",
    [CONTEXT[:1], [CONTEXT[1], CONTEXT[0]], ["https://w3id.org/security/v1", *CONTEXT], CONTEXT[0], None, {}],
)
def test_a_context_that_does_not_begin_as_the_proofs_is_refused(context: Any) -> None:
    refused({**SIGNED, "@context": context}, "does not begin")


@pytest.mark.proves("P-083")
@pytest.mark.parametrize("context", [CONTEXT, CONTEXT[0]])
def test_a_proof_without_a_context_covers_the_documents_own(context: Any) -> None:
    older = resigned({**CREATE, "@context": context}, context=None)

    assert "@context" not in older["proof"]
    proof.verify(older, find, NOW)
    refused({**older, "@context": [*CONTEXT, {"note": "https://eve.example/#"}]}, "does not match")


@pytest.mark.proves("P-083")
@pytest.mark.parametrize("context", [None, CONTEXT[0], {}])
def test_we_sign_only_what_has_an_array_for_its_context(context: Any) -> None:
    with pytest.raises(Malformed, match="array"):
        proof.sign({**CREATE, "@context": context}, KEY_ID, SECRET, NOW)


@pytest.mark.proves("P-325")
@pytest.mark.parametrize("keyword", ["@graph", "@included", "@reverse"])
@pytest.mark.parametrize(
    "hide",
    [
        lambda one: one,
        lambda one: {"object": {**NOTE, **one}},
        lambda one: {"tag": [[{"deep": one}]]},
        lambda one: {"@context": [*CONTEXT, {"term": one}]},
    ],
)
def test_keywords_that_rearrange_a_document_are_refused_wherever_they_are(
    keyword: str, hide: Callable[[Json], Json]
) -> None:
    refused({**SIGNED, **hide({keyword: []})}, keyword)
    refused(resigned({**CREATE, **hide({keyword: []})}), keyword)


@pytest.mark.proves("P-325", "P-085")
def test_a_context_cannot_rename_a_part_into_a_proof_or_a_proof_into_a_part() -> None:
    alias = {"proof": "https://eve.example/#x", "evidence": "https://w3id.org/security#proof"}
    renamed = {name: value for name, value in SIGNED.items() if name != "proof"}

    assert proof.read({**renamed, "@context": [*CONTEXT, alias], "evidence": SIGNED["proof"]}, NOW) == ()
    assert proof.read({**renamed, "sec:proof": SIGNED["proof"]}, NOW) == ()
    refused({**SIGNED, "evidence": SIGNED["proof"]}, "does not match")
