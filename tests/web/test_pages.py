"""Pages as people and browsers see them: nothing of what others wrote runs, and everything is said in plain words."""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import update
from starlette.types import Send

from activitypub.document import Json
from activitypub.proposal import Price
from coop import offers, posts
from coop.accounts import Account
from coop.posts import Draft
from tests.fediverse import Fediverse
from tests.web.pages import Reader, check_harmless, rewrite, tell
from tests.web.visitors import BROWSER, ask, neighbours
from web.errors import Errors
from web.moments import ago

ATTACKS = [
    "<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVa\tScRiPt:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<iframe src='https://evil.example'></iframe>",
    "<form action='https://evil.example'><input name=password></form>",
    "<style>*{background:url(https://evil.example)}</style>",
    "<p style='position:fixed;inset:0'>x</p>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    '"><script>alert(1)</script>',
    "' autofocus onfocus='alert(1)",
    "{{ 7777*7777 }}{% include '/etc/passwd' %}",
    "--><script>alert(1)</script><!--",
    "]]></content><script>alert(1)</script>",
    "<details open ontoggle=alert(1)>",
    "<a href='https://evil.example/' onclick=alert(1) target=_self>x</a>",
]
SCHEMES = ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:x", "about:blank"]
SCHEMES += [
    "ftp://evil.example",
    "ws://evil.example",
    "intent://x",
    "chrome://settings",
    "//evil.example",
    "java\nscript:x",
]


@pytest.mark.proves("P-314")
@pytest.mark.parametrize("attack", ATTACKS)
async def test_nothing_that_anybody_wrote_runs_in_any_page(fediverse: Fediverse, attack: str) -> None:
    attic, _ = await neighbours(fediverse)
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("x")).uri)
    reply = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("y", reply_to=post)).uri)
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, offers.Draft("offer", "z", "z")).uri)
    poll = {"oneOf": [{"type": "Note", "name": attack, "replies": {"totalItems": 1}}], "votersCount": 1}
    tags = [{"type": "Hashtag", "name": attack, "href": attack}, {"type": "Mention", "name": attack, "href": attack}]
    files = [{"type": "Document", "mediaType": "image/png", "url": "https://evil.example/x.png", "name": attack}]
    said = {"content": attack, "contentMap": {"en": attack}, "summary": attack, "name": attack, "url": attack}
    evil = {**said, "tag": tags, "attachment": files, **poll}
    for uri in (post, reply):
        await rewrite(attic, uri, evil)
    more = {"skill": [attack], "location": {"type": "Place", "name": attack}, "source": {"content": attack}}
    await rewrite(attic, offer, {"name": attack, "content": attack, **more})
    field = {"type": "PropertyValue", "name": attack, "value": attack}
    picture = {"type": "Image", "url": "https://evil.example/x.png", "name": attack}
    face = {"name": attack, "summary": attack, "attachment": [field], "icon": picture, "skill": [attack]}
    await tell(attic, {**face, "availability": attack})

    for url in (
        "/",
        "/@attic",
        post,
        reply,
        offer,
        "/tags/x",
        f"/tags/{'x' * 50}",
        "/authorize?uri=https://x.example/",
    ):
        page = await ask(attic, url, BROWSER)

        assert page.status_code == 200, url
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        check_harmless(page.text, attic.home)
    for name in ("posts", "offers"):
        feed = await ask(attic, f"/@attic/{name}.atom", BROWSER)
        root = ElementTree.fromstring(feed.text)  # noqa: S314 - it is our own
        for content in root.iter("{http://www.w3.org/2005/Atom}content"):
            check_harmless(content.text or "", attic.home)


@pytest.mark.proves("P-314")
@pytest.mark.parametrize("address", SCHEMES)
async def test_no_address_but_of_the_web_is_ever_a_link(fediverse: Fediverse, address: str) -> None:
    attic, _ = await neighbours(fediverse)
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("x")).uri)
    await rewrite(
        attic, post, {"url": address, "inReplyTo": address, "attachment": [{"type": "Image", "url": address}]}
    )
    icon = {"type": "Image", "url": address}
    await tell(attic, {"url": address, "icon": icon, "attachment": [{"type": "PropertyValue", "value": address}]})

    for url in (post, "/@attic", "/"):
        page = await ask(attic, url, BROWSER)
        read = Reader(page.text)
        assert address not in read.values("href") + read.values("src") + read.values("content")


