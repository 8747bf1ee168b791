from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub import context
from activitypub.actor import HANDLE, RFC9421, ROOMS, Actor, Keys, Picture
from activitypub.document import Document
from activitypub.errors import Malformed, ProtocolError
from activitypub.html import clean, link
from tests.activitypub.documents import SCHEMES, XSS, hostile, load, read, strings
from tests.activitypub.test_html import Judge

UTC_2026 = datetime(2026, 1, 2, tzinfo=UTC)
PEM = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"
KEYS = Keys(PEM, "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2")
ID = "https://ada.example/actors/01HZA"
ADA = replace(
    Actor.ours(ID, "Person", "ada"),
    name="Ada Verne",
    summary="<p>Books, maps, typesetting.</p>",
    url="https://ada.example/@ada",
    icon=Picture("https://ada.example/media/a.webp", "image/webp", "Ada at her desk"),
    image=Picture("https://ada.example/media/h.webp", "image/webp"),
    fields=(("Web", clean(link("https://verne.example"))),),
    skills=("Typesetting", "Cartography"),
    availability="from March",
    place="Linz",
    remote=True,
    discoverable=True,
    indexable=True,
    published=UTC_2026,
)


def test_up_to_three_buddies_are_named_and_none_by_who_is_suspended() -> None:
    friends = tuple(f"https://{name}.example/u" for name in ("bo", "cy", "dee", "eve"))

    read = Actor.read(Document(written(replace(ADA, buddies=friends))))

    assert (read.buddies, read.mailbox) == (friends[:3], f"{ID}/mailbox")
    assert "buddies" not in written(replace(ADA, buddies=friends, suspended=True))
    assert Actor.read(Document({**written(ADA), "mailbox": "https://victim.example/inbox"})).mailbox is None


def written(actor: Actor) -> dict[str, Any]:
    return actor.write(KEYS)


@pytest.mark.proves("P-020", "P-021", "P-022", "P-023", "P-024", "P-025")
def test_an_actor_is_written_as_the_protocol_shows_it() -> None:
    assert written(ADA) == {
        "@context": context.ACTOR,
        "id": ID,
        "type": "Person",
        "preferredUsername": "ada",
        "webfinger": "ada@ada.example",
        "name": "Ada Verne",
        "summary": "<p>Books, maps, typesetting.</p>",
        "url": "https://ada.example/@ada",
        "published": "2026-01-02T00:00:00Z",
        "inbox": f"{ID}/inbox",
        "outbox": f"{ID}/outbox",
        "followers": f"{ID}/followers",
        "following": f"{ID}/following",
        "featured": f"{ID}/collections/featured",
        "featuredTags": f"{ID}/collections/tags",
        "endpoints": {"sharedInbox": "https://ada.example/inbox"},
        "manuallyApprovesFollowers": False,
        "discoverable": True,
        "indexable": True,
        "attributionDomains": ["ada.example"],
        "icon": {
            "type": "Image",
            "mediaType": "image/webp",
            "url": "https://ada.example/media/a.webp",
            "name": "Ada at her desk",
        },
        "image": {"type": "Image", "mediaType": "image/webp", "url": "https://ada.example/media/h.webp"},
        "attachment": [
            {
                "type": "PropertyValue",
                "name": "Web",
                "value": '<a href="https://verne.example" rel="me nofollow noopener noreferrer">verne.example</a>',
            }
        ],
        "tag": [],
        "skill": ["Typesetting", "Cartography"],
        "availability": "from March",
        "location": {"type": "Place", "name": "Linz"},
        "remote": True,
        "offers": f"{ID}/offers",
        "endorsementsReceived": f"{ID}/endorsements-received",
        "endorsementsGiven": f"{ID}/endorsements-given",
        "revocations": f"{ID}/revocations",
        "mailbox": f"{ID}/mailbox",
        "publicKey": {"id": f"{ID}#main-key", "owner": ID, "publicKeyPem": PEM + "\n"},
        "assertionMethod": [
            {"id": f"{ID}#ed25519-key", "type": "Multikey", "controller": ID, "publicKeyMultibase": KEYS.multibase}
        ],
        "generator": {
            "type": "Application",
            "id": "https://ada.example/actor",
            "name": "Boxroom",
            "implements": [
                {"href": RFC9421, "name": "RFC-9421: HTTP Message Signatures"},
                {"href": "https://w3id.org/boxroom#rooms-1", "name": "Boxroom rooms"},
            ],
        },
    }


