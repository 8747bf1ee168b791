"""The filters of templates: what others wrote is harmless where it comes out, whatever was done where it came in."""

from __future__ import annotations

import pytest

from tests.web.pages import check_harmless
from tests.web.test_pages import ATTACKS
from web.rendering import clean, excerpt, start


@pytest.mark.proves("P-314")
@pytest.mark.parametrize("attack", ATTACKS)
def test_what_comes_out_is_harmless_even_if_it_came_in_unclean(attack: str) -> None:
    check_harmless(str(clean(f"<p>{attack}</p>")), "https://attic.example")


def test_headings_of_others_stand_below_those_of_the_page() -> None:
    shown = clean("<h1>One</h1><h2>Two</h2><h3 lang='de'>Drei</h3><h4>Four</h4><h6>Six</h6><p>h1 &lt;h1&gt;</p>")

    assert shown == ('<h3>One</h3><h4>Two</h4><h5 lang="de">Drei</h5><h6>Four</h6><h6>Six</h6><p>h1 &lt;h1&gt;</p>')


def test_the_beginning_of_text_is_text_already() -> None:
    assert start("1 <b> & &amp; 2") == "1 <b> & &amp; 2"
    assert excerpt("<p>1 &lt;b&gt;</p><p>2</p>") == "1 <b> 2"
    assert start("word " * 9, 12) == "word word…"