@pytest.mark.proves("P-314")
@pytest.mark.parametrize(
    "url", ["/", "/@attic", "/nothing/here", "/static/boxroom.css", "/inbox", "/.well-known/nodeinfo"]
)
async def test_every_answer_keeps_a_browser_on_a_short_lead(fediverse: Fediverse, url: str) -> None:
    attic = await fediverse.studio("attic")

    answer = await ask(attic, url, BROWSER)

    policy = {one.split()[0]: one.split()[1:] for one in answer.headers["content-security-policy"].split(";")}
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == ["'self'"]
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.proves("P-315")
async def test_names_cannot_be_disguised_and_hosts_are_shown_whole(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    hidden = '<a href="https://evil.example/path"><span class="invisible">https://evil.example/</span>good.example</a>'
    await tell(
        attic,
        {
            "name": "Ada\u202e nimda\u200b",
            "attachment": [{"type": "PropertyValue", "name": "Web", "value": hidden, "title": "x"}],
        },
    )

    page = await ask(attic, "/@attic", BROWSER)

    assert "\u202e" not in page.text
    assert "\u200b" not in page.text
    assert "invisible" not in page.text
    assert "attic@attic.example" in page.text


@pytest.mark.proves("P-023")
async def test_the_links_of_a_profile_lead_there_as_ones_own(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    value = '<a href="https://ada.example/" rel="me nofollow noopener noreferrer" target="_blank">ada.example</a>'
    await tell(attic, {"attachment": [{"type": "PropertyValue", "name": "Web", "value": value}]})

    page = Reader((await ask(attic, "/@attic", BROWSER)).text)

    mine = [(tag, attrs) for tag, attrs in page.tags if attrs.get("href") == "https://ada.example/"]
    assert [tag for tag, _ in mine] == ["link", "a"]
    assert all("me" in (attrs.get("rel") or "").split() for _, attrs in mine)


async def test_a_profile_tells_programs_what_it_tells_people(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Ink!")))
    await tell(attic, {"summary": "<p>Books and maps</p>", "skill": ["Cartography"], "availability": "from March"})

    page = (await ask(attic, "/@attic", BROWSER)).text

    classes = {one for value in Reader(page).values("class") for one in value.split()}
    assert {"h-card", "p-name", "u-url", "p-note", "p-category", "h-feed", "h-entry", "e-content"} <= classes
    assert '<meta property="og:title" content="Attic">' in page
    assert '<meta property="og:description" content="Books and maps">' in page
    assert 'type="application/atom+xml"' in page
    assert all(words in page for words in ("Cartography", "from March", "<b>1</b> follower<"))


async def test_no_lamp_is_lit_while_nobody_can_say_that_they_are_in(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await tell(attic, {"availability": "Not available until May"})

    for url in ("/", "/@attic"):
        page = (await ask(attic, url, BROWSER)).text

        classes = {one for value in Reader(page).values("class") for one in value.split()}
        assert "Not available until May" in page
        assert not classes & {"window", "lit"}


async def test_an_offer_says_its_terms_and_how_to_answer(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    until = datetime(2026, 3, 31, 22, tzinfo=UTC)
    price = Price("EUR", Decimal(2400), Decimal(2400))
    draft = offers.Draft("request", "A typesetter", "Many *footnotes*.", price, ("Typesetting",), True, "", None, until)
    uri = await attic.does(lambda tx: offers.open(tx, attic.uri, draft).uri)

    opened = (await ask(attic, uri, BROWSER)).text
    fediverse.later(days=40)
    over = (await ask(attic, uri, BROWSER)).text

    for words in ("Work to give", "A typesetter", "<em>footnotes</em>", "2,400 EUR", "Typesetting", "from anywhere"):
        assert words in opened
    assert "Open until 31 March 2026" in opened
    assert "How to answer" in opened
    assert f"<code>boxroom offer respond {uri}</code>" in opened
    assert "press" not in opened
    assert "Closed on 31 March 2026" in over
    assert "How to answer" not in over


@pytest.mark.parametrize(("change", "words"), [(offers.fill, "Taken"), (offers.withdraw, "Withdrawn")])
async def test_an_offer_that_is_open_no_more_says_so(fediverse: Fediverse, change: object, words: str) -> None:
    attic, _ = await neighbours(fediverse)
    uri = await attic.does(lambda tx: offers.open(tx, attic.uri, offers.Draft("offer", "Maps", "By the day")).uri)
    await attic.does(lambda tx: change(tx, attic.uri, uri))  # type: ignore[operator]

    page, board = (await ask(attic, uri, BROWSER)).text, (await ask(attic, "/@attic", BROWSER)).text

    assert words in page
    assert "Maps" not in board


async def test_a_post_is_shown_with_what_it_answers_and_what_answers_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    first = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Who has ink?", warning="Ink")).uri)
    await fediverse.settle()
    second = await shop.does(lambda tx: posts.publish(tx, shop.uri, Draft("We have!", reply_to=first)).uri)
    await fediverse.settle()

    question, answer = (await ask(attic, first, BROWSER)).text, (await ask(shop, second, BROWSER)).text

    assert "We have!" in question
    assert "shop.example" in question
    assert "Who has ink?" in answer
    assert "<summary>Ink</summary>" in question


async def test_an_empty_house_says_what_to_do(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await attic.does(lambda tx: tx.db.execute(update(Account).values(suspended=True)))

    page = await ask(attic, "/", BROWSER)

    assert (page.status_code, "nobody has moved in yet" in page.text) == (200, True)


@pytest.mark.parametrize(
    ("url", "status"), [("/nothing", 404), ("/notes/1", 404), ("/@nobody", 404), ("/authorize", 400)]
)
async def test_errors_are_pages_for_people_and_sentences_for_programs(
    fediverse: Fediverse, url: str, status: int
) -> None:
    attic = await fediverse.studio("attic")

    page, sentence = await ask(attic, url, BROWSER), await ask(attic, url, {"accept": "application/json"})

    assert (page.status_code, sentence.status_code) == (status, status)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert set(sentence.json()) == {"error"}
    assert "Not Found" not in page.text + sentence.text
    check_harmless(page.text, attic.home)


@pytest.mark.parametrize("path", ["/inbox", "/actors/ID/followers"])
async def test_what_tells_a_program_what_to_do_is_said_to_people_in_their_words(
    fediverse: Fediverse, path: str
) -> None:
    attic = await fediverse.studio("attic", authorized_fetch=True)
    url = path.replace("/actors/ID", attic.uri)

    page, sentence = (await ask(attic, url, BROWSER)).text, (await ask(attic, url)).json()["error"]

    assert "POST" in sentence or "sign the request" in sentence
    assert "POST" not in page
    assert "ign the request" not in page
    assert "other servers leave here" in page.lower() or "on your own server" in page


@pytest.mark.proves("P-101", "P-336")
async def test_what_nobody_foresaw_is_told_without_its_details(
    fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    attic = await fediverse.studio("attic")

    async def broken(work: object) -> object:
        raise RuntimeError("-----BEGIN PRIVATE KEY-----")

    monkeypatch.setattr(type(attic.instance.store), "read", lambda self, work: broken(work))
    page, sentence = await ask(attic, "/", BROWSER), await ask(attic, attic.uri)

    assert (page.status_code, sentence.status_code) == (500, 500)
    assert "PRIVATE" not in page.text + sentence.text
    assert "Traceback" not in page.text + sentence.text
    assert "Nothing was lost" in page.text


async def test_an_answer_that_breaks_off_is_not_followed_by_another() -> None:
    sent: list[Json] = []

    async def halfway(scope: object, receive: object, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("the cable")

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append({**message})

    with pytest.raises(RuntimeError):
        await Errors(halfway)({"type": "http", "headers": []}, None, send)  # type: ignore[arg-type]

    assert [one["status"] for one in sent] == [200]


async def test_hashtags_and_skills_lead_somewhere(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("New #BookBinding glue")))
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Other #Book")))

    tag, skill = await ask(attic, "/tags/bookbinding", BROWSER), await ask(attic, "/skills/book-binding", BROWSER)
    other = await ask(attic, "/tags/book", BROWSER)

    assert "glue" in tag.text
    assert "glue" not in other.text
    assert skill.headers["location"] == "/tags/bookbinding"


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 hr ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=8), "22 February 2026"),
        (timedelta(minutes=-5), "2 March 2026"),
    ],
)
def test_dates_are_relative_while_they_are_fresh(passed: timedelta, words: str) -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    assert ago(now, now - passed) == words


async def test_what_never_changes_may_be_kept_for_ever(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    page = Reader((await ask(attic, "/", BROWSER)).text)
    [style, *_] = [attrs["href"] for tag, attrs in page.tags if attrs.get("rel") == "stylesheet"]

    sheet, bare = await ask(attic, style or "", BROWSER), await ask(attic, "/static/boxroom.css", BROWSER)
    icon, robots = await ask(attic, "/favicon.ico", BROWSER), await ask(attic, "/robots.txt", BROWSER)
    missing = await ask(attic, "/static/app.py", BROWSER)

    assert (sheet.headers["content-type"], "immutable" in sheet.headers["cache-control"]) == (
        "text/css; charset=utf-8",
        True,
    )
    assert "immutable" not in bare.headers["cache-control"]
    assert (await ask(attic, icon.headers["location"], BROWSER)).headers["content-type"] == "image/svg+xml"
    assert robots.text.startswith("User-agent: *")
    assert missing.status_code == 404
