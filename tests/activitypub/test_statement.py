"""Statements about a project: what each of them says, and what is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub import context, proof
from activitypub.collection import PAGE_SIZE, write_page
from activitypub.document import MAX_DEPTH, Document, Json
from activitypub.errors import Forbidden, Malformed, ProtocolError
from activitypub.origin import own_words
from activitypub.statement import MAX_AFTER, MAX_SIZE, Invitation, Role, Statement, Writer, read_role
from federation.guard import Limits
from tests.activitypub.documents import hostile
from tests.activitypub.proofs_by_hand import ADA, BO, KEY_ID, SECRET, find

PROJECT = "https://ada.example/projects/01P"
MEMBERS = f"{PROJECT}/members"
CY = "https://cy.example/actors/cy"
NOW = datetime(2026, 1, 20, 10, 0, tzinfo=UTC)
GROUP: Json = {
    "@context": context.PROJECT,
    "id": PROJECT,
    "type": "Group",
    "attributedTo": ADA,
    "name": "Catalogue",
    "summary": "<p>200 pages by spring.</p>",
    "members": MEMBERS,
    "log": f"{PROJECT}/log",
}
WRITER = Writer(ADA, PROJECT, MEMBERS, ("zQmHeads",), (ADA, CY), NOW)
HERE = "https://ada.example/activities"


def signed(activity: Json) -> Document:
    """Proven by Ada, whoever it is by."""
    return Document(proof.sign(activity, KEY_ID, SECRET, NOW))


GENESIS = Statement.read(signed(WRITER.genesis(f"{HERE}/00P", GROUP)))
INVITE = Statement.read(
    signed(WRITER.invite(f"{HERE}/01M", BO, "member", GENESIS.hash, NOW + timedelta(days=26), "<p>Join us?</p>"))
)
BOS = Writer(BO, PROJECT, MEMBERS, (INVITE.hash,), (ADA, CY), NOW)
ACCEPT_ID = "https://bo.example/activities/01N"
WRITTEN: dict[str, Json] = {
    "create": WRITER.genesis(f"{HERE}/00P", GROUP),
    "invite": WRITER.invite(f"{HERE}/01M", BO, "lead", GENESIS.hash, NOW, "<p>Join us?</p>"),
    "undo": WRITER.undo(f"{HERE}/01U", INVITE),
    "accept": BOS.accept(ACCEPT_ID, INVITE, "https://bo.example/projects/01Q/log"),
    "reject": BOS.reject(ACCEPT_ID, INVITE),
    "join": BOS.join(ACCEPT_ID),
    "add": WRITER.add(f"{HERE}/01A", CY, "guest"),
    "remove": WRITER.remove(f"{HERE}/01R", CY),
    "leave": BOS.leave(ACCEPT_ID),
    "update": BOS.update(ACCEPT_ID, GROUP | {"name": "Catalogue of 2027"}),
}


@pytest.mark.proves("P-250", "P-251", "P-260")
def test_the_genesis_is_written_as_the_worked_example_has_it() -> None:
    written = WRITTEN["create"]

    assert {name: written[name] for name in ("id", "type", "actor", "context", "instrument", "after", "published")} == {
        "id": "https://ada.example/activities/00P",
        "type": "Create",
        "actor": ADA,
        "context": PROJECT,
        "instrument": "https://forgefed.org/ns#admin",
        "after": [],
        "published": "2026-01-20T10:00:00Z",
    }
    assert written["object"] == {name: value for name, value in GROUP.items() if name != "@context"}
    assert GENESIS.hash == proof.hash_of(signed(written).json)
    assert (GENESIS.kind, GENESIS.author, GENESIS.subject, GENESIS.role) == ("create", ADA, ADA, "lead")
    assert GENESIS.group is not None
    assert GENESIS.group.text("name") == "Catalogue"


@pytest.mark.proves("P-251", "P-254")
def test_an_invitation_is_written_as_the_worked_example_has_it() -> None:
    written = WRITER.invite(f"{HERE}/01M", BO, "member", "zQmPrint", NOW + timedelta(days=26), "<p>Join us?</p>")

    assert written == {
        "@context": context.STATEMENT,
        "id": "https://ada.example/activities/01M",
        "type": "Invite",
        "actor": ADA,
        "object": BO,
        "target": MEMBERS,
        "context": PROJECT,
        "instrument": "https://forgefed.org/ns#write",
        "content": "<p>Join us?</p>",
        "endTime": "2026-02-15T10:00:00Z",
        "to": [BO, PROJECT, CY],
        "published": "2026-01-20T10:00:00Z",
        "fingerprint": "zQmPrint",
        "after": ["zQmHeads"],
    }


@pytest.mark.proves("P-251")
def test_an_acceptance_is_written_as_the_worked_example_has_it() -> None:
    written = WRITTEN["accept"]

    assert (written["type"], written["actor"], written["object"]) == ("Accept", BO, INVITE.id)
    assert written["replica"] == "https://bo.example/projects/01Q/log"
    assert written["after"] == [INVITE.hash]
    assert written["to"][:2] == [ADA, PROJECT]


@pytest.mark.proves("P-254")
@pytest.mark.parametrize("kind", WRITTEN)
def test_every_statement_goes_to_the_project_and_to_all_members_but_its_author(kind: str) -> None:
    written = WRITTEN[kind]

    assert {PROJECT, ADA, CY} - {written["actor"]} <= set(written["to"])
    assert written["actor"] not in written["to"]
    assert len(written["to"]) == len(set(written["to"]))


@pytest.mark.proves("P-254")
@pytest.mark.parametrize(("kind", "concerned"), [("invite", BO), ("undo", BO), ("add", CY), ("remove", CY)])
def test_a_statement_goes_to_whom_it_concerns(kind: str, concerned: str) -> None:
    assert WRITTEN[kind]["to"][0] == concerned


@pytest.mark.proves("P-205", "P-251")
@pytest.mark.parametrize("kind", WRITTEN)
def test_what_we_write_we_read(kind: str) -> None:
    document = signed(WRITTEN[kind]) if kind not in ("accept", "reject", "join", "leave", "update") else None
    read = Statement.read(document or Document({**WRITTEN[kind], "proof": {"type": "DataIntegrityProof"}}))

    assert (read.kind, read.id, read.author) == (kind, WRITTEN[kind]["id"], WRITTEN[kind]["actor"])
    assert (read.project, read.published) == (PROJECT, NOW)
    assert read.after == tuple(WRITTEN[kind]["after"])


@pytest.mark.proves("P-251", "P-252")
@pytest.mark.parametrize(
    ("kind", "subject", "about", "role"),
    [
        ("create", ADA, None, "lead"),
        ("invite", BO, None, "lead"),
        ("undo", None, INVITE.id, None),
        ("accept", BO, INVITE.id, None),
        ("reject", None, INVITE.id, None),
        ("join", BO, None, None),
        ("add", CY, None, "guest"),
        ("remove", CY, None, None),
        ("leave", BO, None, None),
        ("update", None, None, None),
    ],
)
def test_each_kind_says_who_is_concerned(kind: str, subject: str | None, about: str | None, role: Role | None) -> None:
    read = Statement.read(Document({**WRITTEN[kind], "proof": {}}))

    assert (read.subject, read.about, read.role) == (subject, about, role)


@pytest.mark.proves("P-251")
def test_an_invitation_says_its_terms() -> None:
    assert (INVITE.until, INVITE.fingerprint, INVITE.text) == (
        datetime(2026, 2, 15, 10, tzinfo=UTC),
        GENESIS.hash,
        "<p>Join us?</p>",
    )


@pytest.mark.proves("P-251")
def test_a_removal_may_name_the_collection_as_target_or_not_at_all() -> None:
    removal = {name: value for name, value in WRITTEN["remove"].items() if name != "origin"} | {"proof": {}}

    assert Statement.read(Document(removal | {"target": MEMBERS})).subject == CY
    assert Statement.read(Document(removal)).subject == CY


@pytest.mark.proves("P-252")
@pytest.mark.parametrize(
    ("spelled", "role"),
    [
        *(("https://forgefed.org/ns#admin", "lead"), ("forge:admin", "lead"), ("lead", "lead")),
        *(("https://forgefed.org/ns#maintain", "usher"), ("forge:maintain", "usher"), ("usher", "usher")),
        *(("https://forgefed.org/ns#write", "member"), ("forge:write", "member"), ("member", "member")),
        *(("https://forgefed.org/ns#visit", "guest"), ("forge:visit", "guest"), ("guest", "guest")),
        ({"id": "https://forgefed.org/ns#write"}, "member"),
        *(("https://forgefed.org/ns#lead2", None), ("owner", None), ("", None), (None, None), (7, None)),
    ],
)
def test_a_role_has_a_long_and_a_short_name(spelled: Any, role: Role | None) -> None:
    assert read_role(Document({"instrument": spelled})) == role


@pytest.mark.proves("P-251")
@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("invite", {"type": "Grant"}),
        ("invite", {"type": "Follow"}),
        ("invite", {"proof": None}),
        ("invite", {"id": None}),
        ("invite", {"actor": None}),
        ("invite", {"actor": [ADA, BO]}),
        ("invite", {"context": None}),
        ("invite", {"context": [PROJECT, "https://ada.example/projects/02P"]}),
        ("invite", {"object": None}),
        ("invite", {"object": [BO, CY]}),
        ("invite", {"target": None}),
        ("invite", {"instrument": None}),
        ("invite", {"instrument": "https://forgefed.org/ns#owner"}),
        ("invite", {"endTime": "never"}),
        ("invite", {"after": None}),
        ("invite", {"after": "zQmHeads"}),
        ("invite", {"after": ["zQmHeads", 7]}),
        ("invite", {"after": [""]}),
        ("invite", {"after": []}),
        ("create", {"after": ["zQmHeads"]}),
        ("create", {"instrument": "https://forgefed.org/ns#write"}),
        ("create", {"object": PROJECT}),
        ("create", {"object": {**GROUP, "id": "https://ada.example/projects/02P"}}),
        ("create", {"object": {**GROUP, "type": "Note"}}),
        ("update", {"object": {**GROUP, "id": "https://bo.example/projects/01P"}}),
        ("update", {"object": PROJECT}),
        ("accept", {"object": None}),
        ("remove", {"object": "cy"}),
        ("add", {"instrument": None}),
    ],
)
def test_what_lacks_a_part_is_no_statement(kind: str, change: Json) -> None:
    with pytest.raises(Malformed):
        Statement.read(Document({**WRITTEN[kind], "proof": {}, **change}))


@pytest.mark.proves("P-250", "P-251")
@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("invite", {"id": "https://bo.example/activities/01M"}),
        ("create", {"actor": BO, "id": ACCEPT_ID}),
        ("create", {"object": {**GROUP, "attributedTo": BO}}),
        ("create", {"actor": BO, "id": ACCEPT_ID, "object": {**GROUP, "attributedTo": BO}}),
    ],
)
def test_nobody_speaks_or_founds_in_the_name_of_another_server(kind: str, change: Json) -> None:
    with pytest.raises(Forbidden):
        Statement.read(Document({**WRITTEN[kind], "proof": {}, **change}))


@pytest.mark.proves("P-333")
def test_a_statement_follows_on_sixty_four_others_at_most() -> None:
    hashes = [f"zQm{number}" for number in range(MAX_AFTER + 1)]

    most = Statement.read(Document({**WRITTEN["leave"], "proof": {}, "after": hashes[:-1]}))

    assert MAX_AFTER == 64
    assert set(most.after) == set(hashes[:-1])
    with pytest.raises(Malformed, match="64"):
        Statement.read(Document({**WRITTEN["leave"], "proof": {}, "after": hashes}))


@pytest.mark.proves("P-260", "P-333")
def test_a_statement_that_was_changed_is_another_and_is_not_proven() -> None:
    genuine = signed(WRITTEN["invite"]).json

    for change in (
        {"object": CY},
        {"instrument": "guest"},
        {"after": ["zQmOther"]},
        {"published": "2025-01-01T00:00:00Z"},
    ):
        forged = genuine | change
        assert Statement.read(Document(forged)).hash != Statement.read(Document(genuine)).hash
        with pytest.raises(ProtocolError):
            proof.verify(forged, find, NOW)


@pytest.mark.proves("P-260", "P-333")
@pytest.mark.parametrize(
    "change",
    [
        lambda said: {**said, "@context": [*said["@context"], "https://w3id.org/security/v1"]},
        lambda said: {**said, "signature": {}},
        lambda said: {**said, "proof": [said["proof"]]},
        lambda said: {**said, "proof": [said["proof"], {"x": 1}]},
    ],
)
def test_nobody_who_passes_a_statement_on_can_make_another_of_it(change: Callable[[Json], Json]) -> None:
    said = signed(WRITTEN["add"]).json
    other = change(said)

    assert proof.verify(other, find, NOW).owner == ADA  # the proof as such still holds
    assert proof.hash_of(other) != proof.hash_of(said)
    with pytest.raises(Malformed, match=r"of this is|exactly one proof"):
        Statement.read(Document(other))


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else "x"


@pytest.mark.proves("P-253", "P-333")
def test_a_statement_is_no_larger_than_every_member_s_server_can_pass_on() -> None:
    small = {**WRITTEN["update"], "ballast": ""}
    room = MAX_SIZE - len(msgspec.json.encode(signed(small).json))
    longest = signed({**small, "ballast": "x" * room})

    Statement.read(longest)
    page = write_page(f"{PROJECT}/log?page=1", f"{PROJECT}/log", [longest.json] * PAGE_SIZE, "x" * 2048, "x" * 2048)

    assert len(msgspec.json.encode(page)) < Limits().document
    with pytest.raises(Malformed, match="24,000 octets"):
        Statement.read(signed({**small, "ballast": "x" * (room + 1)}))


@pytest.mark.proves("P-253", "P-333")
@pytest.mark.parametrize(
    ("most", "ballast"),
    [
        (MAX_DEPTH - 4, lambda depth: {"ballast": nested(depth)}),
        (1, lambda depth: {"object": reduce(lambda inner, _: {**GROUP, "object": inner}, range(depth), GROUP)}),
    ],
)
def test_a_statement_is_no_deeper_than_can_be_passed_on(most: int, ballast: Callable[[int], Json]) -> None:
    deepest = signed({**WRITTEN["update"], **ballast(most)})

    Statement.read(deepest)
    for handed in ({"type": "Add", "actor": BO, "object": deepest.json}, {"orderedItems": [deepest.json]}):
        Document.parse(msgspec.json.encode(handed))
    own_words(Document({"type": "Add", "actor": BO, "object": deepest.json}))

    with pytest.raises(Malformed, match="nested"):
        Statement.read(signed({**WRITTEN["update"], **ballast(most + 1)}))


def test_what_an_invitation_says_is_made_harmless_and_short() -> None:
    said = "<p>Join<script>alert(1)</script></p>" + "x" * 5000

    read = Statement.read(Document({**WRITTEN["invite"], "proof": {}, "content": said}))

    assert read.text.startswith("<p>Join</p>")
    assert len(read.text) <= 2000


@pytest.mark.proves("P-256")
@pytest.mark.parametrize(
    "turned",
    [
        {"object": PROJECT, "target": BO},
        {"object": {"type": "Group", "id": "https://ada.example/groups/g"}, "target": BO},
        {"object": {"type": "Collection", "id": MEMBERS}, "target": {"type": "Person", "id": BO}},
    ],
)
def test_a_statement_of_invitation_is_read_the_other_way_round_too(turned: Json) -> None:
    read = Statement.read(Document({**WRITTEN["invite"], "proof": {}, **turned}))

    assert read.subject == BO


@pytest.mark.proves("P-256")
@pytest.mark.parametrize(
    ("shape", "place"),
    [
        ({"object": BO, "target": MEMBERS, "instrument": "https://forgefed.org/ns#visit"}, MEMBERS),
        ({"object": "https://mob.example/@group", "target": BO}, "https://mob.example/@group"),
        ({"object": {"type": "Group", "id": "https://mob.example/@group"}, "target": BO}, "https://mob.example/@group"),
    ],
)
def test_invitations_of_other_dialects_say_who_is_invited_to_what(shape: Json, place: str) -> None:
    activity = {"id": "https://mob.example/member/7", "type": "Invite", "actor": "https://mob.example/@ola", **shape}

    read = Invitation.read(Document({**activity, "content": "Come!"}), {BO})

    assert (read.id, read.author) == ("https://mob.example/member/7", "https://mob.example/@ola")
    assert (read.invitee, read.place, read.text) == (BO, place, "Come!")
    assert read.role == ("guest" if "instrument" in shape else "member")


@pytest.mark.proves("P-256")
@pytest.mark.parametrize("change", [{"object": None}, {"target": None}, {"endTime": "soon"}, {"actor": None}])
def test_an_invitation_to_nowhere_is_malformed(change: Json) -> None:
    activity = {"id": "https://mob.example/1", "type": "Invite", "actor": ADA, "object": BO, "target": PROJECT}

    with pytest.raises(Malformed):
        Invitation.read(Document({**activity, **change}), {BO})


@pytest.mark.proves("P-206", "P-207", "P-251")
@pytest.mark.parametrize("kind", WRITTEN)
def test_every_property_of_a_statement_is_in_its_context(kind: str) -> None:
    known_to_as2 = {"@context", "id", "type", "actor", "object", "target", "origin", "context", "instrument", "content"}
    known_to_as2 |= {"endTime", "to", "published"}
    inline = WRITTEN[kind]["@context"][-1]

    assert WRITTEN[kind].keys() - known_to_as2 <= inline.keys()
    assert isinstance(WRITTEN[kind]["@context"], list)


@pytest.mark.proves("P-251", "P-333")
@given(
    hostile("id", "type", "actor", "object", "target", "context", "instrument", "after", "endTime", "content", "proof"),
    some.sampled_from(sorted(WRITTEN)),
)
def test_any_json_is_a_statement_or_malformed(json: Json, kind: str) -> None:
    for document in (Document(json), Document({**WRITTEN[kind], "proof": {"a": 1}, **json})):
        for read in (Statement.read, lambda one: Invitation.read(one, {BO})):
            try:
                read(document)
            except ProtocolError:
                continue
