"""What is read of a document, what a signature covers, what a proof proves, and where the client may go."""

from __future__ import annotations

from tests.guards.guard import Guard

CLIENT = "federation/client.py"
GUARD = "federation/guard.py"
TRANSPORT = "federation/transport.py"
DOCUMENT = "activitypub/document.py"
MESSAGE = "activitypub/message.py"
PROOF = "activitypub/proof.py"
CAVAGE = "activitypub/cavage.py"
RFC9421 = "activitypub/rfc9421.py"

GUARDS = (
    # What is read of a document
    Guard(DOCUMENT, "value[:MAX_ENTRIES] if", "value if", "test_document.py"),
    Guard(DOCUMENT, "len(outer) > MAX_STRING:", "False:", "test_document.py"),
    Guard(DOCUMENT, "if _has_a_key_twice(body, _keys_within_limits(value)):", "if False:", "test_document.py"),
    Guard(DOCUMENT, "if _NUL in body and", "if False and", "test_document.py"),
    Guard(DOCUMENT, '_NUL in body.replace(_BACKSLASH, b""):', "True:", "test_document.py"),
    Guard(DOCUMENT, 'uri if "\\0" in found else', "", "test_document.py"),
    Guard(DOCUMENT, "if len(_END_OF_KEY.findall(body)) == read:", "if True:", "test_document.py"),
    # What a signature has to cover, and when it holds
    Guard(
        CAVAGE, "if algorithm not in _ALGORITHMS:", "if False:", "test_cavage.py::test_an_unknown_algorithm_is_refused"
    ),
    Guard(
        CAVAGE,
        'needed = {"(request-target)", "host"}',
        'needed = {"host"}',
        "test_cavage.py::test_a_post_covers_target_host_date_and_digest",
    ),
    Guard(
        CAVAGE,
        'needed = {"(request-target)", "host"}',
        'needed = {"(request-target)"}',
        "test_cavage.py::test_a_post_covers_target_host_date_and_digest",
    ),
    Guard(
        CAVAGE,
        '({"digest"} if request.has_content else set())',
        "set()",
        "test_cavage.py::test_a_post_covers_target_host_date_and_digest",
    ),
    Guard(
        CAVAGE,
        'if "date" not in names and "(created)" not in names:',
        "if False:",
        "test_cavage.py::test_a_post_covers_target_host_date_and_digest",
    ),
    Guard(
        CAVAGE,
        "if len(set(names)) != len(names):",
        "if False:",
        "test_cavage.py::test_a_header_covered_twice_or_absent_is_refused",
    ),
    Guard(
        CAVAGE,
        'or algorithm != "hs2019")',
        ")",
        "test_cavage.py::test_created_and_expires_need_their_parameter_and_hs2019",
    ),
    Guard(
        CAVAGE,
        "    _check_time(names, given, request.headers, now)\n",
        "",
        "test_cavage_time_and_place.py::test_a_signature_holds_from_an_hour_before_its_date_to_65_minutes_after",
    ),
    Guard(
        CAVAGE,
        'if "(created)" in names else',
        'if "created" in given else',
        "test_cavage_time_and_place.py::test_a_created_that_is_not_signed_does_not_make_an_old_request_new",
    ),
    Guard(
        CAVAGE,
        '_seconds(given["expires"]) if "expires" in given else None',
        "None",
        "test_cavage_time_and_place.py::test_expires_can_only_shorten_that",
    ),
    Guard(
        CAVAGE,
        "    _check_host(request)\n",
        "",
        "test_cavage_time_and_place.py::test_a_signature_for_another_host_is_refused",
    ),
    Guard(
        CAVAGE,
        '    if "digest" in names:\n',
        "    if False:\n",
        "test_cavage.py::test_whatever_is_changed_on_the_way_is_noticed",
    ),
    Guard(
        CAVAGE,
        "if name.lower() in given:",
        "if False:",
        "test_cavage.py::test_a_parameter_that_occurs_twice_is_malformed",
    ),
    Guard(
        CAVAGE,
        "        if junk:\n",
        "        if False:\n",
        "test_cavage.py::test_what_is_no_list_of_parameters_is_malformed",
    ),
    Guard(CAVAGE, 'check_key_id(given["keyid"])', 'given["keyid"]', "test_cavage.py::test_a_key_id_is_a_web_address"),
    Guard(
        CAVAGE,
        'if question and request.method == "GET"',
        "if question",
        "test_cavage_time_and_place.py::test_a_post_verifies_with_its_query_only",
    ),
    Guard(CAVAGE, ", validate=True)", ")", "test_cavage.py::test_an_empty_or_unreadable_signature_is_refused"),
    Guard(
        MESSAGE,
        'if text.count("\\n") != len(lines) - 1:',
        "if False:",
        "test_cavage.py::test_a_value_with_a_line_break_cannot_pose_as_another_header",
    ),
    Guard(
        MESSAGE,
        "if created > moment + MAX_AHEAD:",
        "if False:",
        "test_rfc9421.py::test_a_signature_holds_from_an_hour_before_created_to_65_minutes_after",
    ),
    Guard(
        MESSAGE,
        "moment > created + MAX_AGE or",
        "",
        "test_rfc9421.py::test_a_signature_holds_from_an_hour_before_created_to_65_minutes_after",
    ),
    Guard(
        RFC9421,
        'check_window(parameters["created"], parameters.get("expires"), now)',
        "pass",
        "test_rfc9421.py::test_expires_can_only_shorten_that",
    ),
    Guard(
        RFC9421,
        'if "content-digest" in names:',
        "if False:",
        "test_rfc9421.py::test_content_digest_is_that_of_the_body_whenever_it_is_covered",
    ),
    Guard(RFC9421, "[:MAX_LABELS]", "", "test_rfc9421.py"),
    Guard(
        RFC9421,
        "if not isinstance(components, list) or not isinstance(value, bytes):",
        "if False:",
        "test_rfc9421.py::test_a_malformed_field_is_answered_400",
    ),
    Guard(
        RFC9421,
        "or parameters or (name",
        "or (name",
        "test_rfc9421.py::test_a_component_that_we_cannot_compute_is_refused",
    ),
    Guard(
        RFC9421,
        "if len(set(names)) != len(names):",
        "if False:",
        "test_rfc9421.py::test_a_component_covered_twice_is_refused",
    ),
    Guard(
        RFC9421,
        '({"@method", "content-digest"} if request.has_content else {"@method"})',
        '{"@method"}',
        "test_rfc9421.py::test_any_smaller_cover_is_refused",
    ),
    Guard(
        RFC9421,
        '({"@method", "content-digest"} if request.has_content else {"@method"})',
        '{"content-digest"}',
        "test_rfc9421.py::test_any_smaller_cover_is_refused",
    ),
    Guard(
        RFC9421,
        "if not any(choice <= names",
        "if False and not any(choice <= names",
        "test_rfc9421.py::test_any_smaller_cover_is_refused",
    ),
    Guard(
        RFC9421,
        '{"@authority", "@path", "@query"} if "?" in request.target else',
        "",
        "test_rfc9421.py::test_a_query_is_covered_where_the_path_stands_alone",
    ),
    Guard(
        RFC9421,
        'or type(parameters.get("created")) is not int:',
        ":",
        "test_rfc9421.py::test_keyid_and_created_are_required",
    ),
    Guard(
        RFC9421,
        'if type(parameters.get("expires", 0)) is not int:',
        "if False:",
        "test_rfc9421.py::test_keyid_and_created_are_required",
    ),
    Guard(RFC9421, '    check_key_id(parameters["keyid"])\n', "", "test_rfc9421.py::test_a_key_id_is_a_web_address"),
    Guard(RFC9421, "or algorithm not in ALGORITHMS:", ":", "test_rfc9421.py::test_an_unknown_alg_is_refused"),
    Guard(
        RFC9421,
        "(algorithm,) if algorithm else _DEFAULT",
        "_DEFAULT",
        "test_rfc9421.py::test_an_alg_that_does_not_fit_the_key_or_the_signature_is_refused",
    ),
    # What a proof proves
    Guard(
        PROOF,
        'if (key.id, key.owner, key.use) != (self.key_id, self.owner, "assertionMethod"):',
        "if False:",
        "test_proof.py::test_only_the_owners_own_key_for_proofs_counts",
    ),
    Guard(
        PROOF,
        "if not matches(",
        "if False and not matches(",
        "test_proof.py::test_any_change_to_the_document_is_noticed",
    ),
    Guard(
        PROOF, "[:MAX_PROOFS]", "", "test_proof.py::test_the_first_valid_proof_of_the_owner_counts_among_at_most_four"
    ),
    Guard(
        PROOF,
        "    _refuse_keywords(document)\n",
        "",
        "test_proof_context.py::test_keywords_that_rearrange_a_document_are_refused_wherever_they_are",
    ),
    Guard(
        PROOF,
        "or any(config.get(name) != value for name, value in _REQUIRED.items()):",
        ":",
        "test_proof.py::test_it_is_refused_even_if_the_owner_signed_the_change",
    ),
    Guard(
        PROOF,
        "if origin(key_id) != origin(owner):",
        "if False:",
        "test_proof.py::test_a_proof_with_any_member_changed_is_refused",
    ),
    Guard(
        PROOF,
        "(created is None or created > now + MAX_AHEAD)",
        "created is None",
        "test_proof.py::test_it_is_refused_even_if_the_owner_signed_the_change",
    ),
    Guard(
        PROOF,
        "(expires is None or expires <= now)",
        "expires is None",
        "test_proof.py::test_a_proof_holds_until_it_expires",
    ),
    Guard(
        PROOF,
        "if owner is None or named - {owner}:",
        "if owner is None:",
        "test_proof.py::test_a_good_signature_under_a_document_of_somebody_else_is_refused",
    ),
    Guard(
        PROOF,
        "if canonical(ours[: len(theirs)]) != canonical(theirs):",
        "if False:",
        "test_proof_context.py::test_a_context_that_does_not_begin_as_the_proofs_is_refused",
    ),
    Guard(
        PROOF,
        'if not isinstance(document.get("@context"), list):',
        "if False:",
        "test_proof_context.py::test_we_sign_only_what_has_an_array_for_its_context",
    ),
    # Whom we ask, and what we take from them
    Guard(
        CLIENT,
        "if address.host == self.home.host and (",
        "if False and (",
        "test_client.py::test_we_are_never_asked_by_ourselves",
    ),
    Guard(
        CLIENT,
        'if address.url.scheme != "https" and not self.allow_private:',
        "if False:",
        "test_client.py::test_http_is_for_private_networks_alone",
    ),
    Guard(
        CLIENT,
        'if address.url.scheme == "https" and onward',
        "if False and onward",
        "test_client.py::test_no_redirect_leads_from_https_to_http",
    ),
    Guard(
        CLIENT,
        "if origin(document.id) != origin(answer.url):",
        "if False:",
        "test_client.py::test_nobody_speaks_for_another",
    ),
    Guard(CLIENT, "            if document.id != stated:\n", "            if False:\n", "test_client.py"),
    Guard(CLIENT, "address.url in visited or", "", "test_client.py::test_nobody_goes_round_in_a_circle"),
    Guard(
        CLIENT,
        "or len(visited) > self.limits.redirects:",
        ":",
        "test_client.py::test_three_redirects_are_followed_and_not_four",
    ),
    Guard(
        CLIENT,
        "asyncio.timeout(self.limits.total)",
        "asyncio.timeout(99)",
        "test_knocking.py::test_an_inbox_that_hangs_is_given_up",
    ),
    Guard(
        CLIENT,
        'answer.status in (400, 401) or (first == "rfc9421" and answer.status >= 400):',
        "answer.status >= 400:",
        "test_knocking.py::test_a_host_that_does_not_understand_is_knocked_once_more_in_the_other_dialect",
    ),
    Guard(
        CLIENT,
        '        name.encode("idna")',
        "        pass",
        "test_client.py::test_a_name_that_nobody_could_look_up_is_not_looked_up",
    ),
    Guard(
        CLIENT, "    if not alike:\n", "    if False:\n", "test_client.py::test_what_is_no_web_address_is_not_asked_for"
    ),
    Guard(
        CLIENT,
        "read_head(chunks, self.limits.answer)",
        "read_head(chunks, 10**9)",
        "test_knocking.py::test_no_more_of_an_answer_is_read_than_an_operator_would",
    ),
    # Where the client may connect
    Guard(GUARD, '"%" not in address and ', "", "test_guard.py::test_an_address_of_a_special_kind_is_not_public"),
    Guard(
        GUARD,
        "if embedded := _embedded(address):",
        "if embedded := ():",
        "test_guard.py::test_an_embedded_address_is_as_public_as_it_is_by_itself",
    ),
    Guard(
        GUARD,
        "return address in _UNICAST_6 and not",
        "return not",
        "test_guard.py::test_an_address_of_a_special_kind_is_not_public",
    ),
    Guard(
        GUARD,
        "            self._check(address, host)\n",
        "            pass\n",
        "test_guard.py::test_one_private_address_among_several_refuses_them_all",
    ),
    Guard(
        GUARD,
        "        self._check(address, address)\n",
        "",
        "test_guard.py::test_no_socket_is_opened_that_must_not_be_connected",
    ),
    Guard(
        GUARD,
        "if not is_web_port(port):",
        "if False:",
        "test_guard.py::test_no_socket_is_opened_that_must_not_be_connected",
    ),
    Guard(GUARD, "and port not in _NOT_WEB", "", "test_guard.py::test_no_other_kind_of_server_is_spoken_to"),
    Guard(
        TRANSPORT,
        "socket_factory=self.guard.open,",
        "",
        "test_client.py::test_neither_an_address_nor_a_redirect_leads_to_a_private_network",
    ),
    Guard(
        TRANSPORT,
        'resolver=cast("AbstractResolver", self.guard),',
        "",
        "test_guard.py::test_a_name_is_resolved_once_and_that_very_address_is_connected",
    ),
    Guard(
        GUARD,
        "asyncio.timeout(self.limits.dns)",
        "asyncio.timeout(99)",
        "test_limits.py::test_a_resolver_that_hangs_is_not_waited_for",
    ),
    Guard(
        GUARD,
        "        await places.acquire()\n",
        "",
        "test_guard.py::test_names_that_hang_keep_no_others_from_being_looked_up",
    ),
    Guard(
        GUARD,
        "call_soon_threadsafe(places.release)",
        "call_soon_threadsafe(print)",
        "test_guard.py::test_a_place_is_free_again_when_the_system_has_answered",
    ),
    Guard(
        TRANSPORT,
        "allow_redirects=False",
        "allow_redirects=True",
        "test_knocking.py::test_a_delivery_does_not_follow_a_redirect",
    ),
    Guard(
        TRANSPORT,
        "cookie_jar=aiohttp.DummyCookieJar(),",
        "",
        "test_knocking.py::test_deliveries_to_one_host_share_a_connection",
    ),
    Guard(
        TRANSPORT,
        "trust_env=False",
        "trust_env=True",
        "test_knocking.py::test_no_proxy_of_the_environment_sees_what_we_send",
    ),
    Guard(
        TRANSPORT,
        "if self.guard.is_crowded:",
        "if False:",
        "test_knocking.py::test_none_is_kept_where_too_many_are_open",
    ),
    Guard(
        TRANSPORT,
        "limit_per_host=MAX_PER_HOST,",
        "",
        "test_limits.py::test_a_host_has_four_connections_of_ours_at_most",
    ),
    Guard(
        TRANSPORT,
        "ssl=tls(),",
        "ssl=False,",
        "test_limits.py::test_a_certificate_that_nobody_vouches_for_is_not_trusted",
    ),
    Guard(
        TRANSPORT,
        "auto_decompress=False",
        "auto_decompress=True",
        "test_limits.py::test_what_is_compressed_is_small_when_it_is_not",
    ),
)
