"""Guards of what people say of each other for others to rely on, and of whose word that is."""

from __future__ import annotations

from tests.guards.guard import Guard

ENDORSEMENTS = "coop/endorsements.py"
REQUESTS = "coop/endorsement_requests.py"
VOUCHERS = "coop/vouchers.py"
VERDICTS = "coop/verdicts.py"
IDENTITIES = "activitypub/identity.py"
SAME = "coop/identities.py"
ROTATION = "coop/rotation.py"
HANDOVERS = "coop/handovers.py"
FULFILMENT = "coop/fulfilment.py"
HANDED = "test_handovers.py::test_what_is_handed_over_is_nobodys_word_but_of_who_signed_it"

GUARDS = (
    Guard(
        ENDORSEMENTS,
        "    if (said.note, said.author) != ",
        "    if False and (said.note, said.author) != ",
        "test_endorsements.py::test_anothers_endorsement_is_not_taken_from_a_note_that_is_looked_up",
    ),
    Guard(
        ENDORSEMENTS,
        "        if first != proof.hash_of(inner.json):",
        "        if False:",
        "test_endorsements.py::test_an_endorsement_does_not_change_but_the_words_around_it_may",
    ),
    Guard(
        ENDORSEMENTS,
        "if blocks.exists(tx.db, said.subject, said.author):",
        "if False:",
        "test_endorsements.py::test_nobody_endorses_across_a_block",
    ),
    Guard(
        ENDORSEMENTS,
        "key.first_seen if endorser.first_seen < key.first_seen else None",
        "None",
        "test_endorsements.py::test_an_old_endorsement_is_taken_from_a_new_acquaintance_and_a_new_key_proves_nothing_old",
    ),
    Guard(
        ENDORSEMENTS,
        "    endorsement.check(said, key.owner, tx.now, since)\n",
        "",
        "test_endorsements.py::test_an_old_endorsement_is_taken_from_a_new_acquaintance_and_a_new_key_proves_nothing_old",
    ),
    Guard(
        ENDORSEMENTS,
        "if endorsement.has_expired(said, tx.now):",
        "if False:",
        "test_endorsements.py::test_what_is_well_signed_but_no_endorsement_is_refused",
    ),
    Guard(
        ENDORSEMENTS,
        "    held = proof.verify(inner.json, lambda key_id: known.key(tx.db, key_id), tx.now)\n"
        "    return endorser, tx.db.get_one(Key, held.key_id)",
        "    return endorser, tx.db.get_one(Key, claimed[0])",
        "test_endorsements.py::test_an_altered_endorsement_is_refused",
    ),
    Guard(
        ENDORSEMENTS,
        "endorsement.revokes(deletion, uri, endorser) and _is_proven(db, deletion, now)",
        "endorsement.revokes(deletion, uri, endorser)",
        "test_verdicts.py::test_a_revocation_is_believed_only_from_its_giver",
    ),
    Guard(
        ENDORSEMENTS,
        "return max(0, MAX_REVOKED - remembered)",
        "return MAX_REVOKED",
        "test_verdicts.py::test_nobody_fills_the_disk_with_revocations_of_what_never_came",
    ),
    Guard(
        ENDORSEMENTS,
        "if never_came and _is_proven(tx.db, activity, tx.now):",
        "if never_came:",
        "test_verdicts.py::test_a_revocation_is_remembered_for_good_where_the_endorsement_never_came",
    ),
    Guard(
        ENDORSEMENTS,
        'and event.activity.get("id"):',
        ":",
        "test_verdicts.py::test_a_server_that_forgets_the_post_revokes_nothing",
    ),
    Guard(
        ENDORSEMENTS,
        'if row.display != "accepted" and account != row.endorser and',
        'if row.display != "accepted" and False and',
        "test_copies.py::test_what_somebody_of_this_house_does_not_show_is_nobody_elses_to_read",
    ),
    Guard(
        REQUESTS,
        "        _check(tx, activity.actor, to)\n",
        "        pass\n",
        "test_endorsement_requests.py::test_of_one_site_only_so_many_wait",
    ),
    Guard(
        REQUESTS,
        "if by == to or blocks.exists(tx.db, by, to):",
        "if by == to:",
        "test_endorsement_requests.py::test_whoever_is_blocked_asks_nothing",
    ),
    Guard(
        REQUESTS,
        "    if _asked_lately(tx, by, to):",
        "    if False:",
        "test_endorsement_requests.py::test_nobody_is_asked_twice_at_a_time",
    ),
    Guard(
        REQUESTS,
        ">= MAX_OPEN and",
        "> 10_000 and",
        "test_endorsement_requests.py::test_of_one_site_only_so_many_wait",
    ),
    Guard(
        REQUESTS,
        "if row is not None and row.to == activity.actor and",
        "if row is not None and",
        "test_endorsement_requests.py::test_only_who_was_asked_answers",
    ),
    Guard(
        REQUESTS,
        "    if origin(given) != origin(activity.actor):",
        "    if False:",
        "test_endorsement_requests.py::test_only_who_was_asked_answers",
    ),
    Guard(
        REQUESTS,
        "len(named) == 1 and",
        "",
        "test_endorsement_requests.py::test_what_is_not_for_one_alone_asks_nobody",
    ),
    Guard(
        VOUCHERS,
        "and _may_vouch(tx.db, statement.project, by):",
        ":",
        "test_vouchers.py::test_nobody_vouches_who_is_not_in_it_and_invited_nobody",
    ),
    Guard(
        VOUCHERS,
        "and (db.scalar(given) or 0) < MAX_VOUCHERS",
        "",
        "test_vouchers.py::test_one_vouches_for_so_many",
    ),
    Guard(
        VOUCHERS,
        "Voucher.project == project, Voucher.key == key_id",
        "Voucher.key == key_id",
        "test_vouchers.py::test_a_key_that_was_vouched_for_is_good_for_one_log_alone",
    ),
    Guard(
        VOUCHERS,
        "        known.actor(tx.db, statement.author)\n",
        "        pass\n",
        "test_vouchers.py::test_whoever_can_be_asked_is_asked_and_hears_who_joined",
    ),
    Guard(
        VOUCHERS,
        "lambda key_id: known.key(tx.db, key_id) or vouched.get(key_id)",
        "lambda key_id: vouched.get(key_id) or known.key(tx.db, key_id)",
        "test_vouchers.py::test_the_owner_s_own_word_takes_the_place_of_what_others_said",
    ),
    Guard(
        VERDICTS,
        '    if own.verdict != "unknown":',
        '    if own.verdict not in ("unknown", "invalid"):',
        "test_verdicts.py::test_a_key_that_we_saw_ourselves_is_not_replaced_by_one_in_a_copy",
    ),
    Guard(
        VERDICTS,
        'return inner, judge(inner, listed, "bundle", now',
        'return inner, judge(inner, listed, "memory", now',
        "test_verdicts.py::test_a_key_that_came_with_a_copy_makes_it_valid_by_copy_at_best",
    ),
    Guard(
        VERDICTS,
        "first.revoked is None and first.hash != proof.hash_of(inner.json):",
        "False:",
        "test_verdicts.py::test_a_second_endorsement_under_the_same_id_is_invalid_however_well_signed",
    ),
    Guard(
        VERDICTS,
        "endorsement.revokes(deletion, uri, author)) and _holds(deletion, find, now)",
        "endorsement.revokes(deletion, uri, author))",
        "test_verdicts.py::test_a_revocation_in_a_copy_is_its_givers_own_or_none",
    ),
    Guard(
        VERDICTS,
        "bool(uri and author and endorsement.revokes(deletion, uri, author)) and",
        "",
        "test_verdicts.py::test_a_revocation_in_a_copy_is_its_givers_own_or_none",
    ),
    Guard(
        VERDICTS,
        "if row is not None and endorsements.is_signed(tx.db, row.uri, endorser, deletion, tx.now):",
        "if row is not None:",
        "test_verdicts.py::test_what_is_listed_as_revoked_without_a_proof_is_not_taken_back",
    ),
    Guard(
        VERDICTS,
        'row.display == "accepted" and known.is_local(db, row.subject) else None',
        "known.is_local(db, row.subject) else None",
        "test_verdicts.py::test_a_copy_is_served_only_of_what_is_shown",
    ),
    Guard(
        VERDICTS,
        "row and row.revoked is None else None",
        "row else None",
        "test_verdicts.py::test_a_copy_is_served_only_of_what_is_shown",
    ),
    Guard(
        VERDICTS,
        "return note.deleted if note is not None and note.author == author else None",
        "return note.deleted if note is not None else None",
        "test_verdicts.py::test_a_neighbour_of_its_giver_takes_nothing_back",
    ),
    Guard(
        IDENTITIES,
        'if isinstance(public, Ed25519PublicKey) and keys.matches(public, "ed25519", value, signed) else None',
        "if isinstance(public, Ed25519PublicKey) else None",
        "test_identity.py::test_a_statement_that_was_changed_says_nothing",
    ),
    Guard(
        IDENTITIES,
        'or said.uris("alsoKnownAs") != (actor,) or',
        "or",
        "test_identities.py::test_nobody_takes_an_address_by_claiming_it",
    ),
    Guard(
        IDENTITIES,
        '    if asked not in ((*_SUITE, key), (*_SUITE, f"{key}#{key.removeprefix(DID)}")):',
        "    if False:",
        "test_identity.py::test_a_proof_of_another_kind_is_none",
    ),
    Guard(
        IDENTITIES,
        "(one for one, _ in zip(found, range(MAX_STATEMENTS), strict=False))",
        "(found)",
        "test_identity.py::test_of_many_statements_few_are_looked_at",
    ),
    Guard(
        SAME,
        ".limit(MAX_SAME))",
        ")",
        "test_identities.py::test_of_many_addresses_of_one_few_are_looked_at",
    ),
    Guard(
        ROTATION,
        "    if stolen:\n        for row in present:\n            _retire(tx, row)\n",
        "    if stolen:\n        pass\n",
        "test_rotation.py::test_a_stolen_key_is_given_up_at_once",
    ),
    Guard(
        HANDOVERS,
        "    projects.check_may_post(tx.db, project, activity.actor, activity)\n",
        "",
        "test_handovers.py::test_nobody_hands_over_from_outside_or_too_much_at_once",
    ),
    Guard(
        HANDOVERS,
        "    if len(documents) > MAX_SIGNED:",
        "    if False:",
        "test_handovers.py::test_nobody_hands_over_from_outside_or_too_much_at_once",
    ),
    Guard(
        HANDOVERS,
        '        if document.uri("context") != project:',
        "        if False:",
        "test_handovers.py::test_what_was_signed_in_one_project_is_not_handed_over_in_another",
    ),
    Guard(
        HANDOVERS,
        "        if not projects.may_post(db, project, one):",
        "        if False:",
        "test_handovers.py::test_it_waits_until_it_is_known_that_both_are_in_the_project",
    ),
    Guard(FULFILMENT, "    promises.check_signed(tx, whole, row.project)\n", "", HANDED),
)
