"""Who comes in, and what a form has to prove."""

from __future__ import annotations

from tests.guards.guard import Guard

SESSION = "web/session.py"
LOGINS = "coop/logins.py"
ATTEMPTS = "web/attempts.py"
DOOR = "web/pages/door.py"
PASSKEYS = "web/pages/passkeys.py"
CHECKING = "web/pages/checking.py"
APP = "web/app.py"
CODES = "coop/spare_codes.py"
LANGUAGES = "web/languages.py"
PEOPLE = "web/pages/saying.py"
FORM = "test_door.py::test_a_form_of_another_page_does_nothing"
ELSEWHERE = "test_door.py::test_what_another_page_had_the_browser_send_does_nothing"
GUESSED = "test_door.py::test_who_guesses_has_to_wait_and_who_lives_here_does_not"
SPOKEN = "test_languages.py::test_whatever_a_browser_likes_we_know_what_we_speak"
SIGNED = "test_passkeys.py::test_what_is_not_signed_by_it_now_and_here_opens_nothing"
SCRIPT = "test_passkeys.py::test_whatever_a_script_sends_is_answered"
CODE = "test_passkeys.py::test_a_spare_code_opens_once_sets_a_new_password_and_ends_other_logins"

FIRST = "web/first/pages.py"
BEGINNING = "web/first/beginning.py"
FENCE = "web/first/app.py"
SETTINGS = "web/pages/settings.py"
LINK = "test_first_run.py::test_the_link_lets_in_the_first_browser_that_has_it_and_no_other"

GUARDS = (
    # What a browser says that it speaks
    Guard(
        LANGUAGES, "except ValueError:\n        return 0, place", "except KeyError:\n        return 0, place", SPOKEN
    ),
    Guard(LANGUAGES, 'language if language in LOCALES else ""', "language", SPOKEN),
    # Forms
    Guard(SESSION, "not hmac.compare_digest(text(sent, TOKEN).encode(), browser.token.encode())", "False", FORM),
    Guard(SESSION, 'site not in ("same-origin", "none")', "False", ELSEWHERE),
    Guard(SESSION, "origin != here.home", "False", ELSEWHERE),
    Guard(SESSION, "not _ELSEWHERE.match(path)", "True", "test_door.py::test_a_login_leads_to_no_other_server"),
    Guard(
        SESSION,
        'found.encode(errors="replace").decode().replace(',
        "found.replace(",
        "test_checking.py::test_words_in_an_odd_charset_are_only_odd_words",
    ),
    Guard(
        APP,
        ".replace(_NUL, _ODD)",
        "",
        "test_person.py::test_what_no_database_can_be_asked_for_is_asked_of_none",
    ),
    Guard(
        CHECKING,
        "    if len(body) > MAX_COPY:",
        "    if False:",
        "test_checking.py::test_too_much_is_refused_and_not_sent_back",
    ),
    # The first run
    Guard(
        FENCE,
        "not self._is_near(scope)",
        "False",
        "test_first_run.py::test_only_this_machine_and_its_proxies_come_so_far",
    ),
    Guard(FIRST, "session.browser_of(request).key != beginning.browser", "False", LINK),
    Guard(BEGINNING, "self.browser is not None or ", "", LINK),
    Guard(
        BEGINNING,
        " or self.now() > self.began + LINK_LASTS",
        "",
        "test_first_run.py::test_the_link_is_too_old_after_half_an_hour",
    ),
    Guard(
        BEGINNING,
        "not compare_digest(key.encode(), self.key.encode())",
        "False",
        "test_first_run.py::test_a_guessed_link_opens_nothing",
    ),
    Guard(
        FIRST,
        'not beginning.seen or text(sent, "url") != home',
        "False",
        "test_first_run.py::test_an_address_is_not_taken_before_it_was_looked_at",
    ),
    Guard(
        FIRST,
        'not text(sent, "kept")',
        "False",
        "test_first_run.py::test_a_studio_is_founded_in_a_browser_and_not_before_it_is_confirmed",
    ),
    Guard(
        LOGINS,
        "Login.name == LINK, ",
        "",
        "test_welcome.py::test_a_browser_that_was_logged_out_is_no_link",
    ),
    Guard(
        LOGINS, ", Login.since > tx.now - LINK_LASTS)", ")", "test_welcome.py::test_the_link_is_too_old_after_an_hour"
    ),
    Guard(
        LOGINS,
        "    tx.db.execute(delete(Login).where(Login.browser == link))\n",
        "",
        "test_welcome.py::test_the_link_lets_one_browser_in_once",
    ),
    Guard(
        SETTINGS,
        "kept is not None and not await attempts.matches(kept",
        "kept is None and not await attempts.matches(kept",
        "test_welcome.py::test_whoever_has_a_password_changes_it_by_the_old_one_alone",
    ),
    # Logins
    Guard(DOOR, "logins.renew(tx, before.key, browser.key)", "pass", "test_door.py"),
    Guard(
        DOOR,
        "before, browser = session.browser_of(request), Browser.new()",
        "before = browser = session.browser_of(request)",
        "test_door.py",
    ),
    Guard(LOGINS, "hashlib.sha256(secret.encode()).hexdigest()", "secret", "test_door.py"),
    Guard(LOGINS, "Login.seen > now - LASTS, ~Account.suspended)", "Login.seen > now - LASTS)", "test_door.py"),
    Guard(LOGINS, "Login.left.is_(None), Login.seen > now - LASTS, ~", "Login.left.is_(None), ~", "test_door.py"),
    Guard(
        LOGINS,
        "Login.account == account, Login.left.is_(None))\n    if tx.db.scalar",
        "Login.left.is_(None))\n    if tx.db.scalar",
        "test_door.py::test_nobody_becomes_somebody_who_is_not_logged_in_there",
    ),
    Guard(
        LOGINS,
        "    return leave_everywhere(tx, account.id, but)",
        "    return 0",
        "test_door.py::test_a_new_password_ends_all_other_logins",
    ),
    # Guessing
    Guard(ATTEMPTS, "(self.of_account.take(handle) if handle else 0)", "0", GUESSED),
    Guard(ATTEMPTS, "return self.in_browser.take(known_browser)", "pass", GUESSED),
    Guard(ATTEMPTS, "and hashed is not None", "", "test_door.py::test_nobody_comes_in_who_has_no_password"),
    # Passkeys
    Guard(
        PASSKEYS,
        'not secrets.compare_digest(request.headers.get("x-form", "").encode(), browser.token.encode())',
        "False",
        SCRIPT,
    ),
    Guard(
        PASSKEYS,
        "challenges.pop(",
        "challenges.get(",
        "test_passkeys.py::test_a_challenge_is_good_once_and_not_for_long",
    ),
    # Spare codes
    Guard(
        CODES,
        "return tx.db.execute(delete(SpareCode).where(*_of(account, code))).rowcount == 1",
        "return is_one(tx.db, account, code)",
        CODE,
    ),
)
