from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.audience import PUBLIC
from activitypub.document import Document
from activitypub.errors import Malformed, ProtocolError
from activitypub.html import MAX_HTML, clean
from activitypub.media import Media
from activitypub.note import MAX_ATTACHMENTS, MAX_MENTIONS, MAX_TAGS, Emoji, Mention, Note, tombstone
from activitypub.poll import Poll
from tests.activitypub.documents import NAMES, SCHEMES, XSS, hostile, load, read
from tests.activitypub.test_html import Judge

ADA, BO = "https://ada.example/actors/01HZA", "https://bo.example/actors/01HZB"
THREAD = "https://ada.example/conversations/1"
NOTE = Note(
    id="https://ada.example/notes/7",
    author=ADA,
    content='<p>Hello <a href="https://x.example" rel="nofollow noopener noreferrer">x</a></p>',
    to=(PUBLIC,),
    cc=(f"{ADA}/followers", BO),
    title="A title",
    warning="Ropes",
    sensitive=True,
    language="en",
    published=datetime(2026, 1, 15, 10, tzinfo=UTC),
    updated=datetime(2026, 1, 16, 10, tzinfo=UTC),
    url="https://ada.example/@ada/7",
    in_reply_to="https://bo.example/notes/3",
    context=THREAD,
    conversation=THREAD,
    mentions=(Mention(BO, "@bo@bo.example"),),
    hashtags=("Work",),
    attachments=(Media("https://ada.example/media/x.webp", "Image", "image/webp", "x"),),
)


@pytest.mark.proves("P-210", "P-212", "P-214", "P-216", "P-230", "P-161")
def test_a_note_is_written_with_every_property() -> None:
    assert NOTE.write() == {
        "id": "https://ada.example/notes/7",
        "type": "Note",
        "attributedTo": ADA,
        "to": [PUBLIC],
        "cc": [f"{ADA}/followers", BO],
        "name": "A title",
        "published": "2026-01-15T10:00:00Z",
        "updated": "2026-01-16T10:00:00Z",
        "url": "https://ada.example/@ada/7",
        "content": NOTE.content,
        "contentMap": {"en": NOTE.content},
        "sensitive": True,
        "summary": "Ropes",
        "tag": [
            {"type": "Mention", "href": BO, "name": "@bo@bo.example"},
            {"type": "Hashtag", "name": "#Work", "href": "https://ada.example/tags/work"},
        ],
        "attachment": [
            {"type": "Image", "mediaType": "image/webp", "url": "https://ada.example/media/x.webp", "name": "x"}
        ],
        "context": THREAD,
        "conversation": THREAD,
        "inReplyTo": "https://bo.example/notes/3",
        "replies": "https://ada.example/notes/7/replies",
        "likes": "https://ada.example/notes/7/likes",
        "shares": "https://ada.example/notes/7/shares",
        "interactionPolicy": {"canQuote": {"automaticApproval": [PUBLIC]}},
    }


@pytest.mark.proves("P-210")
def test_a_bare_note_still_has_what_every_note_has() -> None:
    bare = Note("https://ada.example/notes/7", ADA, "<p>a</p>", to=(f"{ADA}/followers",)).write()

    assert bare["url"] == bare["id"]
    assert bare["contentMap"] == {"und": "<p>a</p>"}
    assert (bare["summary"], bare["inReplyTo"], bare["sensitive"]) == (None, None, False)
    assert (bare["tag"], bare["attachment"], bare["cc"]) == ([], [], [])
    assert bare.keys().isdisjoint({"updated", "name", "interactionPolicy", "directMessage", "audience"})


@pytest.mark.proves("P-216")
def test_a_note_that_nobody_may_quote_lists_its_author_alone() -> None:
    policy = replace(NOTE, quotable=False).write()["interactionPolicy"]

    assert policy == {"canQuote": {"automaticApproval": [ADA]}}
    assert Note.read(Document(replace(NOTE, quotable=False).write())).quotable is False


@pytest.mark.proves("P-161")
@pytest.mark.parametrize(
    ("to", "cc", "direct"),
    [
        ((BO,), (), True),
        ((PUBLIC, BO), (), False),
        ((BO,), (PUBLIC,), False),
        ((f"{ADA}/followers",), (BO,), False),
        ((BO, "https://ada.example/projects/p"), (), False),
    ],
)
def test_only_a_note_to_those_it_mentions_is_a_direct_message(
    to: tuple[str, ...], cc: tuple[str, ...], direct: bool
) -> None:
    assert replace(NOTE, to=to, cc=cc).write().get("directMessage", False) is direct


