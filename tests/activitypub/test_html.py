from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.html import MAX_HTML, beginning, clean, link, links, plain, safe_url, single_line, words
from tests.activitypub.documents import SCHEMES, XSS

TAGS = {"p", "br", "a", "span", "del", "pre", "blockquote", "code", "b", "strong", "u", "i", "em", "ul", "ol", "li"}
TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6"}
ATTRIBUTES = {"href", "rel", "class", "start", "reversed", "value", "translate", "lang"}
CLASSES = re.compile(r"h-card|u-[\w-]+|mention|hashtag|ellipsis|quote-inline")
LINK_REL = {"nofollow", "noopener", "noreferrer"}


class Judge(HTMLParser):
    """Fails on whatever P-213 does not allow; another parser than the one that cleaned."""

    def __init__(self, html: str, *, ours: bool = False) -> None:
        super().__init__()
        self.rel = set() if ours else LINK_REL
        self.seen: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert tag in TAGS
        assert given.keys() <= ATTRIBUTES
        assert all(CLASSES.fullmatch(one) for one in given.get("class", "").split())
        if tag == "a":
            assert self.rel <= set(given.get("rel", "").split()) <= LINK_REL | {"me", "tag"}
            assert re.match(r"https?://|mailto:", given.get("href", "https://"), re.IGNORECASE)
        self.seen.append(tag)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


@pytest.mark.proves("P-213", "P-314")
@pytest.mark.parametrize("html", XSS)
def test_nothing_that_runs_or_deceives_survives(html: str) -> None:
    Judge(clean(html))
    Judge(clean(f"<p>before {html} after</p>"))
    Judge(clean(clean(html)))


@pytest.mark.proves("P-213", "P-314")
@given(
    some.lists(some.sampled_from([*XSS, "<a href=", "'", '"', ">", "<p>", "<a>", "</", "<!--", "]]>", "&lt;"])),
    some.text(),
)
def test_no_mixture_of_bad_things_survives(parts: list[str], text: str) -> None:
    Judge(clean("".join([*parts, text])))


@pytest.mark.proves("P-213", "P-314")
@pytest.mark.parametrize("url", [one for one in SCHEMES if "\0" not in one])  # the parser replaces it
def test_a_link_leads_to_the_web_or_to_mail_or_nowhere(url: str) -> None:
    cleaned = clean(f'<a href="{url}">x</a>')

    assert ("href" in cleaned) == url.startswith("mailto:")


@pytest.mark.proves("P-213")
def test_every_element_of_the_subset_is_kept() -> None:
    html = (
        "<h1>1</h1><h2>2</h2><h3>3</h3><h4>4</h4><h5>5</h5><h6>6</h6><p>a<br><b>b</b><strong>c</strong><u>d</u><i>e</i>"
        "<em>f</em><del>g</del><code>h</code></p><blockquote><pre>i</pre></blockquote><ul><li>j</li></ul>"
        '<ol start="2" reversed=""><li value="7">k</li></ol><p lang="de"><span translate="no">l</span></p>'
    )

    assert clean(html) == html
    assert set(Judge(clean(html)).seen) == TAGS - {"a"}


@pytest.mark.proves("P-213")
@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<p class="quote-inline modal">a</p>', '<p class="quote-inline">a</p>'),
        ('<p class="u-x h-card evil mention">a</p>', '<p class="u-x h-card mention">a</p>'),
        ('<a class="hashtag btn">a</a>', '<a class="hashtag" rel="nofollow noopener noreferrer">a</a>'),
        ('<span class="ellipsis invisible">a</span>', '<span class="ellipsis">a</span>'),
        ("<table><tr><td>a</td></tr></table><img src=x><figure>b</figure>", "ab"),
        ("<script>a</script><style>b</style>c", "c"),
        ("<!-- a -->b<?php c ?>", "b"),
        ('<p id="x" title="y" style="z" dir="rtl" data-a="b">c</p>', "<p>c</p>"),
    ],
)
def test_everything_else_goes_and_its_text_stays(html: str, expected: str) -> None:
    assert clean(html) == expected


