"""What scripts rely on: names, options, exit status, one line for every error; and what is not imported."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from operator import itemgetter
from pathlib import Path

import click
import pytest

from boxroom.cli import COMMANDS, main
from tests.boxroom.house import HEAVY, TELLING, House

DOCS = Path(__file__).parent.parent.parent / "docs"


def commands() -> list[tuple[str, click.Command]]:
    """Every command with its whole name, as ``offer create``."""
    found: list[tuple[str, click.Command]] = []
    with click.Context(main) as ctx:
        for name in COMMANDS:
            command = main.get_command(ctx, name)
            assert command is not None
            inner = command.commands if isinstance(command, click.Group) else {}
            found += [(name, command), *((f"{name} {one}", inner[one]) for one in inner)]
    return sorted(found, key=itemgetter(0))


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_says_what_it_does_and_takes_a_data_folder(name: str, command: click.Command) -> None:
    options = {option for parameter in command.params for option in parameter.opts}

    assert command.help
    assert command.help.rstrip(".")
    assert "--data" in options


@pytest.mark.parametrize(("name", "command"), commands())
def test_the_list_of_commands_says_of_each_what_it_says_of_itself(name: str, command: click.Command) -> None:
    if name not in COMMANDS:
        return
    listed = COMMANDS[name][1].rstrip(".")

    assert (command.help or "").startswith(listed)


@pytest.mark.parametrize(
    "name",
    [
        *("status", "whoami", "profile", "feed", "notifications", "outbox", "lookup", "followers", "following", "post"),
        *("edit", "replay", "reports list", "doctor", "offer create", "offer list", "offer show", "offer respond"),
        *("project create", "project list", "project show", "project invite"),
        *("offer counter", "agreement list", "agreement show", "agreement verify", "agreement done", "agreement open"),
        *("commitments", "commitment create", "commitment change", "commitment show"),
    ],
)
def test_what_prints_data_prints_json_too(name: str) -> None:
    command = dict(commands())[name]

    assert "--json" in {option for parameter in command.params for option in parameter.opts}


def test_the_folder_is_taken_before_and_after_the_command_and_from_the_environment(house: House) -> None:
    house.folder.rename(house.folder.with_name("elsewhere"))
    there = str(house.folder.with_name("elsewhere"))

    before = json.loads(house.does("--data", there, "whoami", "--json"))
    after = json.loads(house.does("whoami", "--data", there, "--json"))
    between = json.loads(house.does("project", "--data", there, "list", "--json"))
    assert before == after
    assert between == {"projects": [], "kept": [], "invitations": [], "requests": []}
    assert "no studio in" in house.fails("whoami")


def test_help_is_there_for_every_command(house: House) -> None:
    text = house.does("--help")

    for name, (_, summary) in COMMANDS.items():
        assert name in text
        assert " ".join(summary.split()[:3]) in text
    for name, _ in commands():
        assert "Usage: boxroom" in house.does(*name.split(), "--help")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("follow",),
        ("post", "a", "b"),
        ("post", "a", "--visibility", "secret"),
        ("post", "a", "--alt", "of what?"),
        ("offer",),
        ("offer", "create", "--title", "x"),
        ("offer", "create", "--title", "x", "--text", "x", "--amount", "many", "--currency", "EUR"),
        ("offer", "create", "--title", "x", "--text", "x", "--amount", "4--5", "--currency", "EUR"),
        ("offer", "create", "--title", "x", "--text", "x", "--amount", "5"),
        ("offer", "create", "--title", "x", "--text", "x", "--amount", "5-", "--currency"),
        ("offer", "create", "--title", "x", "--text", "x", "--amount", "5-x", "--currency", "EUR"),
        ("offer", "create", "--title", "x", "--text", "x", "--until", "soon"),
        ("offer", "create", "--title", "x", "--text", "x", "--amount", "-", "--currency", "EUR"),
        ("offer", "counter", "x", "--text", "x", "--amount", "-1"),
        ("feed", "--limit", "0"),
        ("serve", "--port", "http"),
        ("backup", "x"),
    ],
)
def test_what_cannot_be_understood_ends_with_status_2(house: House, arguments: tuple[str, ...]) -> None:
    result = house.runs(*arguments)

    assert result.exit_code == 2
    assert "Traceback" not in result.output
    if arguments != ("offer",):  # which prints its help
        [line] = result.stderr.splitlines()
        assert line.startswith("boxroom: ")
        assert "--help" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("whoami", "--as", "bo"), "nobody called bo lives here"),
        (("follow", "ada"), "nobody follows themselves"),
        (("follow", "not an address @"), "is not an address like"),
        (("follow", "bo@127.0.0.1:9"), "127.0.0.1"),
        (("unfollow", "bo@127.0.0.1:9"), "127.0.0.1"),
        (("lookup", "https://"), ""),
        (("post", "  "), "there is nothing in it"),
        (("post", "x", "--visibility", "direct"), "needs somebody to be for"),
        (("post", "x", "--reply-to", "HOME/notes/none"), "there is no"),
        (("edit", "HOME/notes/none", "x"), "there is no post"),
        (("delete", "HOME/notes/none"), "there is no post"),
        (("like", "HOME/notes/none"), "there is no"),
        (("boost", "HOME/notes/none"), "there is no"),
        (("approve", "ada"), "did not ask"),
        (("reject", "ada"), "neither follow you"),
        (("block", "ada"), "cannot block yourself"),
        (("unblock", "nowhere.example"), "is not blocked"),
        (("offer", "show", "HOME/offers/none"), "there is no"),
        (("offer", "fill", "HOME/offers/none"), "there is no"),
        (("offer", "accept", "HOME/x"), "no response"),
        (("offer", "counter", "HOME/x", "--text", "Less?"), "no response"),
        (("agreement", "show", "HOME/x"), "no agreement"),
        (("commitment", "accept", "HOME/x"), "no commitment"),
        (("commitment", "keep", "HOME/x"), "no commitment"),
        (("commitment", "create", "Bakery", "ada", "--text", "Bread"), "no project called Bakery"),
        (("commitments", "--project", "Bakery"), "no project called Bakery"),
        (("agreement", "done", "HOME/x"), "no agreement"),
        (("agreement", "verify", "/dev/null"), "that is no agreement"),
        (("project", "show", "Bakery"), "no project called Bakery"),
        (("project", "accept", "HOME/x"), "`boxroom project list` shows what does"),
        (("project", "join", "ada"), "is no project"),
        (("replay", "17"), "id 17"),
        (("reports", "done", "17"), "no open report 17"),
        (("wake", "quiet.example"), "nothing waits for quiet.example"),
        (("worker",), "needs PostgreSQL"),
    ],
)
def test_what_cannot_be_done_ends_with_status_1_and_one_line(
    house: House, arguments: tuple[str, ...], said: str
) -> None:
    line = house.fails(*(one.replace("HOME", house.url) for one in arguments))

    assert line.startswith("boxroom: ")
    assert said in line
    assert "Traceback" not in line


def test_a_setting_that_cannot_be_is_named(house: House) -> None:
    settings = house.folder / "boxroom.toml"
    settings.write_text(settings.read_text() + "colour = 'red'\n")

    assert "colour" in house.fails("whoami")


def test_a_database_that_is_none_is_one_line(house: House) -> None:
    (house.folder / "boxroom.db").write_bytes(b"something else entirely" * 100)

    assert "the database cannot be used" in house.fails("status")


@pytest.mark.parametrize("arguments", [["--help"], ["whoami"], ["post", "Good morning"], ["status", "--json"]])
def test_a_command_imports_nothing_heavy_that_it_does_not_need(house: House, arguments: list[str]) -> None:
    assert not HEAVY & _imported(house, arguments)


def test_a_table_is_printed_with_what_is_imported_for_it_alone(house: House) -> None:
    assert "rich" in _imported(house, ["profile"])


@pytest.mark.parametrize("page", ["commands.md"])
def test_every_command_is_in_the_documentation(page: str) -> None:
    text = (DOCS / page).read_text()

    for name, command in commands():
        assert f"`boxroom {name}" in text, name
        for option in (option for parameter in command.params for option in parameter.opts):
            if option.startswith("--") and option not in ("--help", "--data", "--json", "--as"):
                assert option in text, (name, option)


def test_no_command_is_documented_that_does_not_exist() -> None:
    known = dict(commands())

    for words in re.findall(
        r"^### `boxroom ([a-z -]+?)(?: [A-Z\[-].*)?`$", (DOCS / "commands.md").read_text(), re.MULTILINE
    ):
        assert words in known, words


def _imported(house: House, arguments: list[str]) -> set[str]:
    """The packages that a command has imported when it ends, in a process of its own."""
    command = [sys.executable, "-c", f"{TELLING}main({arguments!r})"]
    done = subprocess.run(command, env=house.environment, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())