@pytest.mark.proves("P-003", "P-002")
@pytest.mark.parametrize("kind", ["Person", "Organization", "Group", "Service"])
def test_everything_that_belongs_to_an_actor_is_on_its_host(kind: str) -> None:
    actor = written(Actor.ours(ID, kind, "ada"))

    belongings = {name: value for name, value in actor.items() if name not in ("@context", "generator", "id")}
    uris = [one for one in strings(belongings) if one.startswith("http")]
    assert len(uris) > 8
    assert all(one.startswith("https://ada.example/") for one in uris)
    assert not [one for one in uris if "?" in one or ".." in one]


@pytest.mark.proves("P-027")
def test_the_instance_is_an_application_with_a_key_and_an_inbox() -> None:
    instance = written(Actor.ours("https://ada.example/actor", "Application", "ada.example"))

    assert (instance["type"], instance["preferredUsername"]) == ("Application", "ada.example")
    assert instance["inbox"] == "https://ada.example/actor/inbox"
    assert instance["webfinger"] == "ada.example@ada.example"
    assert instance["publicKey"]["id"] == "https://ada.example/actor#main-key"
    assert "offers" not in instance


@pytest.mark.proves("P-250")
def test_a_project_names_its_members_and_its_log() -> None:
    uri = "https://ada.example/projects/01P"

    project = written(replace(Actor.ours(uri, "Group", "catalogue"), founder=ID))

    assert project["@context"] == context.PROJECT
    assert project["members"] == project["collaborators"] == f"{uri}/members"
    assert (project["log"], project["attributedTo"], project["type"]) == (f"{uri}/log", ID, "Group")
    assert Actor.read(Document(project)).founder == ID


@pytest.mark.proves("P-029")
def test_a_suspended_actor_shows_its_keys_and_nothing_of_itself() -> None:
    gone = written(replace(ADA, suspended=True))

    assert (gone["suspended"], gone["name"], gone["summary"]) == (True, "", "")
    assert gone.keys().isdisjoint({"icon", "image", "attachment", "skill", "availability"})
    assert gone["publicKey"] == written(ADA)["publicKey"]
    assert not gone["discoverable"]


@pytest.mark.proves("P-026")
def test_an_actor_that_moved_says_where_from_and_where_to() -> None:
    new = "https://verne.example/actors/01A"

    moved, target = replace(ADA, moved_to=new), replace(ADA, also_known_as=(new,))

    assert Actor.read(Document(written(moved))).moved_to == new
    assert Actor.read(Document(written(target))).also_known_as == (new,)


@pytest.mark.proves("P-078")
def test_a_new_key_has_a_new_name() -> None:
    keys = replace(KEYS, pem_fragment="main-key-2", multibase_fragment="ed25519-key-2")

    document = ADA.write(keys)

    assert document["publicKey"]["id"] == f"{ID}#main-key-2"
    assert document["assertionMethod"][0]["id"] == f"{ID}#ed25519-key-2"


