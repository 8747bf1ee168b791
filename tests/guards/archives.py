"""What was said before: by whoever is newly followed, and in conversations."""

from __future__ import annotations

from tests.guards.guard import Guard

CATALOGUE = "coop/catalogue.py"
CONVERSATIONS = "coop/conversations.py"

GUARDS = (
    # The last posts and open offers of whoever is newly followed
    Guard(
        CATALOGUE,
        "if author_of(document) != whom:",
        "if False:",
        "test_catalogue.py::test_what_an_outbox_says_of_others_is_left_out",
    ),
    Guard(
        CATALOGUE,
        "or not is_beside(uri, self.visit.whom):",
        ":",
        "test_catalogue.py::test_what_an_outbox_says_of_others_is_left_out",
    ),
    Guard(
        CATALOGUE,
        "][: self.left]",
        "]",
        "test_catalogue.py::test_an_outbox_without_an_end_is_read_for_its_last_posts_alone",
    ),
    Guard(
        CATALOGUE,
        "if one and is_beside(one, visit.whom)]",
        "if one]",
        "test_catalogue.py::test_offers_are_fetched_from_their_author_alone_and_only_those_that_are_open",
    ),
    Guard(
        CATALOGUE,
        "_check_author(whom, document)\n\n\n# --- Posts",
        "pass\n\n\n# --- Posts",
        "test_catalogue.py::test_offers_are_fetched_from_their_author_alone_and_only_those_that_are_open",
    ),
    Guard(
        "coop/posts.py",
        "if row is not None and found:",
        "if False:",
        "test_catalogue.py::test_what_was_said_before_notifies_nobody_is_not_passed_on_and_did_not_come_in_a_sleep",
    ),
    Guard(
        "coop/posts.py",
        "number = ids.new(known.published(document, tx.now)) if found else None",
        "number = None",
        "test_catalogue.py::test_what_was_said_before_notifies_nobody_is_not_passed_on_and_did_not_come_in_a_sleep",
    ),
    Guard(
        "coop/faces.py",
        "isinstance(event, Shown) and (event.boosted_by or event.found)",
        "isinstance(event, Shown) and event.boosted_by",
        "test_projects.py::test_a_project_boosts_what_was_sent_to_it_and_not_what_it_found",
    ),
    # What is missing of a conversation
    Guard(
        CONVERSATIONS,
        " or row.above == 0:",
        ":",
        "test_conversations.py::test_what_came_before_is_fetched_up_to_a_hundred_posts_and_some_at_a_time",
    ),
    Guard(
        CONVERSATIONS,
        "tx.now + PAUSE if is_much else None",
        "None",
        "test_conversations.py::test_what_came_before_is_fetched_up_to_a_hundred_posts_and_some_at_a_time",
    ),
    Guard(
        CONVERSATIONS,
        "        if row.below == 0:\n            break\n",
        "",
        "test_conversations.py::test_ten_thousand_answers_are_fetched_no_further_than_anybody_reads",
    ),
    Guard(
        CONVERSATIONS,
        "row.lists -= 1",
        "pass",
        "test_conversations.py::test_lists_of_lists_end_after_some_pages",
    ),
    Guard(
        CONVERSATIONS,
        "if uri and is_beside(uri, one.uri):",
        "if uri:",
        "test_conversations.py::test_a_list_that_leads_elsewhere_is_not_followed",
    ),
    Guard(
        CONVERSATIONS,
        "uri != first.uri and is_beside(uri, first.uri):",
        "uri != first.uri:",
        "test_conversations.py::test_a_list_that_leads_elsewhere_is_not_followed",
    ),
    Guard(
        CONVERSATIONS,
        "if audience.visibility(document, None) not in access.EVERYBODY:",
        "if False:",
        "test_conversations.py::test_a_list_brings_nothing_that_is_no_answer_or_not_for_everybody",
    ),
    Guard(
        CONVERSATIONS,
        "or not (known.is_known(tx.db, answered",
        "or False and not (known.is_known(tx.db, answered",
        "test_conversations.py::test_a_list_brings_nothing_that_is_no_answer_or_not_for_everybody",
    ),
    Guard(
        CONVERSATIONS,
        "if answered in (None, document.id) or",
        "if answered is None or",
        "test_conversations.py::test_a_list_brings_nothing_that_is_no_answer_or_not_for_everybody",
    ),
    Guard(
        CONVERSATIONS,
        "if before is not None and now < _not_before(before):",
        "if False:",
        "test_conversations.py::test_nobody_is_asked_again_soon_and_the_less_came_of_it_the_later",
    ),
    Guard(
        CONVERSATIONS,
        "if not {first.visibility, row.visibility} <= access.EVERYBODY:",
        "if False:",
        "test_conversations.py::test_who_writes_to_few_does_not_learn_when_they_read_it",
    ),
    Guard(
        CONVERSATIONS,
        "+= uri == visit.whom",
        "+= 1",
        "test_conversations.py::test_another_address_of_what_is_here_is_nothing_new",
    ),
    Guard(
        CONVERSATIONS,
        "(1 << min(row.idle, MAX_IDLE))",
        "1",
        "test_conversations.py::test_nobody_is_asked_again_soon_and_the_less_came_of_it_the_later",
    ),
    Guard(
        CONVERSATIONS,
        "(db.scalar(lately) or 0) < BY_STRANGERS and",
        "True and",
        "test_conversations.py::test_strangers_who_look_at_pages_make_us_ask_only_so_often",
    ),
    Guard(
        CONVERSATIONS,
        "return row.local and",
        "return",
        "test_conversations.py::test_strangers_who_look_at_pages_make_us_ask_only_so_often",
    ),
)
