"""What an operator may decide: read once, refused by name, and documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxroom.settings import FILE, PREFIX, Settings, Wrong, load, write

DOCS = Path(__file__).parent.parent.parent / "docs" / "settings.md"


@pytest.mark.parametrize("name", Settings.__struct_fields__)
def test_every_setting_is_in_the_documentation(name: str) -> None:
    text = DOCS.read_text()

    assert f"| `{name}` | `{PREFIX}{name.upper()}` |" in text


def test_no_setting_is_documented_that_does_not_exist() -> None:
    rows = [line.split("`")[1] for line in DOCS.read_text().splitlines() if line.startswith("| `")]

    assert rows == list(Settings.__struct_fields__)


def test_the_environment_counts_more_than_the_file(tmp_path: Path) -> None:
    write(tmp_path, Settings(url="https://garage.example", log_level="debug"))

    settings = load(tmp_path, {"BOXROOM_LOG_LEVEL": "error", "BOXROOM_TRUSTED_PROXIES": "10.0.0.1 10.0.0.2"})

    assert (settings.url, settings.log_level) == ("https://garage.example", "error")
    assert settings.trusted_proxies == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("written", "environment", "said"),
    [
        ('url = "https://a.example"\ncolour = "red"', {}, "colour"),
        ('url = "https://a.example"', {"BOXROOM_COLOUR": "red"}, "colour"),
        ('url = "https://a.example"', {"BOXROOM_ALLOW_PRIVATE_NETWORK": "perhaps"}, "allow_private_network"),
        ('url = "a.example"', {}, "url"),
        ("", {}, "url"),
        ("url = ", {}, "TOML"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    tmp_path: Path, written: str, environment: dict[str, str], said: str
) -> None:
    (tmp_path / FILE).write_text(written)

    with pytest.raises(Wrong, match=said):
        load(tmp_path, environment)


def test_an_address_is_kept_without_a_slash_at_its_end(tmp_path: Path) -> None:
    assert load(tmp_path, {"BOXROOM_URL": "https://Garage.example/"}).url == "https://garage.example"