@pytest.mark.proves("P-314")
@given(
    name=some.text(max_size=30),
    fields=some.lists(some.tuples(some.text(max_size=9), some.text(max_size=30)), max_size=3),
    kind=some.sampled_from(["Person", "Organization", "Group", "Application", "Service"]),
    flags=some.tuples(some.booleans(), some.booleans(), some.booleans()),
)
def test_what_we_write_we_read(
    name: str, fields: list[tuple[str, str]], kind: str, flags: tuple[bool, bool, bool]
) -> None:
    typed = replace(
        Actor.ours(ID, kind, "ada"),
        name=name,
        fields=tuple(fields),
        manually_approves=flags[0],
        discoverable=flags[1],
        indexable=flags[2],
        published=UTC_2026,
    )
    first = Actor.read(Document(written(typed)))

    assert Actor.read(Document(written(first))) == first
    assert replace(first, name=name, fields=tuple(fields)) == typed


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "mastodon-person",
            {
                "handle": "mia",
                "name": "Mia Nordwind :sail:",
                "url": "https://social.example/@mia",
                "address": "mia@social.example",
                "shared_inbox": "https://social.example/inbox",
                "icon": Picture("https://files.social.example/mia.jpg", "image/jpeg"),
                "also_known_as": ("https://old.example/users/mia",),
                "aware": False,
                "published": datetime(2022, 11, 5, tzinfo=UTC),
            },
        ),
        (
            "gotosocial-person",
            {
                "manually_approves": True,
                "fields": (("Pronouns", "he/him"),),
                "icon": Picture("https://quiet.example/fileserver/gus.jpg", "image/jpeg", "Gus in a hat"),
                "shared_inbox": None,
            },
        ),
        ("misskey-person", {"name": "", "summary": "", "icon": None, "shared_inbox": "https://sushi.example/inbox"}),
        ("pleroma-person", {"summary": "Soup<br>and bread", "url": "https://soup.example/users/pia"}),
        ("lemmy-group", {"type": "Group", "handle": "print", "url": None, "following": None}),
        (
            "peertube-channel",
            {
                "icon": Picture("https://tube.example/lazy-static/avatars/48.png", "image/png"),
                "founder": "https://tube.example/accounts/vera",
            },
        ),
        ("wordpress-person", {"id": "https://blog.example/?author=1", "followers": None, "handle": "wanda"}),
        ("application", {"type": "Application", "handle": "social.example", "manually_approves": True}),
    ],
)
def test_actors_of_others_are_read(name: str, expected: dict[str, Any]) -> None:
    actor = Actor.read(read(name))

    assert {key: getattr(actor, key) for key in expected} == expected


@pytest.mark.proves("P-023", "P-315")
def test_the_fields_of_others_are_clean_and_hide_nothing() -> None:
    [boat] = Actor.read(read("mastodon-person")).fields
    [blog] = Actor.read(read("wordpress-person")).fields

    rel = 'rel="me nofollow noopener noreferrer"'
    spans = "<span>https://</span><span>boat.example</span><span></span>"
    assert boat == ("Boat", f'<a href="https://boat.example" translate="no" {rel}>{spans}</a>')
    assert blog == ("Blog", f'<p><a href="https://blog.example/" {rel}>blog.example</a></p>')


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("change", "attribute", "expected"),
    [
        ({"type": ["Cat", "Service"]}, "type", "Service"),
        (
            {"endpoints": {"sharedInbox": {"id": "https://social.example/inbox"}}},
            "shared_inbox",
            "https://social.example/inbox",
        ),
        ({"endpoints": {"sharedInbox": "https://evil.example/inbox"}}, "shared_inbox", None),
        ({"endpoints": "https://social.example/endpoints"}, "shared_inbox", None),
        ({"followers": "https://evil.example/followers"}, "followers", None),
        (
            {"outbox": {"id": "https://social.example/o", "type": "OrderedCollection"}},
            "outbox",
            "https://social.example/o",
        ),
        ({"url": "https://evil.example/@mia"}, "url", None),
        ({"icon": "https://files.social.example/x"}, "icon", Picture("https://files.social.example/x")),
        (
            {"icon": {"type": "Image", "url": {"type": "Link", "href": "https://a.example/x"}}},
            "icon",
            Picture("https://a.example/x"),
        ),
        ({"icon": {"type": "Image", "url": "data:image/png;base64,"}}, "icon", None),
        ({"movedTo": {"id": "https://new.example/u"}}, "moved_to", "https://new.example/u"),
        ({"alsoKnownAs": "https://old.example/u"}, "also_known_as", ("https://old.example/u",)),
        ({"preferredUsername": None}, "handle", "mia"),
        ({"name": None, "nameMap": {"en": "M"}}, "name", "M"),
        ({"skill": "Sailing"}, "skills", ("Sailing",)),
        ({"suspended": True}, "suspended", True),
    ],
)
def test_odd_forms_of_a_property_are_read(change: dict[str, Any], attribute: str, expected: object) -> None:
    assert getattr(Actor.read(Document({**load("mastodon-person"), **change})), attribute) == expected


