"""What visitors, other servers and search engines come up against at a studio's pages, and who reads whose letters."""

from __future__ import annotations

from tests.guards.guard import Guard

AFAR = "web/pages/afar.py"
SITEMAP = "web/sitemap.py"
NAMES = "coop/names.py"
LETTERS = "coop/correspondence.py"
LED = "test_afar.py::test_nobody_is_led_to_a_server_that_is_not_theirs"
LISTED = "test_face.py::test_only_what_is_public_is_listed"
FOUND = "test_face.py::test_only_who_wants_to_be_found_is_listed"
STRIP = "test_face.py::test_pictures_that_everybody_may_see_are_a_strip"
THEIRS = "test_correspondence.py::test_conversations_of_others_are_not_there"

GUARDS = (
    # From one's own server (P-330)
    Guard("activitypub/webfinger.py", "url and origin(url) == origin(home)", "url", LED),
    Guard("activitypub/webfinger.py", 'if "{uri}" in one', "if one", LED),
    Guard(
        AFAR,
        "    _check(here, about)\n    try:",
        "    try:",
        "test_afar.py::test_a_page_of_ours_speaks_for_nothing_else",
    ),
    Guard(
        AFAR,
        "if name and (wait := allowance.take(name)):",
        "if name and (wait := 0):",
        "test_afar.py::test_neither_one_visitor_nor_many_make_us_ask_without_end",
    ),
    Guard(
        "web/session.py",
        "    check_origin(request)\n    kind",
        "    kind",
        "test_afar.py::test_no_other_page_has_browsers_ask_for_servers",
    ),
    # What is listed and shown
    Guard(SITEMAP, "(Account.discoverable, ~Account.suspended)", "(~Account.suspended,)", FOUND),
    Guard(SITEMAP, " if Profile.read(Document(one.document)).indexable]", "]", FOUND),
    Guard(SITEMAP, 'Object.visibility == "public", Object.deleted.is_(None)', "Object.deleted.is_(None)", LISTED),
    Guard(SITEMAP, "Object.deleted.is_(None), Object.reply_to.is_(None)", "Object.reply_to.is_(None)", LISTED),
    Guard(SITEMAP, "Project.public, Actor.local", "Actor.local", LISTED),
    Guard("web/pages/public.py", 'Object.visibility == "public", Object.deleted', "Object.deleted", STRIP),
    Guard(
        "web/rendering.py",
        'for sign in "<>&":',
        'for sign in "":',
        "test_face.py::test_nothing_that_is_said_ends_what_is_said_to_programs",
    ),
    # Searching
    Guard(
        NAMES,
        "query = query.where(~blocks.shuts_out(account))",
        "pass",
        "test_searching.py::test_nobody_is_found_across_a_block",
    ),
    Guard(
        NAMES,
        ", or_(mine, Project.public))",
        ")",
        "test_searching.py::test_of_projects_that_do_not_show_themselves_only_members_hear",
    ),
    # Letters
    Guard(LETTERS, "rows.where(Letter.account == account, Letter.circle", "rows.where(Letter.circle", THEIRS),
    Guard(
        LETTERS,
        "Letter.object <= until, ",
        "",
        "test_correspondence.py::test_what_came_since_a_page_was_made_stays_unread",
    ),
    Guard(
        LETTERS,
        "if blocked := tx.db.scalar(shut.limit(1)):",
        "if blocked := None:",
        "test_correspondence.py::test_an_answer_that_cannot_go_keeps_what_was_typed",
    ),
)
