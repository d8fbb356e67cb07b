"""What the patterns of parity.verify_schema choose is what psql's \\dt chooses by them."""

import subprocess

import psycopg2
import pytest

from support.cluster import binary, clean_environment
from support.verified import Verified

NAMES = ["qt", 'q"t', "Qt", "q.t", "q*t", "q t", "q$t", "q\\t", "a[]", "a", "ab", "abc", "A", "äb", "Äb", "t1", "t2", "(a)", "a|b", "b", '"', '""', "x\"y\"z", "{1}", "^a", "a+"]

PATTERNS = ['"q""t"', "qt", "q?t", "q*", '"q*t"', '"q.t"', '"q\\t"', "q$t", "QT", '"Qt"', 'Q"t"', 'q"""t"', '"q"t', '""q""t""', '""""', '""""""', "a[]", "a", "a|b",
            '"a|b"', "a+", '"a+"', "(a|b)", "t[12]", "t[0-9]*", "?", "??", "*", '"x""y""z"', '"x""y"*', "ÄB", "äb", '"Äb"', "äB", "{1}", '"{1}"', "[a-b]", "[^a]", "^a", '"^a"',
            "a$", "\\d*", "t\\d", "t.", 'a""', '""', "a.b.c", "a{1}", "((a)", "[", "*+", "q t", '"q t"', "a'b"]
SCHEMAS = ['"S""1".a', "s?1.a", "*.a", "s*.*", "S1.A", '"s1"."a"', '"S""1".*', 's1."*"']
REFUSED = ['"', '"a', '"a""', "", "public.", ".a", "a..b", "a.b.c.d", 'public."', "nowhere.public.a"]


@pytest.fixture(scope="module")
def names(module_pair):
    database = module_pair.source
    quoted = ['"' + name.replace('"', '""') + '"' for name in NAMES]
    database.execute("; ".join(f"CREATE TABLE {q} (id int)" for q in quoted))
    database.execute('CREATE SCHEMA "S""1"; CREATE SCHEMA s1; CREATE TABLE "S""1".a (id int); CREATE TABLE s1.a (id int)')
    return database


def listed(database, pattern):
    quoted = pattern.replace("\\", "\\\\").replace("'", "''")
    done = subprocess.run([binary("psql"), "-X", "-q", "-A", "-t", "-F", "\t", "-d", database.conninfo()], input=f"\\dt '{quoted}'\n",
                          capture_output=True, text=True, env=clean_environment(), check=False)
    return sorted(tuple(line.split("\t")[:2]) for line in done.stdout.splitlines() if line.count("\t") == 3)


def chosen(database, pattern):
    try:
        found = database.value("SELECT parity_internal.verify_relations('nowhere', %s, '{}')", [[pattern]])
    except (psycopg2.errors.UndefinedTable, psycopg2.errors.InvalidRegularExpression):
        return []
    return sorted(database.query("SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY (%s::oid[])",
                                 [[each["oid"] for each in found]]))


@pytest.mark.matrix(sample=20)
@pytest.mark.parametrize("pattern", [f"public.{pattern}" for pattern in PATTERNS] + SCHEMAS)
def test_a_pattern_chooses_what_psql_lists(names, pattern):
    if pattern == "public.t." or pattern == "public.a.b.c":
        with pytest.raises(psycopg2.errors.InvalidParameterValue):
            chosen(names, pattern)
        assert listed(names, pattern) == []
        return
    assert chosen(names, pattern) == listed(names, pattern)


def test_patterns_choose_something(names):
    assert chosen(names, 'public."q""t"') == [("public", 'q"t')]
    assert len(chosen(names, "public.*")) == len(NAMES)
    assert sum(1 for pattern in PATTERNS if pattern not in ("t.", "a.b.c") and chosen(names, f"public.{pattern}")) > 30


def test_the_name_of_this_database_may_come_first(names):
    assert chosen(names, f"{names.name}.public.qt") == [("public", "qt")]


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_is_no_pattern_is_refused(names, pattern):
    with pytest.raises(psycopg2.errors.InvalidParameterValue, match="is no pattern for tables"):
        chosen(names, pattern)


def test_excluded_is_what_was_written(pair):
    """A table whose name has a quote in it is left out, and not the one without: that one differs, and is compared."""
    pair.both('CREATE TABLE "q""t" (id int PRIMARY KEY); CREATE TABLE qt (id int PRIMARY KEY)')
    pair.source.execute('INSERT INTO qt VALUES (1); INSERT INTO "q""t" VALUES (1)')
    made = Verified(pair.source, pair.target)
    made.make_server()
    with made.source.connection.cursor() as cursor:
        for pattern, result, relation in (('public."q""t"', "divergent", "public.qt"), ("public.qt", "divergent", 'public."q""t"')):
            cursor.execute("CALL parity.verify_schema('replica', exclude => %s, recheck_delay => '0 s')", [[pattern]])
            assert cursor.fetchone()[1] == result
            assert made.part["relation"] == relation
        cursor.execute("CALL parity.verify_schema('replica', exclude => %s, recheck_delay => '0 s', patterns => '{public.*,*.*}')", [["q?t"]])
        assert cursor.fetchone()[1] == "divergent"