@pytest.mark.proves("P-024")
@pytest.mark.parametrize(
    ("implements", "aware"),
    [
        ([{"href": ROOMS, "name": "x"}], True),
        ({"href": ROOMS}, True),
        ([RFC9421, ROOMS], True),
        ([{"id": ROOMS}], True),
        ([{"href": RFC9421}], False),
        ([{"href": ROOMS + "0"}], False),
        ([{"name": ROOMS}], False),
        (None, False),
    ],
)
def test_only_who_lists_our_rooms_is_aware(implements: object, aware: bool) -> None:
    actor = Actor.read(
        Document({**load("mastodon-person"), "generator": {"type": "Application", "implements": implements}})
    )

    assert actor.aware is aware


@pytest.mark.parametrize(
    "change",
    [
        *({"id": None}, {"inbox": None}, {"type": "Note"}, {"type": None}, {"type": []}),
        *({"id": one} for one in SCHEMES),
        *({"inbox": one} for one in SCHEMES),
    ],
)
def test_who_has_no_id_inbox_or_known_type_is_no_actor(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        Actor.read(Document({**load("mastodon-person"), **change}))


@pytest.mark.proves("P-314", "P-315")
@pytest.mark.parametrize("bad", [*XSS, *SCHEMES])
def test_no_property_of_an_actor_carries_a_script(bad: str) -> None:
    names = ["name", "summary", "preferredUsername", "webfinger", "url", "icon", "image", "movedTo", "outbox", "skill"]
    document = {**load("mastodon-person"), **dict.fromkeys([*names, "availability", "followers"], bad)}
    document["attachment"] = [{"type": "PropertyValue", "name": bad, "value": bad}]

    actor = Actor.read(Document(document))

    for html in (actor.summary, *(value for _, value in actor.fields)):
        Judge(html)
    assert [actor.url, actor.icon, actor.image, actor.moved_to, actor.outbox, actor.followers] == [None] * 6
    assert all(text.isprintable() for text in (actor.name, actor.handle, actor.availability, *actor.skills))


@pytest.mark.proves("P-004", "P-315")
@pytest.mark.parametrize("handle", ["a", "ada", "Ada_V", "a.b-c", "_", "0", "x" * 30])
def test_a_handle_may_be_given_here(handle: str) -> None:
    assert HANDLE.fullmatch(handle)


@pytest.mark.proves("P-004", "P-315")
@pytest.mark.parametrize(
    "handle", ["", ".a", "a.", "-a", "a-", "a b", "ä", "a@b", "a\n", "ada\u202e", "a/b", "x" * 31, "аda"]
)
def test_a_handle_may_not_be_given_here(handle: str) -> None:
    assert not HANDLE.fullmatch(handle)


@pytest.mark.proves("P-004")
def test_the_handles_of_others_may_be_long_and_odd() -> None:
    document = Document({**load("mastodon-person"), "preferredUsername": "ü" * 2048})

    assert Actor.read(document).handle == "ü" * 2048


PROPERTIES = (
    "id",
    "type",
    "inbox",
    "name",
    "summary",
    "url",
    "icon",
    "attachment",
    "endpoints",
    "generator",
    "published",
)


@given(hostile(*PROPERTIES, "skill", "alsoKnownAs", "webfinger"))
def test_any_json_is_an_actor_or_a_protocol_error(json: dict[str, Any]) -> None:
    try:
        actor = Actor.read(Document(json))
    except ProtocolError:
        return
    assert Actor.read(Document(written(actor))).id == actor.id
