"""What a warning stands before: nothing of it is seen, heard or loaded until somebody asks, and then all of it is."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from coop import offers, posts
from coop.posts import Draft
from tests.fediverse import Fediverse
from tests.web.pages import rewrite
from tests.web.uploads import attaches, picture, uploads
from tests.web.visitors import BROWSER, ask, neighbours

POLL = {"oneOf": [{"type": "Note", "name": "Scarlet", "replies": {"totalItems": 1}}], "votersCount": 1}


class Unveiled(HTMLParser):
    """What a page says and shows before anything in it is opened, and what only after."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open, self.behind = "", ""
        self._depth, self._summary = 0, False
        self.feed(page.partition("<main")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._depth += tag == "details"
        self._summary |= tag == "summary"
        self._take(" ".join(f"{tag} {name}={value}" for name, value in attrs))

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "details"
        self._summary &= tag != "summary"

    def handle_data(self, data: str) -> None:
        self._take(data)

    def _take(self, words: str) -> None:
        if self._depth and not self._summary:
            self.behind += words
        else:
            self.open += words


async def test_a_warning_hides_words_poll_and_picture_and_all_of_them_are_behind_it(
    fediverse: Fediverse, tmp_path: Path
) -> None:
    attic, _ = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    post = await attaches(attic, name, "A lot of paint", warning="Red")
    await rewrite(attic, post, POLL)

    for url in (post, "/@attic", "/"):
        page = Unveiled((await ask(attic, url, BROWSER)).text)

        hidden = ("A lot of paint", "Scarlet", "Something red", f"img src={attic.home}/media/{name}")
        assert "Red" in page.open
        assert not [one for one in (*hidden, "/media/") if one in page.open], url
        assert [one for one in hidden if one in page.behind] == [*hidden], url


async def test_a_picture_that_is_called_sensitive_is_shown_once_somebody_asks(
    fediverse: Fediverse, tmp_path: Path
) -> None:
    attic, _ = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    post = await attaches(attic, name, "A lot of paint")
    await rewrite(attic, post, {"sensitive": True})

    page = Unveiled((await ask(attic, post, BROWSER)).text)

    assert "A lot of paint" in page.open
    assert "/media/" not in page.open
    assert "Something red" not in page.open
    assert f"img src={attic.home}/media/{name}" in page.behind


async def test_the_picture_of_an_offer_is_veiled_as_any_other(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    await uploads(attic, tmp_path / "media", picture(), "red.png")
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, offers.Draft("offer", "Red", "Signs")).uri)
    file = {"type": "Image", "mediaType": "image/png", "url": f"{attic.home}/media/x.png", "name": "Something red"}
    await rewrite(attic, offer, {"attachment": [file], "sensitive": True})

    page = Unveiled((await ask(attic, offer, BROWSER)).text)

    assert "Something red" not in page.open
    assert "Something red" in page.behind


async def test_nothing_is_veiled_that_nobody_warned_of(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    await attaches(attic, name, "A lot of paint")
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("More")))

    page = Unveiled((await ask(attic, "/@attic", BROWSER)).text)

    assert not [one for one in ("A lot of paint", "More", "/media/", "dt-published") if one in page.behind]
    assert f"img src={attic.home}/media/{name}" in page.open
