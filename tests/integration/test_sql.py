"""The extension's functions where pg_regress cannot go: several sessions, settings, real sizes."""

import re

import psycopg2
import pytest

MIXED = ("CREATE TABLE t (id bigint PRIMARY KEY, n int, s text, d numeric, at timestamptz, j jsonb, u uuid, f float8, b bytea, a int[]);"
         "INSERT INTO t SELECT g, g % 100, 'text ' || g, g / 7.0, timestamptz '2020-01-01+00' + g * interval '1 s', jsonb_build_object('k', g),"
         "md5(g::text)::uuid, g / 3.0, decode(md5(g::text), 'hex'), ARRAY[g, NULL] FROM generate_series(1, 100000) g; ANALYZE t")
DIGESTS = "SELECT range_no, row_count, key_digest::text, row_digest::text, column_digests::text, lower_key, upper_key FROM parity.range_digests('t', {})"


@pytest.fixture
def mixed(pair):
    pair.source.execute(MIXED)
    return pair.source


def test_every_path_and_number_of_workers_gives_the_same_digests(mixed):
    expected = mixed.query(DIGESTS.format("ranges => 32, path => 'scan', workers => 0"))
    assert sum(row[1] for row in expected) == 100000 and len(expected) == 32
    for arguments in ("path => 'scan', workers => 1", "path => 'scan', workers => 3", "path => 'scan'", "path => 'aggregate'", "path => 'aggregate', workers => 3",
                      "filter => 'true'"):
        assert mixed.query(DIGESTS.format("ranges => 32, " + arguments)) == expected, arguments
    mixed.execute("SET max_parallel_workers_per_gather = 4; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0")
    for arguments in ("path => 'scan'", "path => 'aggregate'"):
        assert mixed.query(DIGESTS.format("ranges => 32, " + arguments)) == expected, arguments


SETTINGS = ["TimeZone = 'Asia/Kolkata'", "DateStyle = 'German'", "IntervalStyle = 'sql_standard'", "extra_float_digits = -10", "bytea_output = 'escape'",
            "client_encoding = 'LATIN1'", "lc_numeric = 'C'", "search_path = ''", "default_toast_compression = 'pglz'", "jit = on", "enable_seqscan = off",
            "work_mem = '64kB'", "max_parallel_workers_per_gather = 0"]


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_have_no_influence(mixed, setting):
    sql = DIGESTS.format("ranges => 8, workers => 2").replace("'t'", "'public.t'")
    expected = mixed.query(sql)
    mixed.execute("SET " + setting)
    assert mixed.query(sql) == expected
    assert mixed.query(sql.replace("workers => 2", "path => 'aggregate'")) == expected


def test_digests_add_up(mixed):
    one = mixed.query("SELECT row_count, key_digest::text, row_digest::text FROM parity.range_digests('t', ranges => 1)")
    many = mixed.query("SELECT sum(row_count), parity.sum(key_digest)::text, parity.sum(row_digest)::text FROM parity.range_digests('t', ranges => 100)")
    assert [tuple(map(str, r)) for r in one] == [tuple(map(str, r)) for r in many]


def test_rows_add_up_to_their_range(mixed):
    bounds = mixed.value("SELECT array_agg(bound ORDER BY bound_no) FROM parity.split_keys('t', 20)")
    ranges = mixed.query("SELECT row_count, row_digest::text FROM parity.range_digests('t', bounds => %s)", [bounds])
    for number in (1, 7, len(ranges)):
        hashes = mixed.query("SELECT row_hash FROM parity.row_digests('t', bounds => %s, only_ranges => %s)", [bounds, [number]])
        total = sum(int.from_bytes(bytes(h[0]), "big") for h in hashes) % 2**64
        count, digest = ranges[number - 1]
        assert len(hashes) == count and digest.split(":")[-1] == f"{total:016x}"


def test_row_digests_are_in_order(mixed):
    rows = [(r[0], bytes(r[1]), bytes(r[2])) for r in mixed.query("SELECT range_no, key, row_hash FROM parity.row_digests('t')")]
    assert len(rows) == 100000 and rows == sorted(rows)


def test_split_keys_divide_evenly(mixed):
    for ranges in (2, 16, 100):
        bounds = mixed.value(f"SELECT array_agg(bound ORDER BY bound_no) FROM parity.split_keys('t', {ranges})")
        counts = [r[0] for r in mixed.query("SELECT row_count FROM parity.range_digests('t', bounds => %s)", [bounds])]
        assert ranges // 2 <= len(counts) <= ranges and sum(counts) == 100000
        assert max(counts) <= 3 * 100000 / len(counts)


def test_cancel(pair):
    """A long scan ends at once when it is cancelled, workers included."""
    pair.source.execute("CREATE UNLOGGED TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat('x', 100) FROM generate_series(1, 300000) n")
    pair.source.execute("SET statement_timeout = '40ms'")
    for call in ("parity.range_digests('t', path => 'scan', workers => 2)", "parity.range_digests('t', path => 'aggregate')", "parity.row_digests('t')"):
        with pytest.raises(psycopg2.errors.QueryCanceled):
            pair.source.execute(f"SELECT count(*) FROM {call} a, {call} b, {call} c, {call} d")
    pair.source.cluster.wait_for("SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'")


def test_serializable_takes_the_aggregate(mixed):
    mixed.execute("SET default_transaction_isolation = 'serializable'")
    assert mixed.value("SELECT min(path_taken) FROM parity.range_digests('t')") == "aggregate"
    with pytest.raises(psycopg2.errors.FeatureNotSupported):
        mixed.execute("SELECT * FROM parity.range_digests('t', path => 'scan')")


def test_other_sessions_temporary_table(pair):
    other = pair.source.connect()
    with other.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE mine (id int PRIMARY KEY); INSERT INTO mine VALUES (1); SELECT 'mine'::regclass::oid, sum(row_count) FROM parity.range_digests('mine')")
        oid, rows = cursor.fetchone()
    assert rows == 1
    with pytest.raises(psycopg2.Error) as caught:
        pair.source.execute(f"SELECT * FROM parity.range_digests({oid}::regclass)")
    assert caught.value.pgcode == "0A000", caught.value
    other.close()


def test_psql_shows_what_there_is(pair):
    functions = pair.source.psql(r"\df+ parity.*", "-At")
    for name in ("range_digests", "split_keys", "row_digests", "forms", "format_version", "digest_agg"):
        assert name in functions
    assert "verify_step" not in functions and "verify_step" in pair.source.psql(r"\df parity_internal.*", "-At")
    assert "pg_parity" in pair.source.psql(r"\dx+ pg_parity")
    uncommented = pair.source.query("SELECT p.oid::regprocedure::text FROM pg_proc p WHERE pronamespace::regnamespace::text ~ '^parity(_internal)?$' AND obj_description(p.oid, 'pg_proc') IS NULL")
    assert uncommented == []


def test_extension_in_dump_and_drop(pair):
    pair.source.execute("DROP EXTENSION pg_parity")
    assert pair.source.value("SELECT count(*) FROM pg_proc WHERE proname ~ 'digest' AND pronamespace <> 'pg_catalog'::regnamespace") == 0
    pair.source.execute("CREATE EXTENSION pg_parity")
    assert re.fullmatch(r"\d+", str(pair.source.value("SELECT parity.format_version()")))
