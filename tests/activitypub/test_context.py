from __future__ import annotations

import json
from typing import Any

import pytest

from activitypub import context

ALLOWED = {context.AS2, context.SECURITY, context.DATA_INTEGRITY, context.DID, context.MULTIKEY}
WRITTEN = {name: value for name, value in vars(context).items() if name.isupper() and isinstance(value, list)}

# As PROTOCOL.md 1.3 has it, and `remote`, which an offer has, too, and who holds for the actor while it sleeps.
ACTOR = json.loads("""
["https://www.w3.org/ns/activitystreams","https://w3id.org/security/v1","https://www.w3.org/ns/did/v1",
 "https://w3id.org/security/multikey/v1",
 {"toot":"http://joinmastodon.org/ns#","schema":"http://schema.org#","gts":"https://gotosocial.org/ns#",
  "box":"https://w3id.org/boxroom#",
  "manuallyApprovesFollowers":"as:manuallyApprovesFollowers","PropertyValue":"schema:PropertyValue","value":"schema:value",
  "discoverable":"toot:discoverable","indexable":"toot:indexable","suspended":"toot:suspended",
  "featured":{"@id":"toot:featured","@type":"@id"},"featuredTags":{"@id":"toot:featuredTags","@type":"@id"},
  "attributionDomains":{"@id":"toot:attributionDomains","@container":"@set"},
  "alsoKnownAs":{"@id":"as:alsoKnownAs","@type":"@id"},"movedTo":{"@id":"as:movedTo","@type":"@id"},
  "webfinger":"https://purl.archive.org/socialweb/webfinger#webfinger",
  "implements":{"@id":"https://w3id.org/fep/844e/implements","@type":"@id","@container":"@list"},
  "offers":{"@id":"box:offers","@type":"@id"},
  "endorsementsReceived":{"@id":"box:endorsementsReceived","@type":"@id"},
  "endorsementsGiven":{"@id":"box:endorsementsGiven","@type":"@id"},"revocations":{"@id":"box:revocations","@type":"@id"},
  "skill":"box:skill","availability":"box:availability","remote":"box:remote",
  "mailbox":{"@id":"box:mailbox","@type":"@id"},"buddies":{"@id":"box:buddies","@type":"@id"}}]
""")
# 5.1 and 5.2
OFFER_TERMS = json.loads("""
{"vf":"https://w3id.org/valueflows/ont/vf#","om2":"http://www.ontology-of-units-of-measure.org/resource/om-2/",
 "box":"https://w3id.org/boxroom#","Hashtag":"as:Hashtag","sensitive":"as:sensitive","ostatus":"http://ostatus.org#",
 "conversation":"ostatus:conversation","Intent":"vf:Intent","purpose":"vf:purpose","unitBased":"vf:unitBased",
 "publishes":"vf:publishes","reciprocal":"vf:reciprocal","action":"vf:action",
 "resourceConformsTo":{"@id":"vf:resourceConformsTo","@type":"@id"},"resourceQuantity":"vf:resourceQuantity",
 "availableQuantity":"vf:availableQuantity","hasUnit":"om2:hasUnit","hasNumericalValue":"om2:hasNumericalValue",
 "offerState":"box:offerState","skill":"box:skill","remote":"box:remote"}
""")
AGREEMENT = json.loads("""
{"vf":"https://w3id.org/valueflows/ont/vf#","om2":"http://www.ontology-of-units-of-measure.org/resource/om-2/",
 "Agreement":"vf:Agreement","Commitment":"vf:Commitment","stipulates":"vf:stipulates",
 "stipulatesReciprocal":"vf:stipulatesReciprocal","satisfies":{"@id":"vf:satisfies","@type":"@id"},
 "resourceQuantity":"vf:resourceQuantity","hasUnit":"om2:hasUnit","hasNumericalValue":"om2:hasNumericalValue"}
""")


@pytest.mark.proves("P-020")
def test_the_context_of_an_actor_is_the_one_that_was_measured() -> None:
    assert context.ACTOR == ACTOR


@pytest.mark.proves("P-240")
def test_the_context_of_an_endorsement_never_changes_by_a_byte() -> None:
    assert json.dumps(context.ENDORSEMENT, separators=(",", ":")) == (
        '["https://www.w3.org/ns/activitystreams","https://w3id.org/security/data-integrity/v2",'
        '{"box":"https://w3id.org/boxroom#","Endorsement":"box:Endorsement","capacity":"box:capacity","skill":"box:skill"}]'
    )


@pytest.mark.proves("P-206")
@pytest.mark.parametrize("name", WRITTEN)
def test_a_context_is_an_array_that_names_only_what_others_have_bundled(name: str) -> None:
    shared = [one for one in WRITTEN[name] if isinstance(one, str)]

    assert shared[0] == context.AS2
    assert set(shared) <= ALLOWED
    assert WRITTEN[name][: len(shared)] == shared


@pytest.mark.proves("P-083")
@pytest.mark.parametrize("name", sorted(WRITTEN.keys() - {"PLAIN", "ACTOR", "PROJECT", "PARCEL"}))
def test_what_carries_a_proof_says_what_a_proof_is(name: str) -> None:
    assert context.DATA_INTEGRITY in WRITTEN[name]


@pytest.mark.proves("P-206")
@pytest.mark.parametrize("name", WRITTEN)
def test_every_prefix_that_a_context_uses_is_defined_in_it(name: str) -> None:
    for term, meaning in terms(WRITTEN[name]).items():
        spelled = meaning if isinstance(meaning, str) else meaning["@id"]
        prefix = spelled.partition(":")[0]
        assert prefix in {"as", "http", "https"} or prefix in terms(WRITTEN[name]), term


@pytest.mark.proves("P-207")
@pytest.mark.parametrize(
    "term",
    [
        *("satisfies", "resourceConformsTo", "members", "log", "replica", "capability", "assignedTo", "featured"),
        *("movedTo", "alsoKnownAs", "implements", "canQuote", "automaticApproval", "interactingObject"),
    ],
)
def test_terms_whose_value_is_an_id_are_mapped_as_ids(term: str) -> None:
    found = [terms(one)[term] for one in WRITTEN.values() if term in terms(one)]

    assert found
    assert all(one["@type"] == "@id" for one in found)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (context.OFFER, OFFER_TERMS),
        (context.AGREEMENT, AGREEMENT),
        (context.NOTE, {"sensitive": "as:sensitive", "Hashtag": "as:Hashtag", "gts": "https://gotosocial.org/ns#"}),
        (context.ENDORSEMENT_NOTE, {"endorsement": "box:endorsement", "box": context.NS}),
        (context.STATEMENT, {"after": "box:after", "fingerprint": "box:fingerprint"}),
        (context.GENESIS, {"after": "box:after", "members": {"@id": "box:members", "@type": "@id"}}),
        (context.TASK, {"Ticket": "forge:Ticket", "revision": "box:revision", "previous": "box:previous"}),
    ],
)
def test_each_document_finds_its_terms_under_their_own_names(written: list[Any], expected: dict[str, Any]) -> None:
    assert terms(written) | expected == terms(written)


def test_a_document_gets_only_the_terms_it_names_and_their_prefixes() -> None:
    assert context.define("skill", "remote") == [
        context.AS2,
        context.DATA_INTEGRITY,
        {"box": context.NS, "skill": "box:skill", "remote": "box:remote"},
    ]
    assert context.define(shared=(context.AS2,)) == [context.AS2]


def terms(written: list[Any]) -> dict[str, Any]:
    return {name: value for part in written if isinstance(part, dict) for name, value in part.items()}
