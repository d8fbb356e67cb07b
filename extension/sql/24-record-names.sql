
--
-- records: the relations and functions that a call names
--

-- Procedures take names and no regclass or regproc, because a name that is not found must be recorded.
-- This function has no pinned search_path: it finds the name as the caller does. A name without a schema that is not
-- found gets the schema where it would be created. Earlier records, from when the table was there, have that name.
CREATE FUNCTION parity_internal.record_find(relation text) RETURNS jsonb
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    found pg_catalog.oid;
    parts pg_catalog.text[];
    state pg_catalog.text;
    message pg_catalog.text;
BEGIN
    BEGIN
        found := relation::pg_catalog.regclass;
        RETURN pg_catalog.jsonb_build_object('oid', found,
            'name', coalesce(parity_internal.record_name(found), relation));
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    END;
    BEGIN
        parts := pg_catalog.parse_ident(relation);
    EXCEPTION WHEN OTHERS THEN
        parts := ARRAY[relation];
    END;
    IF pg_catalog.cardinality(parts) OPERATOR(pg_catalog.=) 1 THEN
        parts := ARRAY[coalesce(pg_catalog.current_schema()::pg_catalog.text, 'public'), parts[1]];
    END IF;
    RETURN pg_catalog.jsonb_build_object('name', parity_internal.record_quoted(parts),
        'error', pg_catalog.jsonb_build_object(
            'sqlstate', state, 'message', message));
END
$$;
COMMENT ON FUNCTION parity_internal.record_find(text) IS
    'the relation that a name means to the caller: {"oid", "name"}, or {"name", "error"} with its SQLSTATE and message';

CREATE FUNCTION parity_internal.record_quoted(parts text[]) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $$
    SELECT string_agg(quote_ident(p.name), '.' ORDER BY p.no) FROM unnest(parts) WITH ORDINALITY AS p(name, no)
$$;
COMMENT ON FUNCTION parity_internal.record_quoted(text[]) IS 'a qualified name, quoted where it must be';

CREATE FUNCTION parity_internal.record_name(relation oid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT parity_internal.record_quoted(ARRAY[n.nspname::text, c.relname::text])
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation
$$;
COMMENT ON FUNCTION parity_internal.record_name(oid) IS 'the qualified name under which a relation is recorded';

CREATE FUNCTION parity_internal.record_find_callback(callback text) RETURNS jsonb
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    found pg_catalog.oid;
    state pg_catalog.text;
    message pg_catalog.text;
BEGIN
    IF callback IS NULL THEN
        RETURN NULL;
    END IF;
    found := pg_catalog.concat(callback, '(pg_catalog.jsonb)')::pg_catalog.regprocedure;
    RETURN (SELECT pg_catalog.jsonb_build_object('oid', p.oid,
                'name', parity_internal.record_quoted(ARRAY[n.nspname::pg_catalog.text, p.proname::pg_catalog.text]))
            FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
            WHERE p.oid OPERATOR(pg_catalog.=) found);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    RETURN pg_catalog.jsonb_build_object('error', pg_catalog.jsonb_build_object('sqlstate', state, 'message', message));
END
$$;
COMMENT ON FUNCTION parity_internal.record_find_callback(text) IS
    'the function of one jsonb that a name means to the caller, as record_find gives a relation';

CREATE FUNCTION parity_internal.record_require_primary() RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE = 'a standby cannot keep the records of a verification',
            HINT = 'Call it on the primary. The foreign server of parity.verify may lead to a standby.';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.record_require_primary() IS
    'an error (25006) on a standby, where nothing can be recorded';

CREATE FUNCTION parity_internal.record_require_values(asked jsonb, names text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        IF asked ->> name IS NULL THEN
            RAISE EXCEPTION USING MESSAGE = format('%s must not be NULL', name), ERRCODE = '22004';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.record_require_values(jsonb, text[]) IS
    'an error (22004) where what a record would be about is not given';
