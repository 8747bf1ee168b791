"""What strangers write, and what becomes of a page in which it stands."""

from __future__ import annotations

from tests.guards.guard import Guard

SHOWN = "web/shown.py"
SAYING = "web/pages/saying.py"
TODAY = "test_today.py::test_"

GUARDS = (
    Guard(
        SHOWN,
        'host(uri) if "://" in uri else uri',
        "host(uri)",
        f"{TODAY}a_complaint_of_another_server_is_news_from_that_server",
    ),
    Guard(
        SHOWN,
        "is_whole or len(note.content) <= BEGINNING",
        "True",
        f"{TODAY}of_a_book_among_other_posts_there_is_the_beginning_and_the_way_to_the_rest",
    ),
    Guard(
        SAYING,
        "rows[first : last + 1]",
        "rows",
        f"{TODAY}a_long_conversation_is_read_in_parts",
    ),
)
