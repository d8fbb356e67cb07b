"""Indexes whose order is not that of their collation any more, as after an upgrade of the library that collates: what was found stays found."""

import pytest

from conftest import make_pair
from support.pgparity import DIVERGENT, IDENTICAL

pytestmark = pytest.mark.matrix(sample=2)

# Built under "C", then told to be another one. Which rows it finds depends on their keys.
BROKEN = """
CREATE TABLE t (k text COLLATE "C" PRIMARY KEY, v int);
INSERT INTO t SELECT CASE WHEN g % 2 = 0 THEN chr(65 + g % 26) ELSE chr(97 + g % 26) END || md5(g::text), g FROM generate_series(1, 20000) g;
CREATE TABLE t2 (a text COLLATE "C", b int, v int, PRIMARY KEY (a, b));
INSERT INTO t2 SELECT CASE WHEN g % 2 = 0 THEN chr(65 + g % 26) ELSE chr(97 + g % 26) END || md5((g / 3)::text), g, g FROM generate_series(1, 20000) g;
SET allow_system_table_mods = on;
UPDATE pg_index SET indcollation = array_to_string(ARRAY(SELECT CASE WHEN c = '"C"'::regcollation THEN '"en-x-icu"'::regcollation::oid ELSE c::oid END
    FROM unnest(indcollation) c), ' ')::oidvector WHERE indexrelid IN ('t_pkey'::regclass, 't2_pkey'::regclass);
UPDATE pg_attribute SET attcollation = '"en-x-icu"'::regcollation
    WHERE attrelid IN ('t'::regclass, 't2'::regclass, 't_pkey'::regclass, 't2_pkey'::regclass) AND attcollation = '"C"'::regcollation;
"""
DIFFERENCES = "".join(
    f"UPDATE {t} SET v = -1 WHERE v IN (7, 7000, 19999); DELETE FROM {t} WHERE v IN (55, 12345); UPDATE {t} SET {k} = 'zz' || {k} WHERE v IN (100, 101);"
    for t, k in (("t", "k"), ("t2", "a")))


@pytest.fixture(scope="module")
def broken(source_cluster, target_cluster):
    for made in make_pair(source_cluster, target_cluster, "auto"):
        for side in (made.source, made.target):
            side.psql(BROKEN)
        # The index does not find what it holds: otherwise nothing is tested here.
        assert made.source.value("SELECT count(*) FILTER (WHERE NOT found) FROM (SELECT EXISTS (SELECT FROM t AS x WHERE x.k = y.k) AS found"
                                 " FROM (SELECT k FROM t LIMIT 3000) AS y) AS z") > 0
        yield made


COMBINATIONS = [pytest.param(engine, ranges, more, marks=() if (ranges, more) in ((8, ()), (2000, ()), (8, ("--where", "v > -5"))) else pytest.mark.long)
                for engine in ("extension", "stream") for ranges in (1, 8, 64, 2000) for more in ((), ("--workers", "0"), ("--where", "v > -5"))]


def compare(pair, engine, ranges, more):
    return pair.compare("--engine", engine, "--ranges", str(ranges), "--table", "t", "--table", "t2", *more)


@pytest.mark.parametrize("engine, ranges, more", COMBINATIONS)
def test_differences_under_an_index_of_another_order(broken, engine, ranges, more):
    if not broken.target.value("SELECT EXISTS (SELECT FROM t WHERE v = -1)"):
        compare(broken, engine, ranges, more).expect(IDENTICAL)
        broken.target.psql("SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;" + DIFFERENCES)
    run = compare(broken, engine, ranges, more).expect(DIVERGENT)
    for name in ("public.t", "public.t2"):
        table = run.table(name)
        assert table["counts"] == {"mismatch": "3", "missing_on_target": "4", "missing_on_source": "2"}, str(run)
        assert not table["incomplete"] and "error" not in table
        changed = [d for d in table["divergences"] if d["kind"] == "mismatch"]
        assert {d["source"]["v"] for d in changed} == {"7", "7000", "19999"} and {d["target"]["v"] for d in changed} == {"-1"}