@pytest.mark.proves("P-213", "P-023")
@pytest.mark.parametrize(
    ("rel", "expected"),
    [
        ("", "nofollow noopener noreferrer"),
        ('rel="me"', "me nofollow noopener noreferrer"),
        ('rel="TAG opener ME external"', "me tag nofollow noopener noreferrer"),
        ('rel="opener"', "nofollow noopener noreferrer"),
    ],
)
def test_a_link_never_opens_the_door_to_its_target(rel: str, expected: str) -> None:
    cleaned = clean(f'<a {rel} href="https://x.example/<a>" target="_top">x</a>')

    assert cleaned == f'<a href="https://x.example/&lt;a&gt;" rel="{expected}">x</a>'


@pytest.mark.proves("P-315")
def test_no_part_of_a_link_is_hidden_and_no_title_lies() -> None:
    html = (
        '<a href="https://evil.example/x" title="https://good.example"><span class="invisible">https://evil.example/</span>'
        "good.example</a>"
    )

    cleaned = clean(html)

    assert "invisible" not in cleaned
    assert "title" not in cleaned
    assert plain(cleaned) == "https://evil.example/good.example"


@pytest.mark.proves("P-313")
@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<a",
            "<a ",
            '"',
            "\\",
            "<",
            ">",
            "&",
            "&#",
            "</p>",
            "<b>",
            "<ul><li>",
            "<blockquote>",
            "<p><b>",
            "<a href=x>",
        ),
        *("<!--", "<svg><math>", "<table>", "<i><b><u><em>", "<a a=b ", "<font><b><i><a>", "\0", "<![CDATA["),
    ],
)
def test_a_megabyte_of_anything_is_a_harmless_text(piece: str) -> None:
    cleaned = clean(piece * (1_000_000 // len(piece)))

    assert len(Judge(cleaned).seen) == 1
    assert len(plain(cleaned)) <= MAX_HTML


@pytest.mark.proves("P-111", "P-313")
def test_what_is_too_long_is_cut_and_no_longer_html() -> None:
    assert clean("<b>x</b>" + "y" * MAX_HTML).startswith("<p> x yyy")
    assert clean("<b>x</b>" + "y" * 1000).startswith("<b>x</b>yyy")


@pytest.mark.proves("P-313")
def test_what_has_too_many_tags_is_no_longer_html() -> None:
    assert clean("<b>x</b>" * 5_001).startswith("<p> x  x ")
    assert clean("<b>x</b>" * 4_999).startswith("<b>x</b>")


@pytest.mark.proves("P-313")
@pytest.mark.parametrize("opening", ["<b id={}>", "<CODE lang={}>", "<i/x={}>", "<u\nx='{}>'>", "<font a={}<>"])
@pytest.mark.parametrize("block", ["<p>", "<li>"])
def test_what_opens_again_in_every_block_does_not_swell(opening: str, block: str) -> None:
    made = "".join(opening.format(number) + block for number in range(4_000))

    assert len(clean(made)) < 10 * len(made)


def test_a_few_emphasised_words_in_a_long_text_stay_what_they_are() -> None:
    written = "<p>so <strong lang='de'>sehr</strong></p>" * 10 + "<p>so</p>" * 1_000

    assert clean(written).count("<strong") == 10


@pytest.mark.proves("P-313", "P-100")
@pytest.mark.parametrize("number", ["9" * 5_000, "x" + "f" * 5_000, "0" * 5_000 + "65"])
def test_a_reference_to_no_character_is_text_like_any_other(number: str) -> None:
    text = f"&#{number};ok"

    read = [plain(text), words(text), clean(text + "<" * 10_001), clean(text + "x" * 300_000)]
    assert all("ok" in one for one in read)
    assert links(f'<a rel="me" href="{text}">', "me", "a")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One &lt;b&gt;<br>two</p><p>three</p>", "One <b>\ntwo\n\nthree"),
        ("<ul><li>a</li><li>b</li></ul>c", "a\nb\n\nc"),
        ("<h1>A</h1><p>b</p>\n", "A\nb"),
        ("a &amp;amp; b", "a &amp; b"),
        ("<script>x</script>", ""),
        ("1 < 2", "1 < 2"),
        ("", ""),
    ],
)
def test_plain_text_has_a_line_for_each_block(html: str, text: str) -> None:
    assert plain(html) == text


