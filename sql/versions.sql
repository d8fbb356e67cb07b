-- Functions whose SQL declaration is of another version than the library, as after an upgrade of the package alone.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
RESET client_min_messages;
-- The SQLSTATE and message of a statement that fails.
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

CREATE SCHEMA test_versions;
SET search_path = test_versions;
CREATE TABLE t (id int PRIMARY KEY);

-- One column of the result less, one more, and one argument less, for each function that gives rows.
CREATE FUNCTION shapes() RETURNS TABLE (declaration text) LANGUAGE sql AS $$
    SELECT format('CREATE FUNCTION %I(%s) RETURNS %s record AS %L, %L LANGUAGE C', p.proname || '_' || v.kind,
            concat_ws(', ', a.list, (SELECT string_agg(format('OUT o%s int', o), ', ') FROM generate_series(1, p.columns + v.extra) o)),
            CASE WHEN p.proretset THEN 'SETOF' ELSE '' END, p.probin, p.prosrc)
    FROM (SELECT *, cardinality(proallargtypes) - pronargs AS columns FROM pg_proc WHERE pronamespace = 'parity'::regnamespace AND prorettype = 'record'::regtype) p,
        (VALUES ('less', -1, 0), ('more', 1, 0), ('fewer', 0, 1)) v (kind, extra, left_out),
        LATERAL (SELECT string_agg(format_type(t, NULL), ', ' ORDER BY n) AS list FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u (t, n) WHERE n <= p.pronargs - v.left_out) a
    WHERE p.pronargs >= v.left_out
    ORDER BY p.proname, v.kind
$$;
SELECT count(*) FROM (SELECT pg_temp.error_of(declaration) AS made FROM shapes()) s WHERE made = 'no error';
SELECT split_part(pg_temp.error_of(format('SELECT * FROM %I(%s)', p.proname, (SELECT string_agg(CASE WHEN n = 1 AND p.proname NOT LIKE 'last_buckets%' THEN '''t''' ELSE 'NULL' END, ', ' ORDER BY n) FROM generate_series(1, p.pronargs) n))), E'\n', 1) AS error
FROM pg_proc p WHERE p.pronamespace = 'test_versions'::regnamespace AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c') ORDER BY p.proname;
SELECT pg_temp.error_of('SELECT * FROM key_less(''t'')');
SET client_min_messages = warning;
DROP SCHEMA test_versions CASCADE;