@pytest.mark.proves("P-265")
def test_a_note_in_a_room_names_the_project_and_is_no_direct_message() -> None:
    project = "https://ada.example/projects/01P"

    note = replace(NOTE, to=(BO,), cc=(), audience=project, context=project).write()

    assert (note["audience"], note["context"]) == (project, project)
    assert note.keys().isdisjoint({"directMessage", "interactionPolicy"})


@pytest.mark.proves("P-211")
def test_nothing_but_media_is_ever_attached() -> None:
    for attached in replace(NOTE, attachments=(Media("https://a.example/x", "Document", "application/pdf"),)).write()[
        "attachment"
    ]:
        assert attached["type"] in ("Document", "Image", "Audio", "Video")
        assert isinstance(attached["url"], str)
        assert isinstance(attached["mediaType"], str)


@pytest.mark.proves("P-210", "P-110")
@given(
    content=some.text(max_size=50),
    title=some.text(some.characters(exclude_characters="<&", exclude_categories=["C"]), max_size=20),
    tags=some.lists(some.from_regex(r"\A[a-zA-Z]{1,9}\Z"), max_size=3, unique=True),
    audience=some.sampled_from([((PUBLIC,), ()), ((f"{ADA}/followers",), (PUBLIC,)), ((BO,), ())]),
    poll=some.none() | some.just(Poll((("a", 1),), ends=NOTE.published)),
    quotable=some.booleans(),
)
def test_what_we_write_we_read(
    content: str,
    title: str,
    tags: list[str],
    audience: tuple[tuple[str, ...], tuple[str, ...]],
    poll: Poll | None,
    quotable: bool,
) -> None:
    to, cc = audience
    is_public = PUBLIC in to + cc
    typed = replace(NOTE, content=clean(content), hashtags=tuple(tags), to=to, cc=cc, poll=poll)
    typed = replace(
        typed, quotable=quotable and is_public, title=Note.read(Document({**NOTE.write(), "name": title})).title
    )

    assert Note.read(Document(typed.write())) == replace(typed, content=clean(typed.content))


@pytest.mark.proves("P-036")
def test_of_a_deleted_note_a_tombstone_remains() -> None:
    assert tombstone(NOTE.id, "Note", datetime(2026, 1, 17, 10, 0, 0, 5, UTC)) == {
        "@context": ["https://www.w3.org/ns/activitystreams"],
        "id": NOTE.id,
        "type": "Tombstone",
        "formerType": "Note",
        "deleted": "2026-01-17T10:00:00Z",
    }


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "mastodon-note",
            {
                "warning": "Ropes",
                "sensitive": True,
                "language": "en",
                "url": "https://social.example/@mia/9",
                "in_reply_to": "https://ada.example/notes/7",
                "conversation": "tag:social.example,2026-01-15:objectId=1:objectType=Conversation",
                "context": "https://social.example/contexts/1",
                "mentions": (Mention(ADA, "@ada@ada.example"),),
                "hashtags": ("rope",),
                "quotable": True,
                "attachments": (
                    Media(
                        "https://files.social.example/knot.webp",
                        "Image",
                        "image/webp",
                        "A bowline",
                        1200,
                        800,
                        blurhash="UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH",
                        focus=(0.5, -0.25),
                    ),
                ),
            },
        ),
        (
            "mastodon-question",
            {
                "content": "<p>Which paper?</p>",
                "type": "Question",
                "to": ("https://social.example/users/mia/followers",),
            },
        ),
        (
            "gotosocial-note",
            {
                "cc": (PUBLIC,),
                "published": datetime(2026, 1, 15, 10, 0, 0, 123456, tzinfo=UTC),
                "mentions": (Mention(ADA, "@ada@ada.example"),),
                "quotable": False,
            },
        ),
        (
            "misskey-note",
            {
                "emojis": (Emoji("nori", "https://files.sushi.example/nori.png"),),
                "url": None,
                "attachments": (Media("https://files.sushi.example/x.png", "Image", "image/png"),),
            },
        ),
        (
            "akkoma-note",
            {
                "content": "Soup of the day: <b>leek</b>",
                "attachments": (Media("https://soup.example/media/soup.jpg", "Image", "image/jpeg", "soup", 640, 480),),
                "language": "en",
                "sensitive": False,
            },
        ),
        ("pleroma-direct", {"content": "psst", "to": (ADA,)}),
        (
            "lemmy-page",
            {
                "title": "A press from 1890",
                "audience": "https://forum.example/c/print",
                "content": '<p>Still runs.</p>\n<p><a href="https://press.example/1890" '
                'rel="nofollow noopener noreferrer">press.example/1890</a></p>',
                "attachments": (),
            },
        ),
        (
            "peertube-video",
            {
                "title": "How a press works",
                "author": "https://tube.example/accounts/vera",
                "url": "https://tube.example/w/7c",
                "content": '<p>A <strong>press</strong> in motion.</p>\n<p>More at <a href="https://press.example" '
                'rel="nofollow noopener noreferrer">https://press.example</a></p>',
                "hashtags": ("press",),
                "updated": datetime(2026, 1, 16, 10, tzinfo=UTC),
            },
        ),
        (
            "pixelfed-note",
            {
                "content": 'Fog <a href="https://pics.example/discover/tags/fog?src=hash" class="u-url hashtag" '
                'rel="nofollow noopener noreferrer">#fog</a>',
                "hashtags": ("fog",),
            },
        ),
        (
            "wordpress-article",
            {
                "title": "On lead",
                "warning": "What type is made of.",
                "content": "<p>Type is <em>lead</em>.</p>a",
                "language": "de",
                "attachments": (Media("https://blog.example/letters.jpg", "Image", "image/jpeg", "A tray of letters"),),
            },
        ),
        (
            "mobilizon-event",
            {
                "author": "https://meet.example/@otto",
                "title": "Open press night",
                "content": '<p>Bring paper.</p><p><a href="https://press.example/night" '
                'rel="nofollow noopener noreferrer">press.example/night</a></p>',
            },
        ),
        (
            "funkwhale-audio",
            {
                "content": '<p>Rain</p><p><a href="https://radio.example/library/tracks/3" '
                'rel="nofollow noopener noreferrer">radio.example/library/tracks/3</a></p>',
                "to": (PUBLIC,),
            },
        ),
        ("bookwyrm-review", {"title": 'Review of "A Book of Glue" (5 stars): Sticks'}),
        ("mitra-proposal", {"type": "Proposal", "title": "Drawings by hand", "content": "<p>Up to A2.</p>"}),
        ("snac-note", {"content": "<p>small</p>", "warning": ""}),
        ("fedify-note", {"content": "<p>안녕</p>", "language": "ko", "url": "https://kit.example/@kim/1"}),
        (
            "expanded-note",
            {
                "content": "<p>spelled out</p>",
                "author": "https://ld.example/actors/l",
                "to": ("Public",),
                "published": datetime(2026, 1, 15, 10, tzinfo=UTC),
            },
        ),
    ],
)
def test_posts_of_others_are_read(name: str, expected: dict[str, Any]) -> None:
    note = Note.read(read(name))

    assert {key: getattr(note, key) for key in expected} == expected


