"""Setting up a studio: what is there afterwards, and that nothing is when it fails."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner

from activitypub import identity, keys
from boxroom.cli import main
from boxroom.settings import FILE
from tests.boxroom import disks
from tests.boxroom.house import House, found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.proves("P-079")
def test_a_new_studio_is_for_its_own_user_alone(tmp_path: Path) -> None:
    house = found(tmp_path / "deep" / "data")

    assert mode(house.folder) == 0o700
    assert {file.name: mode(file) for file in house.folder.iterdir()} == {FILE: 0o600, "boxroom.db": 0o600}


def test_a_new_studio_has_one_account_and_the_server_itself_with_two_keys_each(house: House) -> None:
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database:
        actors = dict(database.execute("SELECT type, name FROM actors"))
        [keys] = database.execute("SELECT count(*) FROM keys WHERE private IS NOT NULL")

    assert actors == {"Application": "Boxroom", "Person": "Ada in the attic"}
    assert keys == (4,)
    assert house.shows("whoami")["address"] == house.address


def test_a_studio_of_several_is_an_organization(tmp_path: Path) -> None:
    assert found(tmp_path / "data", "garage", "--kind", "studio").shows("whoami")["type"] == "Organization"


@pytest.mark.parametrize(("allowed", "is_told"), [("true", False), ("false", True)])
def test_an_http_address_is_questioned_unless_private_addresses_are_allowed(
    tmp_path: Path, allowed: str, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXROOM_ALLOW_PRIVATE_NETWORK", allowed)
    arguments = ("--url", "http://127.0.0.1:8000", "--handle", "ada", "--data", str(tmp_path / "data"))

    result = CliRunner().invoke(main, ["init", *arguments])

    assert result.exit_code == 0
    assert ("BOXROOM_ALLOW_PRIVATE_NETWORK" in result.stderr) is is_told


def test_a_studio_is_never_set_up_over_another(house: House) -> None:
    before = (house.folder / "boxroom.db").read_bytes()

    line = house.fails("init", "--url", "https://other.example", "--handle", "bo")

    assert "already" in line
    assert (house.folder / "boxroom.db").read_bytes() == before


@pytest.mark.skipif(not disks.can_be_mounted(), reason="nobody may mount anything here")
def test_on_a_full_disk_nothing_is_left_half_done(tmp_path: Path) -> None:
    house = House(tmp_path / "data", "")
    house.folder.mkdir()

    result = disks.runs_on("full", house, "init", "--url", "https://a.example", "--handle", "ada", room=500)

    assert result.returncode == 1
    assert "make room, and then do it again" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear Bo")

    line = House(tmp_path, "").fails("init", "--url", "https://a.example", "--handle", "ada")

    assert "not empty" in line
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("url", "handle", "said"),
    [
        ("https://a.example", "not a handle", "a handle has"),
        ("a.example", "ada", "url has to be an address"),
        ("https://a.example/blog", "ada", "without a path"),
        ("ftp://a.example", "ada", "url has to be an address"),
    ],
)
def test_what_cannot_be_set_up_leaves_nothing_behind(tmp_path: Path, url: str, handle: str, said: str) -> None:
    house = House(tmp_path / "data", "")

    assert said in house.fails("init", "--url", url, "--handle", handle)
    assert not list(tmp_path.rglob("*.*"))


def test_a_password_is_kept_as_its_hash_alone(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct horse battery\n")

    house = found(tmp_path / "data", "ada", "--password-file", str(secret))

    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database:
        [(kept,)] = database.execute("SELECT password FROM accounts")
    assert kept.startswith("$argon2id$")
    assert PasswordHasher().verify(kept, "correct horse battery")
    assert b"correct horse" not in (house.folder / "boxroom.db").read_bytes()


def test_a_short_password_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2")
    house = House(tmp_path / "data", "")

    line = house.fails("init", "--url", "https://a.example", "--handle", "ada", "--password-file", str(secret))

    assert "10 characters" in line
    assert not house.folder.exists()


@pytest.mark.proves("P-079", "P-244")
def test_a_recovery_key_is_shown_once_and_kept_nowhere(tmp_path: Path, house: House) -> None:
    arguments = ("--url", "https://attic.example", "--handle", "ada", "--data", str(tmp_path / "attic"))
    result = CliRunner().invoke(main, ["init", *arguments])
    [line] = [one for one in result.stdout.splitlines() if "recovery key" in one]
    secret = line.partition(": ")[2]
    raw = identity.load_secret(secret).private_bytes_raw()

    kept = [file.read_bytes() for file in (tmp_path / "attic").iterdir()]
    assert not any(
        form in one
        for one in kept
        for form in (raw, secret.encode(), secret.replace("-", "").encode(), raw.hex().encode())
    )
    paper = tmp_path / "paper"
    paper.write_text(f"{secret}\n")
    assert house.shows("recover", "--key-file", str(paper)) == {
        "key": identity.did(identity.load_secret(secret)),
        "same": [],
    }
    paper.write_text(secret[:-1])
    assert "a letter is missing or wrong" in house.fails("recover", "--key-file", str(paper))
    made = house.shows("recover", "--new")
    assert identity.did(identity.load_secret(made["secret"])) == made["key"]


def test_a_recovery_key_may_be_typed_where_nobody_sees_it(house: House) -> None:
    secret = identity.write_secret(keys.new_ed25519())

    result = CliRunner().invoke(main, ["recover"], env=house.environment, input=f"{secret}\n")

    assert result.exit_code == 0, result.output
    assert secret not in result.output
    assert "Nobody is known here who did so before" in result.stderr
