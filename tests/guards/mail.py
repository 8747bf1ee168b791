"""What buddies hold: for whom, from whom, how much, and what of it is believed."""

from __future__ import annotations

from tests.guards.guard import Guard

PARCEL = "activitypub/parcel.py"
MAILBOX = "activitypub/mailbox.py"
INBOX = "federation/inbox.py"
BUDDIES = "coop/buddies.py"
MAILBOXES = "coop/mailboxes.py"
LEAVING = "coop/leaving.py"
COLLECTING = "coop/collecting.py"
AGREED = "test_mailboxes.py::test_a_parcel_is_held_for_whom_that_is_agreed_alone"
QUOTA = "test_mailboxes.py::test_no_more_is_held_than_was_said"
FORGED = "test_collecting.py::test_what_somebody_else_put_into_a_parcel_is_not_believed"
ANSWERED = "test_buddies.py::test_an_answer_by_another_has_no_effect"
ASKED = "test_buddies.py::test_a_mailbox_is_asked_for_by_its_owner_alone_of_one_person"

GUARDS = (
    # Who agreed
    Guard(MAILBOX, 'or document.require("attributedTo") != owner', "", "test_parcel.py"),
    Guard(BUDDIES, "if len(named) != 1 or named[0] not in accounts.numbers(db):", "if not named:", ASKED),
    Guard(
        BUDDIES,
        'asked = (Buddy.uri == activity.uri("object"), Buddy.buddy == activity.actor)',
        'asked = (Buddy.uri == activity.uri("object"),)',
        ANSWERED,
    ),
    Guard(BUDDIES, "Buddy.uri == uri, Buddy.owner == activity.actor", "Buddy.uri == uri", ANSWERED),
    Guard(
        BUDDIES,
        "for one in waiting) >= MAX_OPEN:",
        "for one in waiting) < 0:",
        "test_buddies.py::test_of_one_site_only_so_many_requests_wait",
    ),
    # What is held
    Guard(MAILBOXES, "tx.db.scalar(agreed.with_for_update()) is None or", "", AGREED),
    Guard(MAILBOXES, ', Buddy.state == "agreed")\n    if tx.db', ")\n    if tx.db", AGREED),
    Guard(
        MAILBOXES,
        'if document.require("actor") != signer:',
        "if False:",
        "test_mailboxes.py::test_a_parcel_is_taken_from_whom_it_says_it_is_from_alone",
    ),
    Guard(
        MAILBOXES,
        "or blocks.exists(tx.db, buddy, parcel.sender)",
        "",
        "test_mailboxes.py::test_nothing_is_taken_of_whom_a_buddy_blocks_and_what_was_is_gone",
    ),
    Guard(MAILBOXES, "_is_over(tx.db, size, FOR_ONE, theirs) or", "", QUOTA),
    Guard(MAILBOXES, "or _is_over(tx.db, size, FROM_ONE, theirs, Held.site == home)", "", QUOTA),
    Guard(
        MAILBOXES,
        "if not tx.db.execute(update(Buddy).where(*agreed).values(handed=tx.now)).rowcount:",
        "if not tx.db.execute(update(Buddy).where(*agreed).values(handed=tx.now)):",
        "test_mailboxes.py::test_its_owner_alone_says_that_it_may_go",
    ),
    Guard(
        MAILBOXES,
        "delete(Held).where(_between(owner, buddy), Held.id.in_(numbers))",
        "delete(Held).where(Held.id.in_(numbers))",
        "test_mailboxes.py::test_an_owner_says_nothing_of_what_is_held_for_another",
    ),
    Guard(
        PARCEL,
        "if len(given) > (MAX_CONTENT + OVERHEAD + 2) * 4 // 3:",
        "if False:",
        "test_mailboxes.py::test_a_parcel_that_is_too_long_is_refused",
    ),
    Guard(
        "web/mailboxes.py",
        "if not await here.store.read(lambda db: mailboxes.is_agreed(db, owner, buddy)):",
        "if False:",
        "test_mailboxes.py::test_its_owner_alone_is_handed_it",
    ),
    Guard(
        "web/mailboxes.py",
        "if owner is None:",
        "if False:",
        "test_mailboxes.py::test_its_owner_alone_is_handed_it",
    ),
    # What is left, and where
    Guard(
        LEAVING,
        "homes = origin(actor.uri), origin(tx.home)",
        "homes = ()",
        "test_leaving.py::test_a_buddy_on_the_same_server_is_none_and_three_are_enough",
    ),
    Guard(
        LEAVING,
        "later = isinstance(error, Unreachable)",
        "later = True",
        "test_leaving.py::test_who_names_a_buddy_that_never_agreed_has_it_asked_once_a_day",
    ),
    Guard(
        LEAVING,
        "    if answer.status in PERMANENT:",
        "    if False:",
        "test_leaving.py::test_who_names_a_buddy_that_never_agreed_has_it_asked_once_a_day",
    ),
    Guard(
        LEAVING,
        'and Document.reread(body).has("proof")',
        "",
        "test_leaving.py::test_what_nobody_could_check_is_not_left",
    ),
    Guard(
        LEAVING,
        "delivery == turn.waiting[-1][0] or here.now() > until",
        "delivery == turn.waiting[-1][0]",
        "test_leaving.py::test_a_buddy_that_is_slow_has_its_turn_and_no_more",
    ),
    # What is believed
    Guard(
        INBOX,
        '            raise Unverified(f"nothing in it proves that',
        '            print(f"nothing in it proves that',
        FORGED,
    ),
    Guard(INBOX, "is_unwanted = origin(sent.uri) != origin(sent.actor) or", "is_unwanted =", FORGED),
    Guard(
        INBOX,
        "or await here.blocks(host(sent.actor))\n    if is_unwanted",
        "\n    if is_unwanted",
        "test_collecting.py::test_nothing_is_taken_of_a_domain_that_is_blocked",
    ),
    Guard(PARCEL, "(VERSION, sender.encode(), owner.encode())", "(VERSION,)", "test_parcel.py"),
    Guard(
        COLLECTING,
        "    if more and pages < MAX_PAGES:",
        "    if more:",
        "test_collecting.py::test_a_buddy_that_hands_over_without_end_is_not_asked_on",
    ),
    Guard(
        COLLECTING,
        "page[:PAGE]",
        "page",
        "test_collecting.py::test_of_a_page_no_more_is_opened_than_is_on_one",
    ),
    Guard(
        COLLECTING,
        "    if origin(first) != origin(box.place):",
        "    if False:",
        "test_collecting.py::test_a_page_on_another_server_is_not_read",
    ),
)
