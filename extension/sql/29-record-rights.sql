
--
-- records: privileges
--

REVOKE ALL ON FUNCTION
    parity_internal.record_payload(bigint, bigint), parity_internal.record_line(bigint, bigint),
    parity_internal.record_hint(bigint, bigint, text),
    parity_internal.record_warn(text, text),
    parity_internal.record_tell(bigint, bigint), parity.forget(text, text, text),
    parity_internal.record_check(bigint), parity_internal.record_goes_on(bigint),
    parity_internal.record_about(text, jsonb), parity_internal.record_require_end(text),
    parity_internal.record_dead_runs(), parity_internal.record_message(text, text),
    parity_internal.record_error(bigint, bigint, text, text), parity_internal.record_may_read(text, jsonb),
    parity_internal.record_require_read(text, jsonb),
    parity_internal.record_run_start(text, text, text, text, jsonb, boolean),
    parity_internal.record_table_start(bigint, text, text, jsonb),
    parity_internal.record_table_phase(bigint, text), parity_internal.record_divergences(bigint, jsonb),
    parity_internal.record_table_finish(bigint, text, jsonb), parity_internal.record_table_again(bigint),
    parity_internal.record_tables_skipped(bigint, text[], text, jsonb),
    parity_internal.record_run_finish(bigint, text, text, text), parity_internal.record_trim(),
    parity_internal.record_find(text), parity_internal.record_quoted(text[]), parity_internal.record_spelled(text),
    parity_internal.record_name(oid), parity_internal.record_find_callback(text),
    parity_internal.record_require_values(jsonb, text[]), parity_internal.record_require_primary()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    parity_internal.record_payload(bigint, bigint), parity_internal.record_line(bigint, bigint),
    parity_internal.record_hint(bigint, bigint, text), parity_internal.record_warn(text, text),
    parity.forget(text, text, text), parity_internal.record_dead_runs(), parity_internal.record_message(text, text),
    parity_internal.record_error(bigint, bigint, text, text),
    parity_internal.record_run_start(text, text, text, text, jsonb, boolean),
    parity_internal.record_table_start(bigint, text, text, jsonb),
    parity_internal.record_table_phase(bigint, text), parity_internal.record_divergences(bigint, jsonb),
    parity_internal.record_table_finish(bigint, text, jsonb), parity_internal.record_table_again(bigint),
    parity_internal.record_tables_skipped(bigint, text[], text, jsonb),
    parity_internal.record_run_finish(bigint, text, text, text), parity_internal.record_trim(),
    parity_internal.record_find(text), parity_internal.record_quoted(text[]), parity_internal.record_name(oid),
    parity_internal.record_find_callback(text),
    parity_internal.record_require_values(jsonb, text[]), parity_internal.record_require_primary()
    TO parity_operator;
GRANT EXECUTE ON FUNCTION parity_internal.record_goes_on(bigint),
    parity_internal.record_about(text, jsonb) TO parity_reader;
GRANT SELECT ON parity.status, parity.run, parity.run_table TO parity_reader;
GRANT SELECT ON parity.divergence, parity.findings, parity.run_error TO parity_operator;
