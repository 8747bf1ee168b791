"""What is written down: lines with names, no keys; and when the clock is wrong."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as some

from boxroom import clock, logs
from boxroom.cli.printing import clean
from coop.accounts import new_keys
from tests.boxroom.house import House, found


def test_a_log_line_has_a_time_a_level_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")

    structlog.get_logger().info("delivery.arrived", lane="attic.example")
    structlog.get_logger().debug("too.much")

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("timestamp=")
    assert line.endswith("level=info event=delivery.arrived lane=attic.example")


@pytest.mark.proves("P-079", "P-336")
def test_a_private_key_in_an_error_is_not_written_down(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug")
    pair = new_keys()

    structlog.get_logger().info("key.used", key=pair.rsa, nested={"keys": [pair.ed25519]})
    structlog.get_logger().error("key.failed", exc_info=ValueError(pair.rsa))

    written = capsys.readouterr().err
    assert "withheld" in written
    for pem in (pair.rsa, pair.ed25519):
        assert pem.splitlines()[1] not in written


@pytest.mark.proves("P-079", "P-336")
def test_a_server_that_works_writes_down_neither_keys_nor_words(tmp_path: Path) -> None:
    ada, bo = found(tmp_path / "ada"), found(tmp_path / "bo", "bo")
    with ada.open(BOXROOM_LOG_LEVEL="debug"), bo.open(BOXROOM_LOG_LEVEL="debug"):
        bo.does("follow", ada.address)
        bo.waits_for("following", until="accepted")
        ada.does("post", "Nobody else should read of the blue heron", "--visibility", "followers")
        bo.waits_for("feed", until="blue heron")
        assert "blue heron" not in bo.fails("lookup", f"{ada.url}/notes/none")

    for house in (ada, bo):
        assert "server.started" in house.log
        assert "PRIVATE KEY" not in house.log
        assert "blue heron" not in house.log


def test_a_log_level_that_there_is_not_is_named(house: House) -> None:
    with house.starts("serve", "--port", "0", BOXROOM_LOG_LEVEL="loud") as server:
        assert server.wait(60) == 1
    assert "log_level is one of" in house.log


@pytest.mark.proves("P-056")
@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, None),
        (60, None),
        (-60, None),
        (61, "61 seconds ahead"),
        (-61, "61 seconds behind"),
        (299, "299 seconds ahead"),
        (301, "refuse what we send"),
        (-3600, "refuse what we send"),
    ],
)
def test_the_operator_is_warned_of_a_clock_that_is_more_than_a_minute_off(seconds: int, said: str | None) -> None:
    found = clock.complaint(timedelta(seconds=seconds))

    assert (found is None) if said is None else (found is not None and said in found)


def test_a_clock_that_nobody_compared_is_not_complained_of() -> None:
    assert clock.complaint(None) is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines", "two lines"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]0;title\x07", "]0;title"),
        ("a\u202eb", "ab"),
        ("\x9b2J", "2J"),
        ("👩\u200d🔧", "👩\u200d🔧"),
    ],
)
def test_nothing_that_others_wrote_moves_the_cursor(said: str, shown: str) -> None:
    assert clean(said) == shown


@given(some.text())
def test_what_is_printed_has_no_control_character(said: str) -> None:
    assert not {"Cc", "Zl", "Zp"} & {unicodedata.category(one) for one in clean(said)}
