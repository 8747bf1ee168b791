"""How features plug in, and what a document of several types is to them."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.document import Document
from activitypub.vocabulary import TYPES
from federation import registry
from federation.tables import Actor, Object
from tests.federation.stranger import PUBLIC, Stranger
from tests.fediverse import Fediverse

OURS = {None, "Actor", "Handover", "Statement", "featured"}  # names of kinds that are no types


@pytest.mark.proves("P-110")
def test_every_type_that_a_feature_asks_for_means_something() -> None:
    received = {one for pair in registry.handled() for one in pair}

    assert received - OURS <= TYPES


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["schema:Thing", "Note"], "Note"),
        (["Unheard", "Person"], "Actor"),
        (["Note", "Person"], "Note"),
        ("Person", "Actor"),
        (["Unheard"], "Unheard"),
    ],
)
def test_a_document_is_of_the_first_kind_that_is_known_here(types: Any, kind: str) -> None:
    assert registry.kind(Document({"type": types})) == kind


@pytest.mark.proves("P-110")
async def test_activities_objects_and_actors_may_have_types_that_nobody_here_knows(fediverse: Fediverse) -> None:
    attic, social = await fediverse.studio("attic"), Stranger(fediverse)
    cleo = social.actor("cleo", type=["schema:Person", "Person"])
    note = social.note("note", cleo, type=["schema:Thing", "Note"], to=[PUBLIC, attic.uri])
    create = {**social.activity("Create", cleo, note, to=[PUBLIC, attic.uri]), "type": ["Unheard", "Create"]}

    await social.sends(attic, create)
    await fediverse.settle()

    assert [(one.uri, one.type) for one in await attic.knows(Object)] == [(note["id"], "Note")]
    assert [one.type for one in await attic.knows(Actor) if one.uri == cleo] == ["Person"]
