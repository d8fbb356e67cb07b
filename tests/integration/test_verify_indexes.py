"""parity.verify over indexes that are not in the order of their collation, as after a new version of a library: what differs is told in full."""

import collections

import pytest

from support.verified import Verified

# Made under "C", and then said to be ICU's: searches miss rows.
BROKEN = """
CREATE TABLE t (k text COLLATE "C" PRIMARY KEY, v int);
INSERT INTO t SELECT CASE WHEN g % 2 = 0 THEN chr(65 + g % 26) ELSE chr(97 + g % 26) END || md5(g::text), g FROM generate_series(1, 20000) g;
CREATE TABLE t2 (a text COLLATE "C", b int, v int, PRIMARY KEY (a, b));
INSERT INTO t2 SELECT CASE WHEN g % 2 = 0 THEN chr(65 + g % 26) ELSE chr(97 + g % 26) END || md5((g / 3)::text), g, g FROM generate_series(1, 20000) g;
SET allow_system_table_mods = on;
UPDATE pg_index SET indcollation = array_to_string(ARRAY(
    SELECT CASE WHEN c = '"C"'::regcollation THEN '"en-x-icu"'::regcollation::oid ELSE c::oid END FROM unnest(indcollation) c), ' ')::oidvector
WHERE indexrelid IN ('t_pkey'::regclass, 't2_pkey'::regclass);
UPDATE pg_attribute SET attcollation = '"en-x-icu"'::regcollation
WHERE attrelid IN ('t'::regclass, 't2'::regclass, 't_pkey'::regclass, 't2_pkey'::regclass) AND attcollation = '"C"'::regcollation;
RESET allow_system_table_mods
"""
PLANTED = """
SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
UPDATE {t} SET v = -1 WHERE v IN (7, 7000, 19999); DELETE FROM {t} WHERE v IN (55, 12345); UPDATE {t} SET {k} = 'zz' || {k} WHERE v IN (100, 101)
"""


@pytest.fixture(scope="module")
def broken(module_pair):
    made = Verified(module_pair.source, module_pair.target)
    made.both(BROKEN)
    made.source.close()  # and with them what the sessions remember of the indexes
    made.target.close()
    made.make_server()
    return made


def test_equal_tables_are_identical(broken):
    assert {broken.verify(relation, ranges=ranges) for relation in ("t", "t2") for ranges in (1, 64)} == {"identical"}


@pytest.mark.parametrize("relation,key", [("t", "k"), ("t2", "a")])
def test_differences_are_told_in_full(broken, relation, key):
    broken.target.execute(PLANTED.format(t=relation, k=key))
    for ranges in (None, 4096, 1, 8):
        assert broken.verify(relation, ranges=ranges) == "divergent"
        assert (broken.part["divergent_rows"], broken.part["unnamed_ranges"]) == (9, 0)
        assert collections.Counter(kind for kind, _, _ in broken.divergences()) == {"mismatch": 3, "missing_on_target": 4, "missing_on_source": 2}
