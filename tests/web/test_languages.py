"""In which language a page speaks, and that only what we say is translated: never names, posts, or the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.proposal import Price
from coop import endorsements, essays, offers, posts, profiles
from coop.offers import Draft
from tests.coop.neighbours import neighbours
from tests.fediverse import Fediverse
from tests.web.inhabitants import at_home
from tests.web.visitors import BROWSER, PROGRAM, ask
from web import languages, moments
from web.languages import accepted, speaking

GERMAN = {**BROWSER, "accept-language": "de-AT,de;q=0.9,en;q=0.5"}
MORNING = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)


# --- Which -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("DE-at", "de-at"),
        ("en-US,en;q=0.9,de;q=0.8", "en-us"),
        ("fr, de;q=0.3", "de"),
        ("en;q=0.2, de; q=0.7", "de"),
        ("de;q=0, en", "en"),
        ("de;q=much, en", "en"),
        ("fr, nl", "en"),
        ("*", "en"),
        ("de-Latn-DE-1996", "de"),
    ],
)
def test_pages_speak_what_the_browser_likes_best_of_what_we_know(header: str, language: str) -> None:
    assert accepted(header) == language


LIKINGS = some.tuples(some.sampled_from(["de", "en-us", "fr", "*", ""]) | some.text(), some.text()).map(";q=".join)


@given(some.lists(LIKINGS).map(",".join) | some.text(max_size=400))
def test_whatever_a_browser_likes_we_know_what_we_speak(header: str) -> None:
    assert accepted(header) in languages.LOCALES


def test_what_whoever_is_logged_in_has_chosen_counts_more_to_the_end_of_the_request() -> None:
    with speaking("en"):
        languages.speak("de-AT")
        assert languages.spoken() == "de-at"
        languages.speak("de")
        languages.speak(None)
        languages.speak("tlh")
        assert languages.spoken() == "de-at"
    assert languages.spoken() == "en"


async def test_what_is_read_in_a_transaction_is_said_in_the_language_of_who_asks(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)

    with speaking("de"):
        assert await attic.instance.store.read(lambda db: languages.gettext("Today")) == "Heute"
    assert await attic.instance.store.read(lambda db: languages.gettext("Today")) == "Today"


# --- What ------------------------------------------------------------------------------------------------------------


async def test_a_page_is_in_the_language_of_who_reads_it(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    visitor = await at_home(attic)

    german = await visitor.client.get("/today", headers=GERMAN)
    english = await visitor.client.get("/today", headers=BROWSER)

    assert '<html lang="de" dir="ltr">' in german.text
    assert "Was auf dich wartet" in german.text
    assert '<html lang="en" dir="ltr">' in english.text
    assert "What needs you" in english.text


async def test_caches_keep_what_each_language_reads_apart(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)

    for path in ("/", "/@attic/posts.atom"):
        assert "Accept-Language" in (await ask(attic, path, GERMAN)).headers["vary"]


async def test_errors_and_what_is_wrong_with_a_form_are_in_it_too(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    visitor = await at_home(attic)
    visitor.client.headers["accept-language"] = "de"

    missing = await ask(attic, "/nowhere", GERMAN)
    empty = await visitor.sends("/today", "/say", text=" ")
    wrong = await visitor.sends("/settings/logins", "/settings/password", old="that is not it", new="nor is this one")

    assert "Hier ist nichts" in missing.text
    assert "Unter dieser Adresse ist nichts, oder es ist nicht für alle." in missing.text
    assert "Es wurde nicht gesagt: es steht nichts darin: schreib etwas, oder häng eine Datei an." in empty.text
    assert "Das alte Passwort lautet anders." in wrong.text


async def test_what_the_rooms_below_refuse_is_in_it_with_the_names_that_it_is_about(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    visitor = await at_home(attic)
    visitor.client.headers["accept-language"] = "de"

    long = await visitor.sends("/today", "/say", text="a" * (essays.MAX_TEXT + 1))
    unknown = await visitor.sends("/people", "/people/find", asked="<b>ada</b>")
    abroad = await visitor.sends("/people", "/people/find", asked="ada@nowhere.example")

    assert "Es wurde nicht gesagt: es ist länger als 100.000 Zeichen; schreib es in Teilen." in long.text
    assert "&#39;&lt;b&gt;ada&lt;/b&gt;&#39; ist keine Adresse wie ada@attic.example" in unknown.text
    assert "nowhere.example ist nicht zu erreichen" in abroad.text


async def test_reasons_are_in_it_too(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    visitor = await at_home(attic)
    visitor.client.headers["accept-language"] = "de"
    await attic.follows(shop)
    given = await attic.does(lambda tx: endorsements.give(tx, attic.uri, shop.uri, ["Typesetting"], "Neat.").uri)
    await fediverse.settle()

    way = await visitor.client.get("/who/knows", params={"is": shop.uri})
    seal = await visitor.client.get("/vouching/one", params={"is": given})

    assert "Du folgst Shop (shop@shop.example) und empfiehlst" in way.text
    assert "Der Nachweis stimmt, und der Server dessen, der es gab, bestätigt den Schlüssel." in seal.text


async def test_dates_and_money_are_written_as_whoever_reads_writes_them(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    price = Price("EUR", Decimal("2400.50"), Decimal("2400.50"), "day")
    draft = Draft("offer", "Maps", "By the day", price, ("Cartography",), until=datetime(2100, 3, 31, tzinfo=UTC))
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, draft))

    german, english = [(await ask(attic, offer.uri, one)).text for one in (GERMAN, BROWSER)]

    assert "€ 2.400,50 am Tag" in german.replace("\xa0", " ")
    assert "Offen bis 31. März 2100" in german
    assert "€2,400.50 per day" in english
    assert "Open until 31 March 2100" in english


async def test_what_people_wrote_and_what_goes_over_the_wire_is_never_translated(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, profiles.Changes(name="Today %(name)s <b>&")))
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, posts.Draft("Settings")))

    page = await ask(attic, "/@attic", GERMAN)
    documents = [await ask(attic, post.uri, PROGRAM | {"accept-language": one}) for one in ("de", "en")]

    assert "Today %(name)s &lt;b&gt;&amp; hat" not in page.text
    assert '<h1 class="p-name">Today %(name)s &lt;b&gt;&amp;</h1>' in page.text
    assert "Settings" in page.text
    assert documents[0].content == documents[1].content


# --- How -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=20), "gerade eben"),
        (timedelta(minutes=5), "vor 5 Min."),
        (timedelta(hours=3), "vor 3 Std."),
        (timedelta(hours=30), "gestern"),
        (timedelta(days=3), "vor 3 Tagen"),
        (timedelta(days=8), "22. Februar 2026"),
    ],
)
def test_what_is_fresh_is_so_in_every_language(passed: timedelta, words: str) -> None:
    with speaking("de"):
        assert moments.ago(MORNING, MORNING - passed) == words


def test_whole_moments_are_in_full() -> None:
    assert 'title="2 March 2026, 09:05 UTC"' in moments.on(MORNING)
    with speaking("de"):
        assert 'title="2. März 2026, 09:05 Uhr (UTC)"' in moments.on(MORNING)


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (Price("EUR", Decimal(450), Decimal(450)), "450 €"),
        (Price("EUR", Decimal("0.125"), None, "hour"), "ab 0,125 € in der Stunde"),
        (Price("JPY", None, Decimal(50_000)), "bis zu 50.000 ¥"),
        (Price("EUR", Decimal(400), Decimal("600.50"), "day"), "400 € bis 600,50 € am Tag"),
        (Price("CHF"), "nach Vereinbarung, in CHF"),
    ],
)
def test_no_part_of_a_price_is_lost(price: Price, words: str) -> None:
    with speaking("de"):
        assert moments.price(price).replace("\xa0", " ") == words