@pytest.mark.proves("P-213", "P-314")
@pytest.mark.parametrize("name", NAMES)
def test_the_content_of_every_post_is_clean(name: str) -> None:
    document = read(name)
    if not document.has("content") and not document.has("contentMap"):
        return

    Judge(Note.read(document).content)


@pytest.mark.proves("P-315")
def test_the_whole_address_of_a_shortened_link_is_seen() -> None:
    assert "<span>https://</span>" in Note.read(read("mastodon-note")).content


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("change", "attribute", "expected"),
    [
        ({"mediaType": "text/plain", "content": "a < b"}, "content", "<p>a &lt; b</p>"),
        ({"mediaType": "text/markdown", "content": "*a*"}, "content", "<p><em>a</em></p>"),
        ({"content": None}, "content", "<p>…</p>"),
        ({"sensitive": "true"}, "sensitive", True),
        ({"sensitive": None}, "sensitive", False),
        ({"summary": None, "summaryMap": {"en": "a<br>b"}}, "warning", "a\nb"),
        ({"inReplyTo": [{"id": "https://a.example/1"}]}, "in_reply_to", "https://a.example/1"),
        ({"url": "https://evil.example/@mia/9"}, "url", None),
        ({"tag": {"type": "Hashtag", "name": "alone"}}, "hashtags", ("alone",)),
        (
            {"tag": [{"type": "Hashtag", "name": "#A"}, {"type": "as:Hashtag", "name": "##A"}, "x", 7]},
            "hashtags",
            ("A",),
        ),
        ({"tag": [{"type": "Mention", "href": BO}]}, "mentions", (Mention(BO, ""),)),
        ({"tag": [{"type": "Mention", "href": "javascript:x"}, {"type": "Emoji", "name": ":x:"}]}, "mentions", ()),
        ({"attachment": [{"type": "Proposal", "name": "x"}, None]}, "attachments", ()),
        ({"type": ["Note", "Proposal"]}, "type", "Note"),
        ({"type": "Thing", "content": None, "contentMap": None}, "title", ""),
        (
            {"attributedTo": ["https://b.example/x", {"id": "https://social.example/u"}]},
            "author",
            "https://social.example/u",
        ),
    ],
)
def test_odd_forms_of_a_property_are_read(change: dict[str, Any], attribute: str, expected: object) -> None:
    assert getattr(Note.read(Document({**load("mastodon-note"), **change})), attribute) == expected


