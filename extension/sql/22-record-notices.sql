
--
-- records: notices about them
--

-- What NOTIFY sends and callbacks get. A notification has less than 8000 bytes; a character may take six in JSON.
CREATE FUNCTION parity_internal.record_payload(told_run bigint, told_table bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    payload jsonb;
    longest integer;
BEGIN
    FOREACH longest IN ARRAY '{1000,300}'::integer[] LOOP
        SELECT jsonb_strip_nulls(jsonb_build_object(
            'run', r.id, 'kind', r.kind, 'relation', left(t.relation, longest), 'target', left(r.target, longest),
            -- Only the names of the scope's members are sent: a filter may have values in it.
            'scope', (SELECT jsonb_agg(k.name ORDER BY k.name) FROM jsonb_object_keys(t.scope) AS k(name)),
            'status', CASE WHEN t.details ? 'left_out' THEN 'left_out' ELSE coalesce(t.status, r.status)::text END,
            'divergent_ranges', t.divergent_ranges, 'divergent_rows', t.divergent_rows,
            'in_flight_rows', t.in_flight_rows, 'sqlstate', left(coalesce(t.sqlstate, r.sqlstate), 5),
            -- Every role may listen, and a server's error may quote a value.
            'message', CASE WHEN coalesce(t.sqlstate, r.sqlstate) IS NULL
                            THEN left(coalesce(t.message, r.message), longest) END))
        INTO payload FROM parity.run r LEFT JOIN parity.run_table t ON t.id = told_table WHERE r.id = told_run;
        EXIT WHEN octet_length(payload::text) < 7900;
    END LOOP;
    RETURN payload;
END
$$;
COMMENT ON FUNCTION parity_internal.record_payload(bigint, bigint) IS
    'what is told of a run, or of one table of it (NULL: of the run as a whole), in notifications and to callbacks; '
    'long texts are cut';

CREATE FUNCTION parity_internal.record_line(told_run bigint, told_table bigint) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('verification of %s against %s: %s',
                  coalesce(t.relation, CASE r.kind WHEN 'compare' THEN r.source ELSE 'database ' || r.source END),
                  r.target, coalesce(t.status, r.status))
           || CASE WHEN t.divergent_ranges > 0 AND t.divergent_rows IS NULL
                   THEN format(', %s of %s ranges differ', t.divergent_ranges, t.ranges)
                   WHEN t.divergent_ranges > 0 AND t.unnamed_ranges > 0 AND t.divergent_rows = 0
                   THEN format(', rows of %s ranges differ', t.divergent_ranges)
                   WHEN t.divergent_rows > 0
                   THEN format(CASE WHEN t.unnamed_ranges > 0 THEN ', at least %s rows differ'
                                    ELSE ', %s rows differ' END, t.divergent_rows)
                   ELSE '' END
           || CASE WHEN t.in_flight_rows > 0 THEN format(', %s rows in flight', t.in_flight_rows) ELSE '' END
           || coalesce(': ' || coalesce(t.message, r.message), '')
    FROM parity.run r LEFT JOIN parity.run_table t ON t.id = told_table WHERE r.id = told_run
$$;
COMMENT ON FUNCTION parity_internal.record_line(bigint, bigint) IS 'the same for people';

CREATE FUNCTION parity_internal.record_hint(told_run bigint, told_table bigint, status text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(CASE WHEN status = 'divergent' THEN 'SELECT * FROM parity.findings WHERE run_id = %s'
                       WHEN told_table IS NOT NULL OR EXISTS (SELECT FROM parity.run_table t WHERE t.run_id = told_run)
                       THEN 'SELECT * FROM parity.run_table WHERE run_id = %s'
                       ELSE 'SELECT * FROM parity.run WHERE id = %s' END, told_run)
$$;
COMMENT ON FUNCTION parity_internal.record_hint(bigint, bigint, text) IS 'the query that tells more of a run';

CREATE FUNCTION parity_internal.record_warn(message text, state text) RETURNS void
    AS 'MODULE_PATHNAME', 'parity_record_warn' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION parity_internal.record_warn(text, text) IS
    'a WARNING with this SQLSTATE, which is one line of the server''s log: RAISE would add ten of CONTEXT';

CREATE FUNCTION parity_internal.record_tell(told_run bigint, told_table bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    payload jsonb := parity_internal.record_payload(told_run, told_table);
BEGIN
    PERFORM pg_notify('parity', payload::text);
    IF payload ->> 'status' NOT IN ('identical', 'left_out') THEN
        PERFORM parity_internal.record_warn(
            format('%s; %s', parity_internal.record_line(told_run, told_table),
                   parity_internal.record_hint(told_run, told_table, payload ->> 'status')),
            CASE payload ->> 'status' WHEN 'divergent' THEN 'PP002' ELSE 'PP003' END);
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.record_tell(bigint, bigint) IS
    'sends NOTIFY parity with a JSON payload and, unless all is identical or the table is left out by what it is, a '
    'WARNING: PP002 for divergence, PP003 for a run that proved nothing';
