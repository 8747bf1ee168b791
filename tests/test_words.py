"""What pages say: all of it can be translated, and all of it is, into every language that we offer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from jinja2 import Environment, nodes

from tests import words
from tests.words import ROOT, said
from web import languages

PLACES = re.compile(r"%\(\w+\)s|%s|\{\w+\}")
TAGS = re.compile(r"<[^>]*>")
SPOKEN = re.compile(r"[^\W\d_]")
SENTENCE = re.compile(r"[A-Z][a-z]+[ .]?[a-z]*|[a-z]+ [a-z]+")  # and not the name of a class, of a path, of a file
WIRE = re.compile(r"(/|https?://)\S*|\{.*")  # paths, addresses, and what programs write
BEGINNING = re.compile(r"[A-Z][a-z]* [a-z]+")
CALLS = {"_", "gettext", "ngettext", "N_", "NN_"}
ATTRIBUTES = {"placeholder", "title", "alt", "aria-label", "aria-description"}
NOT_READ = {"style", "code", "generator"}  # what is typed or for programs
MUTE = {"kind", "schemes", "style"}  # blocks in which a page says how it looks
NOWHERE = {  # what is said where there is no studio
    "Nobody lives at this address. Check the name that you asked for.\n",
    "There is no studio here yet. It is set up on the machine itself.\n",
}

TEMPLATES = sorted((ROOT / "web/templates").rglob("*.*"))
MODULES = sorted((ROOT / "web").rglob("*.py"))


# --- The catalogues --------------------------------------------------------------------------------------------------


def test_every_language_but_the_first_has_a_catalogue() -> None:
    spoken = {tag.partition("-")[0] for tag in languages.LOCALES}

    assert {file.parent.parent.name for file in words.files()} == spoken - {languages.FIRST}


@pytest.mark.parametrize("file", words.files(), ids=lambda file: file.parent.parent.name)
def test_catalogues_say_all_that_pages_say_and_nothing_else(file: Path) -> None:
    """`make words` brings what is new; then it waits for its translation."""
    known = words.read(file)

    assert {one.id for one in known if one.id} == {one.id for one in said() if one.id}
    assert [one.id for one in known if one.id and (one.fuzzy or not words.is_said(one.string))] == []


@pytest.mark.parametrize("file", words.files(), ids=lambda file: file.parent.parent.name)
def test_translations_have_the_same_places_and_tags(file: Path) -> None:
    wrong = [one.id for one in words.read(file) if one.id and not _fits(one)]

    assert wrong == []


def _fits(message: Message) -> bool:
    ours, theirs = ((one,) if isinstance(one, str) else tuple(one or ()) for one in (message.id, message.string))
    return bool(theirs) and {_marks(one) for one in theirs} <= {_marks(one) for one in ours}


def _marks(words: str) -> tuple[str, ...]:
    return *sorted(PLACES.findall(words)), *sorted(TAGS.findall(words))


# --- The sources -----------------------------------------------------------------------------------------------------


class _Read(HTMLParser):
    """What people read of a page, or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NOT_READ:
            self._within.append(tag)
        self.found += [value for name, value in attrs if name in ATTRIBUTES and value and _is_spoken(value)]

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if not self._within and _is_spoken(data.strip()):
            self.found.append(data.strip())


def _is_spoken(words: str) -> bool:
    return bool(SPOKEN.search(words)) and not WIRE.fullmatch(words)


def unsaid(template: str) -> list[str]:
    """What of a template would be in English in every language."""
    tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(template)
    parser = _Read()
    mute = {id(one) for block in tree.find_all(nodes.Block) if block.name in MUTE for one in _data(block)}
    parser.feed("".join(one.data for one in _data(tree) if id(one) not in mute))
    spared = {id(one) for over in tree.find_all((nodes.Call, nodes.Compare)) if _spares(over) for one in _consts(over)}
    spared |= {id(one.key) for one in tree.find_all(nodes.Pair)}
    return parser.found + [one.value for one in _consts(tree) if id(one) not in spared and SENTENCE.search(one.value)]


def _spares(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Compare) or (
        isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in CALLS
    )


def _data(node: nodes.Node) -> list[nodes.TemplateData]:
    return [*node.find_all(nodes.TemplateData)]


def _consts(node: nodes.Node) -> list[nodes.Const]:
    return [one for one in node.find_all(nodes.Const) if isinstance(one.value, str)]


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_no_template_says_anything_past_the_catalogues(file: Path) -> None:
    assert unsaid(file.read_text()) == []


def test_what_is_said_past_the_catalogues_is_found() -> None:
    assert unsaid("<p>Hello</p>") == ["Hello"]
    assert unsaid('<input placeholder="Your name">') == ["Your name"]
    assert unsaid('{{ "Say it" if x else _("Answer") }}') == ["Say it"]
    assert unsaid('{{ act("like", "Like it") }}') == ["Like it"]
    assert unsaid('{% set said = {"so it is": "So it is"} %}') == ["So it is"]
    assert unsaid('{% trans %}Hello{% endtrans %}<code>boxroom init</code>{% if x == "Note it" %}{% endif %}') == []
    assert unsaid('{% block anew %}/today?before={{ x }}{% endblock %}<input placeholder="https://…">') == []


def past(source: str) -> Iterator[str]:
    """Sentences in a module that nobody translates, but for its docstrings."""
    tree = ast.parse(source)
    spared = {id(one) for call in ast.walk(tree) if _says(call) for one in ast.walk(call)}
    spared |= {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    for one in ast.walk(tree):
        if isinstance(one, ast.Constant) and id(one) not in spared and BEGINNING.match(str(one.value)):
            yield str(one.value)


def _says(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.name)
def test_no_module_of_the_pages_says_anything_past_the_catalogues(file: Path) -> None:
    assert [one for one in past(file.read_text()) if one not in NOWHERE] == []


def test_what_a_module_says_past_the_catalogues_is_found() -> None:
    assert [*past('"""A doc."""\nx = f"It was not said: {y}."\nz = _("It was said")')] == ["It was not said: "]