@pytest.mark.proves("P-315")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada\u202eexe.ada", "Adaexe.ada"),
        ("\u2066Bo\u2069 \u200fCy\u061c", "Bo Cy"),
        ("A\u200bd\u200ca\u2060\ufeff", "Ada"),
        ("Ada\r\nBcc: x\t\0y\x1b[31m", "Ada Bcc: x y[31m"),
        ("a\u200db", "ab"),
        ("\U0001f469\u200d\U0001f4bb Ada", "\U0001f469\u200d\U0001f4bb Ada"),
        ("\u3164\u115f\u00ad", ""),
        ("  Ada   Verne  ", "Ada Verne"),
        ("Ädä 张 آدا", "Ädä 张 آدا"),
        ("x" * 60, "x" * 50),
    ],
)
def test_a_name_looks_like_what_it_is(name: str, shown: str) -> None:
    assert single_line(name, 50) == shown


@pytest.mark.proves("P-315", "P-331")
@given(some.text(), some.integers(min_value=1, max_value=40))
def test_no_name_has_what_is_unseen_or_reorders(name: str, limit: int) -> None:
    shown = single_line(name, limit)

    assert len(shown) <= limit
    assert not [one for one in shown if one != "\u200d" and unicodedata.category(one) in ("Cc", "Zl", "Zp", "Cs")]
    assert not [
        one for one in shown if unicodedata.bidirectional(one) in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI")
    ]


@pytest.mark.proves("P-314", "P-331")
@pytest.mark.parametrize("url", [*SCHEMES, None])
def test_only_web_addresses_are_safe(url: str | None) -> None:
    assert safe_url(url) is None


def test_web_addresses_are_safe_as_they_are() -> None:
    assert safe_url("https://x.example:8443/a?b=c#d") == "https://x.example:8443/a?b=c#d"
    assert safe_url("http://127.0.0.1:8000/") == "http://127.0.0.1:8000/"


@pytest.mark.proves("P-023")
def test_a_link_field_is_what_mastodon_verifies() -> None:
    assert link("https://verne.example/?a=1&b=2") == (
        '<a href="https://verne.example/?a=1&amp;b=2" rel="me nofollow noopener noreferrer" target="_blank">'
        "verne.example/?a=1&amp;b=2</a>"
    )
    assert link("https://verne.example/").endswith(">verne.example</a>")


@pytest.mark.proves("P-314", "P-315")
@pytest.mark.parametrize("value", [*XSS, *SCHEMES])
def test_what_is_no_web_address_is_a_field_of_text(value: str) -> None:
    assert Judge(link(value)).seen == []


def test_what_is_searched_are_the_words_as_they_are_read() -> None:
    said = "<p>An un<b>believ</b>able offer<br/>for <SPAN>cafés &amp; bars</SPAN></p><P>Ask <a href='x'>Bo</a></P><li>1"
    assert " ".join(words(said).split()) == "An unbelievable offer for cafés & bars Ask Bo 1"


@given(some.text(some.sampled_from("<>![]-?/&;#='\" ahrefl\n\0"), max_size=300))
def test_the_links_of_any_page_can_be_asked_for(page: str) -> None:
    assert all("rel" in one for one in links(page, "a", "a", "link"))


def test_links_are_found_up_to_what_makes_no_sense() -> None:
    page = '<A REL="Me x" HREF=/1><link rel=me><p rel=me><a rel=you href=/2><![foo[bar]]><a rel=me href=/3>'
    assert links(page, "me", "a", "link") == [{"rel": "Me x", "href": "/1"}, {"rel": "me"}]


def test_a_beginning_ends_with_a_block_and_never_within_one() -> None:
    html = "<p>1</p>\n<ul>\n<li><p>2</p></li>\n<li>3</li>\n</ul>\n<blockquote><p>4</p></blockquote>"

    beginnings = [beginning(html, limit) for limit in range(8, len(html) + 1)]

    parts = ("<p>1</p>", html.partition("\n<blockquote>")[0], html)
    assert tuple(dict.fromkeys(beginnings)) == parts
    assert all(len(one) <= limit for limit, one in enumerate(beginnings, 8))


def test_the_beginning_of_one_long_block_is_its_first_words() -> None:
    assert beginning("<p>a <em>b c</em> &lt;d and so on</p>", 28) == "<p>a b c &lt;d…</p>"
