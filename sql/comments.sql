-- Everything of the extension has a comment; results read well.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
RESET client_min_messages;

\pset format unaligned
SELECT obj_description('parity'::regnamespace, 'pg_namespace') IS NOT NULL OR obj_description(oid, 'pg_extension') IS NOT NULL AS described FROM pg_extension WHERE extname = 'pg_parity';

-- Objects without a comment. Arrays and the row types of tables go without.
SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend d
WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_parity') AND deptype = 'e'
    AND obj_description(objid, classid::regclass::name) IS NULL
    AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = objid AND classid = 'pg_type'::regclass AND (typcategory = 'A' OR typrelid <> 0))
    AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = objid AND classid = 'pg_class'::regclass AND relkind = 'S');
-- Columns without one; names that say all, in every table.
SELECT c.oid::regclass AS relation, a.attname FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
    JOIN pg_attribute a ON a.attrelid = c.oid
WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_parity') AND d.deptype = 'e'
    AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL
    AND a.attname NOT IN ('id', 'run_id', 'run_table_id', 'baseline_id', 'range_no', 'row_count', 'ranges', 'started', 'finished', 'captured', 'recorded');

-- What the schema parity has is documented. What only the extension and pgparity call is in parity_internal, and is nothing else than routines.
SELECT pg_describe_object(classid, objid, objsubid) COLLATE "C" AS object FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_parity') AND deptype = 'e'
    AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = objid AND classid = 'pg_type'::regclass AND (typcategory = 'A' OR typrelid <> 0))
    AND NOT EXISTS (SELECT FROM pg_proc p WHERE p.oid = objid AND classid = 'pg_proc'::regclass AND pronamespace = 'parity_internal'::regnamespace)
ORDER BY 1;

-- What each function takes and gives.
SELECT proname, regexp_replace(pg_get_function_arguments(p.oid), '\mIN ', '', 'g') AS arguments, pg_get_function_result(p.oid) AS result FROM pg_proc p
WHERE pronamespace = 'parity'::regnamespace AND proname IN ('forms', 'key', 'range_digests', 'range_totals', 'slice_digests', 'row_digests', 'row_records', 'split_keys', 'digest_agg', 'sum', 'digest_count', 'format_version', 'capture', 'verify_baseline', 'drop_baseline', 'schedule', 'unschedule') ORDER BY 1;
SELECT parity.format_version();
SELECT name, setting, unit, context, vartype, short_desc FROM pg_settings WHERE name LIKE 'parity.%' ORDER BY 1;
