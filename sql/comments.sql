-- Everything of the extension has a comment; results read well.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
RESET client_min_messages;

\pset format unaligned
SELECT obj_description('parity'::regnamespace, 'pg_namespace') IS NOT NULL OR obj_description(oid, 'pg_extension') IS NOT NULL AS described FROM pg_extension WHERE extname = 'pg_parity';

-- Functions, types, operators and aggregates without a comment.
SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend d
WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_parity') AND deptype = 'e'
    AND classid IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass) AND obj_description(objid, classid::regclass::name) IS NULL
    AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = objid AND classid = 'pg_type'::regclass AND typcategory = 'A');

-- Everything lies in the schema parity, and nothing but what is documented does.
SELECT pg_describe_object(classid, objid, objsubid) COLLATE "C" AS object FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_parity') AND deptype = 'e'
    AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = objid AND classid = 'pg_type'::regclass AND typcategory = 'A') ORDER BY 1;

-- What each function takes and gives.
SELECT proname, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result FROM pg_proc p
WHERE pronamespace = 'parity'::regnamespace AND proname IN ('forms', 'key', 'range_digests', 'range_totals', 'slice_digests', 'row_digests', 'row_records', 'split_keys', 'digest_agg', 'sum', 'digest_count', 'format_version') ORDER BY 1;
SELECT parity.format_version();
SELECT name, setting, unit, context, vartype, short_desc FROM pg_settings WHERE name LIKE 'parity.%' ORDER BY 1;
