-- pg_parity 1.0: what the server side of pg_parity offers. docs/sql.md explains it with examples.

\echo Use "CREATE EXTENSION pg_parity" to load this file. \quit

-- Whoever may create objects in this schema can have superusers call them: a function whose arguments fit better than
-- ours is taken instead. So a schema that is there already must be empty, and a superuser's alone. (A dump creates it
-- before the extension, and DROP EXTENSION leaves it.) This check names every operator in full, so that nothing in the
-- schema decides it.
DO $schema$
DECLARE
    reason pg_catalog.text;
BEGIN
    SELECT CASE WHEN NOT o.rolsuper THEN pg_catalog.format('It belongs to "%s", who is no superuser.', o.rolname)
                WHEN EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) AS a
                             WHERE a.privilege_type OPERATOR(pg_catalog.=) 'CREATE'::pg_catalog.text
                    AND a.grantee OPERATOR(pg_catalog.<>) n.nspowner)
                THEN 'Others may create objects in it.'
                ELSE (SELECT pg_catalog.format(
                    'It has %s.', pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid))
                      FROM pg_catalog.pg_depend d
                      WHERE d.refclassid
                              OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid
                        AND d.refobjid OPERATOR(pg_catalog.=) n.oid
                        AND d.classid
                              OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
                      ORDER BY 1 LIMIT 1) END
    INTO reason FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles o ON o.oid OPERATOR(pg_catalog.=) n.nspowner
    WHERE n.nspname OPERATOR(pg_catalog.=) 'parity'::pg_catalog.name;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = 'schema "parity" is not the extension''s alone', ERRCODE = '42P06',
            DETAIL = reason,
            HINT = 'Find out who made it, and drop or rename it. CREATE EXTENSION makes its own.';
    END IF;
END
$schema$;

-- The schema parity has what users call. parity_internal has what only the extension and pgparity call. CREATE SCHEMA
-- fails where a schema of that name is there already: that is somebody else's.
CREATE SCHEMA parity_internal;
COMMENT ON SCHEMA parity_internal IS 'routines of pg_parity that are not for users, and may change in any version';

-- A function without a grant of its own works with the rights of its caller, so everybody may call it. Everybody needs
-- USAGE on parity_internal as well: range_digests plans, with the rights of its caller, a query that names an aggregate
-- there. For a routine that not everybody may call, the EXECUTE privilege of that routine decides, in both schemas.
GRANT USAGE ON SCHEMA parity, parity_internal TO PUBLIC;

--
-- the digest type
--

CREATE TYPE parity.digest;

CREATE FUNCTION parity_internal.digest_in(cstring) RETURNS parity.digest
    AS 'MODULE_PATHNAME', 'parity_digest_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION parity_internal.digest_out(parity.digest) RETURNS cstring
    AS 'MODULE_PATHNAME', 'parity_digest_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION parity_internal.digest_recv(internal) RETURNS parity.digest
    AS 'MODULE_PATHNAME', 'parity_digest_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION parity_internal.digest_send(parity.digest) RETURNS bytea
    AS 'MODULE_PATHNAME', 'parity_digest_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE parity.digest (
    INPUT = parity_internal.digest_in,
    OUTPUT = parity_internal.digest_out,
    RECEIVE = parity_internal.digest_recv,
    SEND = parity_internal.digest_send,
    INTERNALLENGTH = 32,
    ALIGNMENT = double
);
COMMENT ON TYPE parity.digest IS
    'count and sum of the hashes of one slice (a column of a key range); digests of disjoint sets of rows add';
COMMENT ON FUNCTION parity_internal.digest_in(cstring) IS 'I/O';
COMMENT ON FUNCTION parity_internal.digest_out(parity.digest) IS 'I/O';
COMMENT ON FUNCTION parity_internal.digest_recv(internal) IS 'I/O';
COMMENT ON FUNCTION parity_internal.digest_send(parity.digest) IS 'I/O';

CREATE FUNCTION parity_internal.digest_add(parity.digest, parity.digest) RETURNS parity.digest
    AS 'MODULE_PATHNAME', 'parity_digest_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION parity_internal.digest_subtract(parity.digest, parity.digest) RETURNS parity.digest
    AS 'MODULE_PATHNAME', 'parity_digest_subtract' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION parity_internal.digest_eq(parity.digest, parity.digest) RETURNS boolean
    AS 'MODULE_PATHNAME', 'parity_digest_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION parity_internal.digest_ne(parity.digest, parity.digest) RETURNS boolean
    AS 'MODULE_PATHNAME', 'parity_digest_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION parity_internal.digest_add(parity.digest, parity.digest) IS
    'implementation of + operator: the digest of the union of two disjoint sets of rows; error 22023 if they must not '
    'be mixed';
