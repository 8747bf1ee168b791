from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.html import clean, plain
from activitypub.markdown import addresses, from_text, hashtags
from tests.activitypub.documents import SCHEMES, XSS
from tests.activitypub.test_html import Judge

HOME = "https://ada.example"
BO = {"bo@bo.example": ("https://bo.example/@bo", "bo")}
MENTION = '<span class="h-card"><a href="https://bo.example/@bo" class="u-url mention">@<span>bo</span></a></span>'
HASHTAG = '<a href="https://ada.example/tags/work" class="mention hashtag" rel="tag">#<span>Work</span></a>'

OPENED = '<a href="https://x.example" rel="nofollow noopener noreferrer">'


def linked(url: str) -> str:
    return f'<a href="{url}" rel="nofollow noopener noreferrer">{url}</a>'


@pytest.mark.proves("P-212")
@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Hello @bo@bo.example!", f"<p>Hello {MENTION}!</p>"),
        ("(@Bo@BO.example)", f"<p>({MENTION})</p>"),
        ("**@bo@bo.example**", f"<p><strong>{MENTION}</strong></p>"),
        ("@cy@cy.example", "<p>@cy@cy.example</p>"),
        ("mail bo@bo.example", "<p>mail bo@bo.example</p>"),
        ("x@bo@bo.example", "<p>x@bo@bo.example</p>"),
        ("`@bo@bo.example`", "<p><code>@bo@bo.example</code></p>"),
        ("[@bo@bo.example](https://x.example)", f"<p>{OPENED}@bo@bo.example</a></p>"),
        ("for #Work.", f"<p>for {HASHTAG}.</p>"),
        ("#Work first", f"<p>{HASHTAG} first</p>"),
        ("\\#Work", "<p>#Work</p>"),
        ("no#Work, #1, a/#Work", "<p>no#Work, #1, a/#Work</p>"),
        ("#Über_1", f"<p>{HASHTAG.replace('work', '%C3%BCber_1').replace('Work', 'Über_1')}</p>"),
    ],
)
def test_mentions_and_hashtags_are_marked_up_as_mastodon_does(text: str, html: str) -> None:
    assert from_text(text, HOME, BO) == html


@pytest.mark.parametrize(
    ("text", "url", "after"),
    [
        ("https://x.example", "https://x.example", ""),
        ("https://x.example/a_b_c/_d_/*e*", "https://x.example/a_b_c/_d_/*e", "*"),
        ("https://x.example/(a).", "https://x.example/(a)", "."),
        ("https://x.example/a)", "https://x.example/a", ")"),
        ("http://x.example/#work", "http://x.example/#work", ""),
        ("https://x.example/@bo@bo.example", "https://x.example/@bo@bo.example", ""),
    ],
)
def test_an_address_becomes_a_link_without_the_sentence_around_it(text: str, url: str, after: str) -> None:
    assert from_text(text, HOME, BO) == f"<p>{linked(url)}{after}</p>"


@pytest.mark.proves("P-213")
@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# A\n\n## B", "<h1>A</h1>\n<h2>B</h2>"),
        ("one\ntwo\n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>"),
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>"),
        ("> q", "<blockquote>\n<p>q</p>\n</blockquote>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>'),
        ("```js\n<x>&\n```", "<pre><code>&lt;x&gt;&amp;\n</code></pre>"),
        ("---", "<p>---</p>"),
        ("<b>raw</b> &amp; <!-- x -->", "<p>&lt;b&gt;raw&lt;/b&gt; &amp; &lt;!-- x --&gt;</p>"),
        (
            '[x](https://x.example "title")',
            '<p><a href="https://x.example" rel="nofollow noopener noreferrer">x</a></p>',
        ),
        ("| a |\n|---|\n| b |", "<p>| a |<br>\n|---|<br>\n| b |</p>"),
        ("", ""),
    ],
)
def test_markdown_becomes_only_what_every_server_shows(text: str, html: str) -> None:
    assert from_text(text, HOME) == html


@pytest.mark.proves("P-213")
def test_an_image_becomes_a_link_to_it() -> None:
    assert "<img" not in from_text("![a cat](https://x.example/cat.png)", HOME)
    assert 'href="https://x.example/cat.png"' in from_text("![a cat](https://x.example/cat.png)", HOME)


def test_who_is_mentioned_is_known_before_anything_is_rendered() -> None:
    text = "@Bo@Bo.example and @cy@cy.example, @bo@bo.example, `@no@code.example` \\@no@escaped.example"

    assert addresses(text) == ("bo@bo.example", "cy@cy.example")


def test_hashtags_are_found_once_as_first_written() -> None:
    assert hashtags("#Work #play #work `#code` https://x.example/#frag [#linked](https://x.example)") == (
        "Work",
        "play",
    )


@pytest.mark.proves("P-213", "P-314")
@given(
    some.lists(
        some.sampled_from([*XSS, *SCHEMES, "[", "](", ")", "<", ">", "`", "@bo@bo.example", "#a", "\n", "*", "![x]("])
    )
)
def test_what_we_write_is_harmless_whatever_is_typed(parts: list[str]) -> None:
    html = from_text(" ".join(parts), HOME, BO)

    assert Judge(html, ours=True).seen == Judge(clean(html)).seen
    assert plain(clean(html)) == plain(html)


@pytest.mark.proves("P-313")
@pytest.mark.parametrize("piece", [":", "x: ", "http:", "https://a.example/"])
def test_colons_are_no_more_work_than_other_characters(piece: str) -> None:
    assert plain(from_text(piece * (60_000 // len(piece)), HOME))


@pytest.mark.proves("P-314")
@pytest.mark.parametrize("url", SCHEMES)
def test_a_link_that_is_typed_leads_to_the_web_or_to_mail_or_nowhere(url: str) -> None:
    for typed in (f"[x](<{url}>)", f"[x]({url})", f"<{url}>", url):
        Judge(from_text(typed, HOME), ours=True)
