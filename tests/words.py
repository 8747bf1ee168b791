"""Brings the catalogues up to date with what pages say. `make words` does that; what is new waits for translation."""

from __future__ import annotations

from contextlib import redirect_stderr
from io import BytesIO, StringIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
CATALOGUES = ROOT / "web" / "translations"
ROOMS = ("activitypub", "federation", "coop", "web")
SOURCES = (*(f"{room}/**/*.py" for room in ROOMS), "boxroom/*.py", "web/templates/**/*.html", "web/templates/**/*.atom")
# What is raised is said by the page that tells of it. What another server got wrong on the wire is for its engineers,
# and stays in English: of that, only what may be about what somebody typed or asked for.
KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None, "NN_": (1, 2), "HTTPException": (2,)}
HISTORY = (b'"Project', b'"Report', b'"POT', b'"PO-', b'"Last', b'"Language-Team', b'"Generated')
KEYWORDS |= dict.fromkeys(
    ("Sentence", "Trouble", "NotFound", "NotAllowed", "Conflict", "Unreachable", "Refused", "Gone", "TooOften")
)
ABOUT_ASKING = ("activitypub/webfinger.py", "federation/answer.py", "federation/client.py", "federation/discovery.py")
ASKING = dict.fromkeys(("Malformed", "Forbidden", "Exhausted"))


def said() -> Catalog:
    """All that pages say, as it stands in the source."""
    found = Catalog()
    for file in sorted(one for pattern in SOURCES for one in ROOT.glob(pattern)):
        where = [(file.relative_to(ROOT).as_posix(), 1)]
        for _, words, _, _ in _in(file):
            found.add(words, locations=where)
    return found


def _in(file: Path) -> list[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    method = "python" if file.suffix == ".py" else "jinja2.ext:babel_extract"
    options = {"newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    known = KEYWORDS | (ASKING if file.relative_to(ROOT).as_posix() in ABOUT_ASKING else {})
    with redirect_stderr(StringIO()):  # it tells of each f-string; in what is said at once ruff finds them
        return list(extract_from_file(method, str(file), keywords=known, options=options))


def files() -> list[Path]:
    return sorted(CATALOGUES.glob("*/LC_MESSAGES/boxroom.po"))


def read(file: Path) -> Catalog:
    return read_po(BytesIO(file.read_bytes()), locale=file.parent.parent.name)


def main() -> None:
    for file in files():
        known = read(file)
        known.update(said(), no_fuzzy_matching=True, update_creation_date=False)
        file.write_bytes(written(known))
        waiting = sum(not is_said(one.string) for one in known if one.id)
        print(f"{file.parent.parent.name}: {len(known)} sentences, of which {waiting} wait for their translation")


def written(known: Catalog) -> bytes:
    """A catalogue as it is kept: without who and when, which its history tells."""
    out = BytesIO()
    write_po(out, known, width=120, ignore_obsolete=True, sort_by_file=True, include_lineno=False)
    kept = [line for line in out.getvalue().splitlines(keepends=True) if not line.startswith(HISTORY)]
    return b"".join(kept)


def is_said(words: object) -> bool:
    return all(words) if isinstance(words, tuple) else bool(words)


if __name__ == "__main__":
    main()
