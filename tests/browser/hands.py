"""Somebody at a page who has no mouse: they go from thing to thing, and know each by the name that it has."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.boxroom.house import PATIENCE

MANY = 120  # things on a page that one may have to pass
NAMED = """() => { const e = document.activeElement; if (e === document.body) return '';
  return (e.labels?.[0] || e).innerText?.trim() || e.getAttribute('aria-label') || e.value || ''; }"""
OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"


class Keyboard:
    """Every step is a key; wherever one comes by can be seen to have the focus."""

    def __init__(self, page: Page) -> None:
        self.page = page
        # From now on, and not only while one is awaited: the browser learns of that later than of a key.
        page.on("filechooser", lambda _: None)

    def is_at(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading, timeout=1_000 * PATIENCE)

    def goes_to(self, name: str) -> None:
        """Press the tabulator until what has the focus is called that."""
        passed = [self._here()]
        while not any(line.startswith(name) for line in passed[-1].splitlines()):
            assert len(passed) < MANY, (name, passed)
            self.page.keyboard.press("Tab")
            passed.append(self._here())
        assert self.page.evaluate(OUTLINE) != "none", name

    def types(self, name: str, words: str) -> None:
        self.goes_to(name)
        self.page.keyboard.type(words)

    def unfolds(self, name: str) -> None:
        """Open what is folded, and go on to what is in it."""
        self.goes_to(name)
        self.page.keyboard.press("Enter")
        self.page.keyboard.press("Tab")

    def chooses(self, name: str) -> None:
        """What is ticked, as a box is."""
        self.goes_to(name)
        self.page.keyboard.press("Space")

    def presses(self, name: str) -> None:
        """What leads to another page."""
        self.goes_to(name)
        self.leads_away("Enter")

    def leads_away(self, key: str) -> None:
        with self.page.expect_navigation(timeout=1_000 * PATIENCE):
            self.page.keyboard.press(key)

    def adds(self, name: str, file: Path) -> None:
        """Choose a file, which the system's own window would ask for."""
        self.goes_to(name)
        with self.page.expect_file_chooser(timeout=1_000 * PATIENCE) as chooser:
            self.page.keyboard.press("Space")
        chooser.value.set_files(file)

    def _here(self) -> str:
        return str(self.page.evaluate(NAMED))
