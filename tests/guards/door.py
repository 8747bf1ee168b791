"""Who comes in, and what a form has to prove."""

from __future__ import annotations

from tests.guards.guard import Guard

SESSION = "web/session.py"
LOGINS = "coop/logins.py"
ATTEMPTS = "web/attempts.py"
DOOR = "web/pages/door.py"
PASSKEYS = "web/pages/passkeys.py"
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
