"""What only whoever runs a server may do, what each does with their own alone, and what they rather do not hear."""

from __future__ import annotations

from tests.guards.guard import Guard

COMPLAINTS = "web/pages/complaints.py"
LOOKS = "coop/looks.py"
MUTED = "test_mutes.py::test_nothing_is_heard_of_who_is_muted_until_the_mute_is_lifted"
OF_ALL = "test_moderation.py::test_what_concerns_all_is_for_whoever_runs_the_server"
CHECK = "        operators.check(db, visitor.account.id)\n"

GUARDS = (
    # Whoever runs it
    Guard(
        "web/inside.py", "    await here.store.read(lambda db: operators.check(db, visitor.account.id))\n", "", OF_ALL
    ),
    Guard("web/pages/servers.py", f"{CHECK}        query", "        query", OF_ALL),
    Guard("web/pages/servers.py", f"{CHECK}        return", "        return", OF_ALL),
    Guard(COMPLAINTS, CHECK, "", OF_ALL),
    Guard(
        "web/pages/exports.py",
        CHECK,
        "",
        "test_luggage.py::test_everything_goes_along_but_no_key_and_only_with_whoever_runs_the_server",
    ),
    Guard(
        LOOKS,
        "    operators.check(tx.db, account)\n",
        "",
        "test_looks.py::test_only_whoever_runs_the_studio_chooses_its_colour",
    ),
    # One's own
    Guard(
        "coop/filters.py",
        "(Filter.id == number, Filter.account == accounts.numbers(tx.db)[account])",
        "(Filter.id == number,)",
        "test_filters.py::test_each_has_words_of_their_own",
    ),
    Guard("coop/filters.py", "re.escape(words.casefold())", "words.casefold()", "test_filters.py"),
    Guard("coop/mutes.py", "Mute.account == account, or_", "or_", "test_mutes.py::test_a_mute_is_of_one_account_alone"),
    Guard("coop/feed.py", "Object.deleted.is_(None), heard)", "Object.deleted.is_(None))", MUTED),
    Guard(
        "coop/notifications.py",
        "Notification.account == account, ~mutes.hides(account, Notification.by))",
        "Notification.account == account)",
        MUTED,
    ),
    Guard("coop/notifications.py", "new.where(~mutes.hides(account, Notification.by))", "new", MUTED),
    # What others are told
    Guard(
        "coop/reports.py",
        "Object.uri.in_(posts), Object.author == actor.uri",
        "Object.uri.in_(posts)",
        "test_complaints.py::test_what_others_said_is_in_no_report_about_somebody",
    ),
    Guard(
        "web/pages/reporting.py",
        "if not typed.posts <= seen:",
        "if False:",
        "test_complaints.py::test_nothing_is_reported_that_is_not_theirs_or_here",
    ),
    # How much is sent
    Guard(
        "web/session.py",
        "int(length[:20]) > most:",
        "False:",
        "test_profile_page.py::test_more_than_a_form_may_have_is_refused_and_strangers_send_nothing",
    ),
)
