"""What only whoever is logged in sees and hears, and what of others is let into the house."""

from __future__ import annotations

from tests.guards.guard import Guard

LIVE = "web/pages/live.py"
SEEN = "web/pages/seen.py"
MEDIA = "coop/media.py"
REMOTE = "coop/remote_media.py"

GUARDS = (
    Guard(
        LIVE,
        " or not await _is_in(here, browser, account)",
        "",
        "test_live.py::test_nobody_listens_without_a_login_nor_after_it",
    ),
    Guard(
        LIVE,
        "if self._windows[account] >= self.most:",
        "if False:",
        "test_live.py::test_nobody_has_more_windows_open_than_they_can_look_through",
    ),
    Guard(
        MEDIA,
        "Media.name.in_(names), Media.owner == owner, Media.object.is_(None), ~Media.on_profile",
        "Media.name.in_(names), Media.object.is_(None), ~Media.on_profile",
        "test_writing.py::test_nobody_sees_or_attaches_the_uploads_of_another",
    ),
    Guard(
        SEEN,
        " or not access.may_read(db, row, reader)",
        "",
        "test_seen.py::test_who_may_not_read_a_post_sees_no_picture_of_it",
    ),
    Guard(
        REMOTE,
        "if await self.here.blocks(host(url)):",
        "if False:",
        "test_seen.py::test_nothing_is_fetched_from_a_server_that_is_blocked",
    ),
    Guard(
        REMOTE,
        "(row.name is None and row.fetched < now - AGAIN)",
        "row.name is None",
        "test_seen.py::test_what_is_no_picture_is_not_shown_and_not_asked_for_again_at_once",
    ),
)
