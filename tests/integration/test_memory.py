"""The driver's memory does not grow with rows or divergences."""

import pytest

from support.pgparity import DIVERGENT, peak_memory_kib

pytestmark = pytest.mark.matrix(sample=1)

LIMIT_KIB = 64 * 1024
# With the 131,072 ranges, at most, of a finer pass, if all of them differ.
FINER_LIMIT_KIB = 112 * 1024


def all_rows_differ(pair, rows):
    pair.both("CREATE UNLOGGED TABLE t (id bigint PRIMARY KEY, a int, b text);"
              f"INSERT INTO t SELECT n, n, 'value ' || n FROM generate_series(1, {rows}) n")
    pair.target.execute("ALTER TABLE t RENAME TO o; CREATE UNLOGGED TABLE t AS SELECT id, a + 1 AS a, b || 'x' AS b FROM o; DROP TABLE o; ALTER TABLE t ADD PRIMARY KEY (id)")


def check(pair, *arguments, limit=LIMIT_KIB):
    status, peak = peak_memory_kib("compare", "--source", pair.source.conninfo(), "--target", pair.target.conninfo(), "--format", "json", *arguments)
    assert status == DIVERGENT
    assert 1024 < peak <= limit, f"{peak} KiB"
    print(f"{peak} KiB")


@pytest.mark.in_turn("memory")
@pytest.mark.parametrize("listed", ["1000", "0"])
@pytest.mark.repeated(listed=["0"])
def test_memory_with_all_of_400000_rows_different(pair, listed):
    all_rows_differ(pair, 400_000)
    check(pair, "--max-divergences", listed)


@pytest.mark.in_turn("memory")
@pytest.mark.parametrize("change", ["DELETE FROM t WHERE id % 2 = 0", "TRUNCATE t"])
def test_memory_with_rows_missing(pair, change):
    pair.both("CREATE UNLOGGED TABLE t (id text PRIMARY KEY, a int); INSERT INTO t SELECT md5(n::text), n FROM generate_series(1, 200000) n")
    pair.target.execute(change.replace("id %", "a %"))
    check(pair, "--max-divergences", "0")


@pytest.mark.long
def test_memory_with_all_of_5_million_rows_different(pair):
    all_rows_differ(pair, 5_000_000)
    check(pair, "--max-divergences", "0", limit=FINER_LIMIT_KIB)
    check(pair, limit=FINER_LIMIT_KIB)


@pytest.mark.in_turn("memory")
@pytest.mark.parametrize("key", ["PRIMARY KEY", ""])
def test_memory_of_few_large_rows(pair, key):
    """Values are fetched for a few rows at a time, however large. Without a key, a row is its own key."""
    pair.both(f"CREATE TABLE t (id int {key}, v text); INSERT INTO t SELECT n, repeat(md5(n::text), 30000) FROM generate_series(1, 200) n")
    pair.target.execute("UPDATE t SET v = v || 'x'")
    check(pair, "--max-divergences", "0")
