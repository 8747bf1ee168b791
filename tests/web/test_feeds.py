"""What somebody says, in a feed reader: all of it, and nothing that was to be asked for first."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from coop import posts
from coop.posts import Draft
from tests.fediverse import Fediverse, Studio
from tests.web.pages import Reader, rewrite
from tests.web.uploads import attaches, picture, uploads
from tests.web.visitors import ask, neighbours

ATOM = "{http://www.w3.org/2005/Atom}"


async def entry_of(studio: Studio) -> ElementTree.Element:
    """The latest that its owner said."""
    feed = await ask(studio, f"/@{studio.host.partition('.')[0]}/posts.atom", {"accept": "*/*"})
    found = ElementTree.fromstring(feed.text).find(f"{ATOM}entry")  # noqa: S314 - it is our own
    assert found is not None
    return found


def enclosures(entry: ElementTree.Element) -> list[dict[str, str]]:
    return [one.attrib for one in entry.findall(f"{ATOM}link") if one.get("rel") == "enclosure"]


async def test_a_feed_is_atom_and_is_sent_once(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Ink & \x0b <paper>")).uri)

    feed = await ask(attic, "/@attic/posts.atom", {"accept": "*/*"})
    again = await ask(attic, "/@attic/posts.atom", {"accept": "*/*", "if-none-match": feed.headers["etag"]})
    nobody = await ask(attic, "/@nobody/posts.atom", {"accept": "*/*"})

    root = ElementTree.fromstring(feed.text)  # noqa: S314 - it is our own
    assert feed.headers["content-type"].startswith("application/atom+xml")
    assert root.findtext(f"{ATOM}entry/{ATOM}id") == post
    assert root.findtext(f"{ATOM}updated") == "2026-03-02T09:00:00+00:00"
    assert "Ink &amp;" in (root.findtext(f"{ATOM}entry/{ATOM}content") or "")
    assert (again.status_code, again.content, nobody.status_code) == (304, b"", 404)


async def test_a_picture_comes_along_with_its_words(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    await attaches(attic, name, "Look")

    entry = await entry_of(attic)

    [link] = enclosures(entry)
    url = f"{attic.home}/media/{name}"
    assert (link["href"], link["type"], link["title"]) == (url, "image/png", "Something red")
    assert int(link["length"]) > 0
    content = Reader(entry.findtext(f"{ATOM}content") or "")
    assert [attrs for tag, attrs in content.tags if tag == "img"] == [
        {"src": url, "alt": "Something red", "width": "8", "height": "4"}
    ]


async def test_a_file_that_is_no_picture_is_enclosed_alone(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "media", b"%PDF-1.7", "plan.pdf")
    await attaches(attic, name, "The plan")

    entry = await entry_of(attic)

    assert [one["type"] for one in enclosures(entry)] == ["application/pdf"]
    assert "img" not in (entry.findtext(f"{ATOM}content") or "")


@pytest.mark.parametrize(("warning", "change"), [("Red", {}), ("", {"sensitive": True})])
async def test_what_was_to_be_asked_for_first_is_in_no_feed(
    fediverse: Fediverse, tmp_path: Path, warning: str, change: dict[str, bool]
) -> None:
    attic, _ = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    post = await attaches(attic, name, "Look" if change else "Do not look", warning=warning)
    await rewrite(attic, post, change)

    entry = await entry_of(attic)
    words = "".join(entry.itertext())

    assert enclosures(entry) == []
    assert "/media/" not in words
    assert "Something red" not in words
    assert "Do not look" not in words
    assert (warning or "Look") in words


async def test_a_warning_is_text_in_every_feed_reader(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("x", warning="x")).uri)
    await rewrite(attic, post, {"summary": "A &lt;b&gt; &amp;amp; more"})

    entry = await entry_of(attic)

    assert entry.findtext(f"{ATOM}title") == "A <b> &amp; more"
    assert (entry.findtext(f"{ATOM}content") or "").strip() == "<p>A &lt;b&gt; &amp;amp; more</p>"