COMMENT ON FUNCTION parity_internal.digest_subtract(parity.digest, parity.digest) IS
    'implementation of - operator: the digest of the first set of rows without the second, which must be a part of it';
COMMENT ON FUNCTION parity_internal.digest_eq(parity.digest, parity.digest) IS
    'implementation of = operator: same count and sum; error 22023 if version, width, form, revision or tag differ';
COMMENT ON FUNCTION parity_internal.digest_ne(parity.digest, parity.digest) IS 'implementation of <> operator';

CREATE OPERATOR parity.+ (
    LEFTARG = parity.digest, RIGHTARG = parity.digest, FUNCTION = parity_internal.digest_add,
    COMMUTATOR = OPERATOR(parity.+)
);
CREATE OPERATOR parity.- (
    LEFTARG = parity.digest, RIGHTARG = parity.digest, FUNCTION = parity_internal.digest_subtract
);
CREATE OPERATOR parity.= (
    LEFTARG = parity.digest, RIGHTARG = parity.digest, FUNCTION = parity_internal.digest_eq,
    COMMUTATOR = OPERATOR(parity.=), NEGATOR = OPERATOR(parity.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
CREATE OPERATOR parity.<> (
    LEFTARG = parity.digest, RIGHTARG = parity.digest, FUNCTION = parity_internal.digest_ne,
    COMMUTATOR = OPERATOR(parity.<>), NEGATOR = OPERATOR(parity.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR parity.+ (parity.digest, parity.digest) IS 'merge digests of disjoint sets of rows';
COMMENT ON OPERATOR parity.- (parity.digest, parity.digest) IS 'take the digest of a part away';
COMMENT ON OPERATOR parity.= (parity.digest, parity.digest) IS 'same count and sum';
COMMENT ON OPERATOR parity.<> (parity.digest, parity.digest) IS 'other count or sum';

CREATE AGGREGATE parity.sum(parity.digest) (
    SFUNC = parity_internal.digest_add, STYPE = parity.digest, COMBINEFUNC = parity_internal.digest_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE parity.sum(parity.digest) IS
    'merges digests of disjoint sets of rows, as + does; NULL for no digests';

CREATE FUNCTION parity.digest_count(parity.digest) RETURNS bigint
    AS 'MODULE_PATHNAME', 'parity_digest_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION parity.digest_count(parity.digest) IS 'number of rows that a digest covers';

CREATE FUNCTION parity.format_version() RETURNS integer
    AS 'MODULE_PATHNAME', 'parity_format_version' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION parity.format_version() IS
    'version of the digest format (docs/digest-format.md); only digests of one version can be compared';

--
-- the aggregates
--

-- Stable, because an enum's label and the name behind a reg* value can change.
CREATE FUNCTION parity_internal.digest_agg_transition(internal, jsonb, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'parity_digest_agg_transition' LANGUAGE C STABLE PARALLEL SAFE;
CREATE FUNCTION parity_internal.range_digest_agg_transition(internal, bytea, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'parity_range_digest_agg_transition' LANGUAGE C STABLE PARALLEL SAFE;
CREATE FUNCTION parity_internal.digest_agg_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'parity_digest_agg_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION parity_internal.digest_agg_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'parity_digest_agg_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION parity_internal.digest_agg_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'parity_digest_agg_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION parity_internal.digest_agg_final(internal) RETURNS parity.digest[]
    AS 'MODULE_PATHNAME', 'parity_digest_agg_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION parity_internal.range_digest_agg_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'parity_range_digest_agg_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION parity_internal.digest_agg_transition(internal, jsonb, VARIADIC "any") IS
    'aggregate transition function';
COMMENT ON FUNCTION parity_internal.range_digest_agg_transition(internal, bytea, VARIADIC "any") IS
    'aggregate transition function';
COMMENT ON FUNCTION parity_internal.digest_agg_combine(internal, internal) IS 'aggregate combine function';
COMMENT ON FUNCTION parity_internal.digest_agg_serialize(internal) IS 'aggregate serial function';
COMMENT ON FUNCTION parity_internal.digest_agg_deserialize(bytea, internal) IS 'aggregate deserial function';
COMMENT ON FUNCTION parity_internal.digest_agg_final(internal) IS 'aggregate final function';
COMMENT ON FUNCTION parity_internal.range_digest_agg_final(internal) IS 'aggregate final function';

CREATE AGGREGATE parity.digest_agg(jsonb, VARIADIC "any") (
    SFUNC = parity_internal.digest_agg_transition, STYPE = internal, FINALFUNC = parity_internal.digest_agg_final,
    COMBINEFUNC = parity_internal.digest_agg_combine, SERIALFUNC = parity_internal.digest_agg_serialize,
    DESERIALFUNC = parity_internal.digest_agg_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE parity.digest_agg(jsonb, VARIADIC "any") IS
    'digests of any query: options {"key": number of leading arguments that are the key (default 1, 0 = keyless), '
    '"seed", "width", "forms": [one per argument]}, then the key and the columns; gives the digests of key, row and '
    'each column, or NULL for no rows';

CREATE AGGREGATE parity_internal.range_digest_agg(bytea, VARIADIC "any") (
    SFUNC = parity_internal.range_digest_agg_transition, STYPE = internal,
    FINALFUNC = parity_internal.range_digest_agg_final,
    COMBINEFUNC = parity_internal.digest_agg_combine, SERIALFUNC = parity_internal.digest_agg_serialize,
    DESERIALFUNC = parity_internal.digest_agg_deserialize, PARALLEL = SAFE
);
COMMENT ON AGGREGATE parity_internal.range_digest_agg(bytea, VARIADIC "any") IS
    'the aggregate behind range_digests where a relation cannot be scanned directly';

--
-- functions that read a relation
--

CREATE FUNCTION parity.forms(
    relation regclass,
    OUT column_name name, OUT data_type text, OUT form text, OUT other_forms text[], OUT lossy_forms text[],
    OUT reason text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'parity_forms' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION parity.forms(regclass) IS
    'what each column is hashed as by default and could be hashed as instead; under lossy_forms values that differ may '
    'be equal, so that they must be asked for (put a time zone in the place of the word zone); form is NULL and reason '
    'says why where a column is not comparable';

CREATE FUNCTION parity.key(
    relation regclass,
    OUT key_columns name[], OUT proven boolean, OUT index regclass)
    AS 'MODULE_PATHNAME', 'parity_key' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION parity.key(regclass) IS
    'the key that identifies the rows of a relation: its primary key, else a proven unique index (valid, immediate, '
    'not partial, no expressions, over NOT NULL columns, no inheritance children), else a primary key that is '
    'deferrable or whose table has children, unproven; an empty list and NULL where there is none';

CREATE FUNCTION parity.split_keys(
    relation regclass, ranges integer DEFAULT 64, key_columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL,
    without_children boolean DEFAULT false,
    OUT bound_no integer, OUT bound bytea, OUT bound_text text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'parity_split_keys' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 64;
COMMENT ON FUNCTION parity.split_keys(regclass, integer, text[], jsonb, boolean) IS
    'at most ranges - 1 ascending bounds that divide a relation evenly, read from the inner pages of the key''s '
    'B-tree; hash bounds where there is no such index';

CREATE FUNCTION parity.range_digests(
    relation regclass, ranges integer DEFAULT 64, bounds bytea[] DEFAULT NULL,
    key_columns text[] DEFAULT NULL, columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL,
    filter text DEFAULT NULL, seed bigint DEFAULT 0, width integer DEFAULT 64, workers integer DEFAULT NULL,
    path text DEFAULT 'auto', only_ranges integer[] DEFAULT NULL,
    without_children boolean DEFAULT false, buckets integer DEFAULT 1,
    OUT range_no integer, OUT lower_bound text, OUT upper_bound text, OUT row_count bigint,
    OUT key_digest parity.digest, OUT row_digest parity.digest, OUT column_digests parity.digest[],
    OUT lower_key bytea, OUT upper_key bytea, OUT path_taken text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'parity_range_digests' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 64;
COMMENT ON FUNCTION parity.range_digests(regclass, integer, bytea[], text[], text[], jsonb, text, bigint, integer,
    integer, text, integer[], boolean, integer) IS
    'one row a range: its rows'' count and the digests of key, row and columns; with buckets (a power of two up to '
    '64), last_buckets() can then tell more';

CREATE FUNCTION parity.range_totals(
    relation regclass, ranges integer DEFAULT 64, bounds bytea[] DEFAULT NULL,
    key_columns text[] DEFAULT NULL, columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL,
    filter text DEFAULT NULL, seed bigint DEFAULT 0, width integer DEFAULT 64, workers integer DEFAULT NULL,
    path text DEFAULT 'auto', only_ranges integer[] DEFAULT NULL,
    without_children boolean DEFAULT false, buckets integer DEFAULT 1,
    OUT range_numbers integer[], OUT row_counts bigint[], OUT key_digests parity.digest[],
    OUT row_digests parity.digest[], OUT path_taken text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'parity_range_totals' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION parity.range_totals(regclass, integer, bytea[], text[], text[], jsonb, text, bigint, integer,
    integer, text, integer[], boolean, integer) IS
    'the same as range_digests without columns and bounds, for many ranges: some hundred ranges a row, in parallel '
    'arrays';

CREATE FUNCTION parity.last_digest(
    OUT path text, OUT workers_requested integer, OUT workers_launched integer, OUT pages bigint, OUT rows bigint,
    OUT milliseconds double precision, OUT obstacle text)
    AS 'MODULE_PATHNAME', 'parity_last_digest' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION parity.last_digest() IS
    'how the session''s last digests (range_digests, range_totals, slice_digests) or rows (row_digests, row_records) '
    'were read: the path taken (scan, index, aggregate, query), the parallel workers that were asked for and that '
    'came, the pages that were read, the rows that were digested or given, how long that took, and why the pages of '
    'the relation could not be read directly; NULL for what is not known, and everywhere before the first one';

CREATE FUNCTION parity.last_buckets(
    only_ranges integer[] DEFAULT NULL,
    OUT range_no integer, OUT buckets integer, OUT sums bytea)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'parity_last_buckets' LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 64;
COMMENT ON FUNCTION parity.last_buckets(integer[]) IS
    'the buckets of the transaction''s last range_digests or range_totals, for all or some ranges: the rows of a '
    'range, divided by the low bits of the low 64 bits of their keys'' hashes, and for each bucket in turn the sum of '
    'its row hashes, big endian; no rows where there were none, they did not fit into parity.max_digest_memory, or '
    'another role asked for them';

CREATE FUNCTION parity_internal.why_not_by_blocks(
    relation regclass, key_columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL,
    without_children boolean DEFAULT false)
    RETURNS text
    AS 'MODULE_PATHNAME', 'parity_why_not_by_blocks' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION parity_internal.why_not_by_blocks(regclass, text[], jsonb, boolean) IS
    'why spans of the relation''s key cannot be read by the blocks that an index lists, or not in their share of the '
    'time; NULL where they can';

CREATE FUNCTION parity_internal.read_by_blocks(read_before bytea DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'parity_read_by_blocks' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION parity_internal.read_by_blocks(bytea) IS
    'from now on to the end of the transaction, passes over chosen ranges read the blocks in which the index of the '
    'key lists rows of them, and fail (PP004) if there are rows on these blocks that the index lacks; read_before: '
    'what last_blocks() gave after other such passes, one after the other';

CREATE FUNCTION parity_internal.last_blocks() RETURNS bytea
    AS 'MODULE_PATHNAME', 'parity_last_blocks' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION parity_internal.last_blocks() IS
    'the blocks that the transaction''s passes have read so';

CREATE FUNCTION parity_internal.check_other_blocks(
    relation regclass, key_columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL,
    without_children boolean DEFAULT false, blocks_read bytea DEFAULT NULL, OUT blocks bigint, OUT rows bigint)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'parity_check_other_blocks' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION parity_internal.check_other_blocks(regclass, text[], jsonb, boolean, bytea) IS
    'reads the blocks that are not among blocks_read, and fails (PP004) if there is a row on them that the index of '
    'the key lacks; how many blocks and rows there were';

CREATE FUNCTION parity.slice_digests(
    relation regclass, ranges integer DEFAULT 64, bounds bytea[] DEFAULT NULL,
    key_columns text[] DEFAULT NULL, columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL,
    filter text DEFAULT NULL, seed bigint DEFAULT 0, width integer DEFAULT 64, workers integer DEFAULT NULL,
    path text DEFAULT 'auto', only_ranges integer[] DEFAULT NULL, without_children boolean DEFAULT false,
    OUT range_no integer, OUT lower_bound text, OUT upper_bound text,
    OUT slice text, OUT column_name name, OUT digest parity.digest)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'parity_slice_digests' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 640;
COMMENT ON FUNCTION parity.slice_digests(regclass, integer, bytea[], text[], text[], jsonb, text, bigint, integer,
    integer, text, integer[], boolean) IS
    'the same as range_digests with one row a slice: "key", "row" and "column"';

CREATE FUNCTION parity.row_digests(
    relation regclass, lower_bound bytea DEFAULT NULL, upper_bound bytea DEFAULT NULL,
    bounds bytea[] DEFAULT NULL, only_ranges integer[] DEFAULT NULL, keys bytea[] DEFAULT NULL,
    key_columns text[] DEFAULT NULL, columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL,
    filter text DEFAULT NULL, seed bigint DEFAULT 0, width integer DEFAULT 64,
    workers integer DEFAULT NULL, buckets integer DEFAULT 1, without_children boolean DEFAULT false,
    with_values boolean DEFAULT false,
    OUT range_no integer, OUT key bytea, OUT key_text text, OUT row_hash bytea, OUT cell_hashes bytea,
    OUT column_values text[], OUT key_values text[])
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'parity_row_digests' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1000;
COMMENT ON FUNCTION parity.row_digests(regclass, bytea, bytea, bytea[], integer[], bytea[], text[], text[], jsonb, text,
    bigint, integer, integer, integer, boolean, boolean) IS
    'one row a row of [lower_bound, upper_bound), or of the chosen ranges of a list of bounds, or with the given '
    'framed keys: its framed key, row hash and cell hashes, in the order of range, key bytes and row hash; with '
    'buckets, only_ranges and range_no are numbers of buckets, counted through all ranges from 1; with_values adds the '
    'texts of columns and key columns, as the server prints them';

CREATE FUNCTION parity.row_records(
    relation regclass, lower_bound bytea DEFAULT NULL, upper_bound bytea DEFAULT NULL,
    bounds bytea[] DEFAULT NULL, only_ranges integer[] DEFAULT NULL, keys bytea[] DEFAULT NULL,
    key_columns text[] DEFAULT NULL, columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL,
    filter text DEFAULT NULL, seed bigint DEFAULT 0, width integer DEFAULT 64, workers integer DEFAULT NULL,
    buckets integer DEFAULT 1, without_children boolean DEFAULT false, OUT row_count integer, OUT records bytea)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'parity_row_records' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION parity.row_records(regclass, bytea, bytea, bytea[], integer[], bytea[], text[], text[], jsonb, text,
    bigint, integer, integer, integer, boolean) IS
    'the same as row_digests for programs: some hundred rows a value, each as its length, range number (both four '
    'bytes, big endian), framed key, row hash and cell hashes, in the same order; with buckets, a last row with a '
    'row_count of 0 tells what was read to find them: eight bytes with the number of all rows of their ranges and the '
    'sum of these rows'' key hashes, then the same of the rows given, big endian';

CREATE FUNCTION parity.key_values(key bytea, forms text[]) RETURNS text[]
    AS 'MODULE_PATHNAME', 'parity_key_values' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION parity.key_values(bytea, text[]) IS
    'the columns of a framed key, as row_digests gives it, as texts for people; forms are the forms of its columns, of '
    'all columns where there is no key; of some types these are not what the server prints, which row_digests tells';

CREATE FUNCTION parity.row_versions(
    relation regclass, keys bytea[], key_columns text[] DEFAULT NULL, columns text[] DEFAULT NULL,
    forms jsonb DEFAULT NULL, OUT key bytea, OUT xmin xid, OUT xmax xid)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'parity_row_versions' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1000;
COMMENT ON FUNCTION parity.row_versions(regclass, bytea[], text[], text[], jsonb) IS
    'one row a row with one of these framed keys, as row_digests gives them: the key, and the system columns xmin and '
    'xmax; columns matter only where there is no key; an error (0A000) where the relation is not read from its own '
    'pages';

CREATE FUNCTION parity.fresh_rows(
    relation regclass, since xid8, bounds bytea[] DEFAULT NULL, only_ranges integer[] DEFAULT NULL,
    key_columns text[] DEFAULT NULL, columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL,
    OUT range_no integer, OUT row_count bigint)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'parity_fresh_rows' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;
COMMENT ON FUNCTION parity.fresh_rows(regclass, xid8, bytea[], integer[], text[], text[], jsonb) IS
    'how many rows of each range were written by a transaction that is not older than this one; ranges without such '
    'rows are not told; otherwise as row_versions';

CREATE FUNCTION parity.hold_relation(relation oid) RETURNS "char"
    AS 'MODULE_PATHNAME', 'parity_hold_relation' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION parity.hold_relation(oid) IS
    'locks a relation that the caller may read, as reading does, until the end of the transaction, and gives its kind '
    '(as in pg_class.relkind) under that lock; NULL where there is none';