@pytest.mark.proves("P-105", "P-331")
@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"attributedTo": None},
        {"attributedTo": BO},
        {"attributedTo": "http://social.example/users/mia"},
        {"attributedTo": ["javascript:x", {"id": BO}]},
        *({"id": uri} for uri in SCHEMES),
    ],
)
def test_a_note_lives_with_its_author_or_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        Note.read(Document({**load("mastodon-note"), **change}))


@pytest.mark.proves("P-111")
def test_what_comes_by_the_thousand_is_read_up_to_its_limit() -> None:
    mentions = [{"type": "Mention", "href": f"https://a{number}.example/u", "name": "@u"} for number in range(1000)]
    hashtags = [{"type": "Hashtag", "name": f"#t{number}"} for number in range(1000)]
    media = [{"type": "Image", "url": f"https://a.example/{number}"} for number in range(1000)]

    crowded = Note.read(Document({**load("mastodon-note"), "tag": mentions, "attachment": media}))
    tagged = Note.read(Document({**load("mastodon-note"), "tag": hashtags}))

    assert (len(crowded.mentions), len(tagged.hashtags)) == (MAX_MENTIONS, MAX_TAGS) == (50, 200)
    assert len(crowded.attachments) == MAX_ATTACHMENTS == 32


@pytest.mark.proves("P-111", "P-313")
def test_what_is_too_long_is_cut_and_links_to_the_whole() -> None:
    note = Note.read(Document({**load("mastodon-note"), "content": "<b>x</b>" + "y" * MAX_HTML}))

    assert note.content.startswith("<p> x yyy")
    assert note.content.endswith(">social.example/@mia/9</a></p>")
    assert len(note.content) < MAX_HTML + 500


@pytest.mark.proves("P-313")
@pytest.mark.parametrize("media_type", ["text/html", "text/plain", "text/markdown"])
@pytest.mark.parametrize(
    "piece", ["<a", '"', "\\", "[", "*", "`", "> ", "@a@b.example ", "https://a.example ", "![", "_a "]
)
@pytest.mark.parametrize("size", [20_000, 500_000])
def test_half_a_megabyte_of_anything_is_a_note(piece: str, media_type: str, size: int) -> None:
    content = piece * (size // len(piece))

    note = Note.read(Document({**load("mastodon-note"), "content": content, "mediaType": media_type}))

    Judge(note.content)


@pytest.mark.proves("P-313")
def test_a_long_text_in_markdown_is_shown_as_it_was_typed() -> None:
    long = Document({**load("mastodon-note"), "content": "*a* " * 6_000, "mediaType": "text/markdown"})

    assert Note.read(long).content.startswith("<p>*a* *a*")


@pytest.mark.proves("P-314")
@pytest.mark.parametrize("bad", [*XSS, *SCHEMES])
@pytest.mark.parametrize("kind", ["Note", "Article", "Video"])
def test_no_property_of_a_note_carries_a_script(bad: str, kind: str) -> None:
    names = ["content", "summary", "name", "url", "inReplyTo", "context", "audience", "conversation"]
    tags = [{"type": one, "name": bad, "href": bad, "icon": {"url": bad}} for one in ("Mention", "Hashtag", "Emoji")]
    attached = [{"type": one, "name": bad, "url": bad, "href": bad, "mediaType": bad} for one in ("Image", "Link")]
    document = {**load("mastodon-note"), **dict.fromkeys(names, bad), "tag": tags, "attachment": attached, "type": kind}

    note = Note.read(Document(document | {"oneOf": [{"name": bad}]}))

    Judge(note.content)
    assert (note.url, note.in_reply_to, note.context, note.audience) == (None, None, None, None)
    assert (note.mentions, note.emojis, note.attachments) == ((), (), ())
    assert all(one.isprintable() for one in (note.title, note.language, *note.hashtags))


PROPERTIES = (
    "id",
    "type",
    "attributedTo",
    "content",
    "contentMap",
    "name",
    "summary",
    "url",
    "tag",
    "attachment",
    "to",
)


@given(hostile(*PROPERTIES, "published", "mediaType", "oneOf", "interactionPolicy", "inReplyTo"))
def test_any_json_is_a_note_or_a_protocol_error(json: dict[str, Any]) -> None:
    try:
        note = Note.read(Document(json))
    except ProtocolError:
        return
    Judge(note.content)
    assert Note.read(Document(note.write())).author == note.author
