"""Names, values and messages that would act upon a terminal, begin lines of their own, or look like one another."""

import json
import os
import pty
import subprocess
import termios

import pytest

from support.cluster import clean_environment
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, PGPARITY, pgparity
from support.verified import Verified

STATUSES = {IDENTICAL, DIVERGENT, ERROR, INCOMPLETE}

# ESC, an OSC with BEL, C1's CSI, ends of lines, an override of the direction, a line separator, DEL, a tag.
HOSTILE = "\x1b[31mRED\x1b]0;title\x07\u009b31m\r\n\u202eRLO\u2028\x7f\U000e0041"
NAME = "t\x1b[2J\r\n\u202e\u009b"


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def raw_characters(output):
    """What a terminal would act upon in an output, which may have ends of lines only."""
    text = output if isinstance(output, str) else output.decode("utf-8", "surrogateescape")
    return sorted({hex(ord(c)) for c in text
                   if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or 0x200E <= ord(c) <= 0x200F or 0x2028 <= ord(c) <= 0x202E
                   or 0x2066 <= ord(c) <= 0x2069 or 0xE0000 <= ord(c) <= 0xE007F or 0xDC80 <= ord(c) <= 0xDCFF})


@pytest.fixture(scope="module")
def hostile(module_pair):
    """Whatever an owner of tables can name, store or raise, on both sides, with differences."""
    function = ("CREATE FUNCTION raise_it(int) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RAISE NOTICE 'n%%', {0}; RAISE WARNING 'w%%', {0};"
                "RAISE EXCEPTION 'e%%', {0} USING DETAIL = {0}, HINT = {0}; END $f$")
    for number, database in enumerate((module_pair.source, module_pair.target)):
        n = quoted(NAME)
        database.execute(f"CREATE TYPE {quoted('ty' + NAME)} AS ENUM (%s)", ("label" + HOSTILE[:14],))
        database.execute(f"CREATE TABLE {n} (id int PRIMARY KEY, {quoted('c' + NAME)} text, e {quoted('ty' + NAME)})")
        database.execute(f"INSERT INTO {n} VALUES (1, %s, %s), (2, %s, NULL)", (HOSTILE + str(number), "label" + HOSTILE[:14], "\x1b[5m"))
        database.execute(f"CREATE TABLE {quoted('k' + NAME)} (k text PRIMARY KEY)")
        database.execute(f"INSERT INTO {quoted('k' + NAME)} VALUES (%s)", (HOSTILE + str(number),))
        database.execute(f"CREATE TABLE {quoted('err' + NAME)} (id int PRIMARY KEY, {quoted('u' + NAME)} text)")
        database.execute(f"INSERT INTO {quoted('err' + NAME)} VALUES (1, %s)", ("nouuid" + HOSTILE,))
        database.execute(f"CREATE TABLE {quoted('d' + NAME)} (id int PRIMARY KEY, {quoted(f'only{number}' + NAME)} int, p point, q {'int' if number else 'text'})")
        database.execute(function.format("%s"), (HOSTILE,) * 5)
        database.execute(f"CREATE VIEW {quoted('v' + NAME)} AS SELECT id, raise_it(id) AS x FROM {n}")
        database.execute(f"CREATE SEQUENCE {quoted('s' + NAME)}; SELECT setval(%s, {number + 5})", (quoted("s" + NAME),))
        if number == 0:
            database.execute(f"CREATE TABLE {quoted('only' + NAME)} (id int)")
    return module_pair


VARIANTS = {
    "plain": [], "verbose": ["--verbose"], "dry run": ["--dry-run"], "dry run of streams": ["--dry-run", "--engine", "stream"],
    "failing values": ["--form", f"{quoted('u' + NAME)}=uuid"], "failing view": ["--table", quoted("v" + NAME), "--verbose"],
    "no such table": ["--table", quoted("no" + NAME)], "no such key": ["--key", quoted("nocol" + NAME)],
    "no such key of a table": ["--key", f"public.{quoted(NAME)}={quoted('nocol' + NAME)}"], "wrong condition": ["--where", f"{quoted('nocol' + NAME)} = 1"],
    "no such map": ["--map", f"{quoted('zz' + NAME)}=b"], "left out": ["--exclude-columns", quoted("c" + NAME)],
    "form": ["--form", "id=\x1b[31m"], "no configuration": ["--config", "/nodir/no" + HOSTILE], "no output": ["--output", "/nodir/" + HOSTILE],
    "bad option": ["--bogus\x1b[31m"], "bad number": ["--ranges", "\x1b[31m"], "bad argument": ["x\x1b[31m"], "bad pattern": ["--table", "a.b.c.\x1b[31m"],
    "bad duration": ["--lock-timeout", "\x1b[31m"], "bytes that are not UTF-8": ["--table", b"\xff\x9b31m"],
}


@pytest.mark.matrix(sample=5)
@pytest.mark.parametrize("engine_arguments", [[], ["--engine", "stream"]], ids=["extension", "stream"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_raw_reaches_the_terminal(hostile, variant, engine_arguments):
    arguments = ["compare", "--source", hostile.source.conninfo(), "--target", hostile.target.conninfo(), *VARIANTS[variant], *engine_arguments]
    for form in ("text", "json"):
        done = subprocess.run([PGPARITY, *arguments, "--format", form], capture_output=True, env=clean_environment(), check=False)
        assert done.returncode in STATUSES
        assert raw_characters(done.stdout) == [], done.stdout
        assert raw_characters(done.stderr) == [], done.stderr
        assert done.stdout or done.stderr


def test_escaped_once(hostile):
    run = hostile.run().expect(DIVERGENT)
    assert "E'\\x1b[31mRED\\x1b]0;title\\x07\\u009b31m\\r\\n\\u202eRLO\\u2028\\x7f\\U000e00410'" in run.stdout
    assert 'U&"t\\001b[2J\\000d\\000a\\202e\\009b"' in run.stdout
    assert "\\\\x1b" not in run.stdout and "\\\\u" not in run.stdout


def test_json_is_exact(hostile):
    run = hostile.compare().expect(DIVERGENT)
    table = run.table(f"public.{quoted(NAME)}")
    assert [(d["key"], d["source"], d["target"]) for d in table["divergences"]] == [
        ({"id": "1"}, {"c" + NAME: HOSTILE + "0"}, {"c" + NAME: HOSTILE + "1"})]
    assert {f"public.{quoted('only' + NAME)}", f"public.{quoted('d' + NAME)}.{quoted('only0' + NAME)}"} <= {
        d["object"] for d in run.report["schema_differences"]}
    key = run.table(f"public.{quoted('k' + NAME)}")["divergences"]
    assert {d["key"]["k"] for d in key} == {HOSTILE + "0", HOSTILE + "1"}


@pytest.mark.parametrize("source", ["dbname=no\x1b[31m\u202e", "dbname='x' user='u\x1b[31m'", "host=/no\x1b[31m/dir dbname=x", "service=no\x1b[31m", "postgresql://h\x1b/%zz"])
def test_connections_that_fail(hostile, source):
    for arguments in (["--source", source, "--target", hostile.target.conninfo()], ["--source", hostile.source.conninfo(), "--target", source],
                      ["--source", hostile.source.conninfo(dbname=None) + " dbname='no\x1b[31m'", "--target", hostile.target.conninfo()]):
        run = pgparity("compare", *arguments).expect(ERROR)
        assert raw_characters(run.stdout + run.stderr) == []


def test_configuration_file(hostile, tmp_path):
    file = tmp_path / "a\x1b[31m.toml"
    for content in ('"no\\u001b[31m" = 1', 'ranges = "\\u001b[31m"', "x = \x1b", '"' + "\u202e" + '" = 1', "ranges = 1\nranges = 2"):
        file.write_text(content)
        run = pgparity("compare", "--config", str(file)).expect(ERROR)
        assert raw_characters(run.stderr) == [] and "\\x1b[31m.toml" in run.stderr, run


def test_progress_on_a_terminal(hostile):
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (25, 150))
    process = subprocess.Popen([PGPARITY, "compare", "--verbose", "--source", hostile.source.conninfo(), "--target", hostile.target.conninfo()],
                               stdin=follower, stdout=follower, stderr=follower, env=clean_environment(TERM="xterm"))
    os.close(follower)
    shown = b""
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:
            break
        shown += data
    os.close(leader)
    assert process.wait() == DIVERGENT
    assert b"[#" in shown or b"[." in shown
    # the terminal's own ends of lines, and how the bar is erased
    assert raw_characters(shown.replace(b"\r\x1b[K", b"").replace(b"\r\n", b"\n")) == []


# Names that look like each other, or like how another one is shown.
CONFUSING = ["a\nb", "a\\nb", "a\\x0ab", "a\\000ab", 'U&"a\\000ab"', 'E"a\\nb"', 'a"b', 'a""b', "a.b", "a b", "a\x1bb", "a\\x1bb", "a\u202eb", "a\\u202eb", "a\\202eb",
             '"a', "a → b", "A", "public.a"]


def test_no_two_tables_share_a_name(pair):
    """One of each is different: it is told by name wherever names are told."""
    for name in CONFUSING:
        pair.both(f"CREATE TABLE {quoted(name)} (id int PRIMARY KEY)")
    pair.both("CREATE SCHEMA \"a.b\"; CREATE TABLE \"a.b\".c (id int PRIMARY KEY); CREATE SCHEMA a; CREATE TABLE a.\"b.c\" (id int PRIMARY KEY)")
    pair.target.execute("INSERT INTO \"a\nb\" VALUES (1); INSERT INTO a.\"b.c\" VALUES (1)")
    run = pair.compare("--record", pair.source.conninfo()).expect(DIVERGENT)
    results = {t["source"]: t["result"] for t in run.report["tables"]}
    assert len(results) == len(run.report["tables"]) == len(CONFUSING) + 2
    assert {name for name, result in results.items() if result == "divergent"} == {'public."a\nb"', 'a."b.c"'}
    recorded = dict(pair.source.query("SELECT relation, status::text FROM parity.run_table"))
    assert recorded == results
    assert dict(pair.source.query("SELECT relation, result::text FROM parity.status")).keys() == results.keys()
    # what parity.verify and record_may_read look up by name are these very relations
    assert pair.source.value("SELECT bool_and(to_regclass(relation) IS NOT NULL AND parity_internal.record_name(to_regclass(relation)) = relation) FROM parity.run_table")
    text = pair.run("--verbose").expect(DIVERGENT)
    lines = [line.rsplit(": ", 1)[0] for line in text.stdout.splitlines() if ": identical, 0 rows" in line or ": divergent," in line]
    assert len(lines) == len(set(lines)) == len(CONFUSING) + 2
    assert sum(line.startswith('public.U&"a\\000ab"') for line in lines) == 1
    plan = [line for line in pair.run("--dry-run").expect(IDENTICAL).stdout.splitlines() if line[:1] not in ("", " ")]
    assert len(plan) == len(set(plan)) >= len(CONFUSING) + 2


def test_a_record_is_not_taken_for_another_table(pair):
    """Without SELECT on the table of this very name, whatever another one is called."""
    pair.both('CREATE TABLE "a\nb" (id int PRIMARY KEY); CREATE TABLE "a\\x0ab" (id int PRIMARY KEY)')
    pair.source.execute("DROP ROLE IF EXISTS e_recorder; CREATE ROLE e_recorder LOGIN; GRANT parity_operator TO e_recorder; GRANT SELECT ON \"a\\x0ab\" TO e_recorder")
    try:
        run = pair.run("--record", pair.source.conninfo(user="e_recorder"), "--format", "json", "--table", '"a\nb"').expect(INCOMPLETE)
        assert "permission denied for relation" in run.report["record"]["error"]
        pair.source.execute('GRANT SELECT ON "a\nb" TO e_recorder')
        pair.compare("--record", pair.source.conninfo(user="e_recorder"), "--table", '"a\nb"').expect(IDENTICAL)
        pair.target.execute('INSERT INTO "a\nb" VALUES (1)')
        pair.compare("--record", pair.source.conninfo(user="e_recorder"), "--table", '"a\nb"').expect(DIVERGENT)
        assert pair.source.query("SELECT status::text FROM parity.run ORDER BY id DESC LIMIT 2") == [("divergent",), ("identical",)]
    finally:
        pair.source.execute("DROP OWNED BY e_recorder; DROP ROLE e_recorder")


def test_verify_of_names_that_look_like_each_other(pair):
    names = ["a\nb", "a\\nb", "a\\x0ab", 'U&"a\\000ab"']
    for name in names:
        pair.both(f"CREATE TABLE {quoted(name)} (id int PRIMARY KEY)")
    pair.target.execute('INSERT INTO "a\nb" VALUES (1)')
    verified = Verified(pair.source, pair.target)
    verified.make_server()
    for name in names:
        assert verified.verify(quoted(name)) == ("divergent" if name == "a\nb" else "identical")
    recorded = pair.source.query("SELECT to_regclass(relation)::oid, status::text FROM parity.run_table ORDER BY id")
    assert recorded == [(pair.source.value("SELECT %s::regclass::oid", [quoted(name)]), "divergent" if name == "a\nb" else "identical") for name in names]
    assert verified.verify(procedure="verify_schema", patterns=["public.*"]) == "divergent"
    recorded = pair.source.query("SELECT relation, status::text FROM parity.run_table WHERE run_id = (SELECT max(id) FROM parity.run)")
    assert len(recorded) == len(names) and [relation for relation, status in recorded if status == "divergent"] == ['public."a\nb"']


@pytest.mark.parametrize("form", ["text", "json"])
def test_columns_that_look_like_each_other(pair, form):
    names = ["a\nb", "a\\nb", "a: b", 'U&"a\\000ab"', 'E"a\\nb"']
    columns = ", ".join(f"{quoted(n)} int" for n in names)
    pair.both(f"CREATE TABLE t (id int PRIMARY KEY, {columns}); INSERT INTO t VALUES (1, 1, 2, 3, 4, 5)")
    pair.target.execute('UPDATE t SET "a\nb" = 7')
    run = pair.run("--format", form).expect(DIVERGENT)
    if form == "text":
        assert '(column U&"a\\000ab")' in run.stdout and 'U&"a\\000ab": 1 | 7' in run.stdout
    else:
        assert [d["columns"] for d in run.table()["divergences"]] == [["a\nb"]]
        assert len({c["name"] for c in run.table()["columns"]}) == len(names)


def test_names_that_are_not_utf8(source_cluster, target_cluster):
    """A database that converts nothing has names of any bytes; two of them are two tables, everywhere."""
    options = "TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
    sides = [cluster.create_database(options=options + (" LOCALE_PROVIDER libc" if cluster.installation.major >= 15 else ""))
             for cluster in (source_cluster, target_cluster)]
    try:
        for number, side in enumerate(sides):
            connection = side.connect()
            connection.set_client_encoding("SQL_ASCII")
            with connection.cursor() as cursor:
                for name in (b"t\x80", b"t\x81", b"t\\x80", b'E"t\\x80"'):
                    spelled = b'"' + name.replace(b'"', b'""') + b'"'
                    cursor.execute(b"CREATE TABLE " + spelled + b" (id int PRIMARY KEY, \"c\x80\" int, \"c\x81\" int, \"c\\x80\" int)")
                cursor.execute(b"INSERT INTO \"t\x80\" VALUES (1, %d, 0, 0)" % number)
            connection.close()
        record = source_cluster.create_database()
        run = pgparity("compare", "--source", sides[0].conninfo(), "--target", sides[1].conninfo(), "--format", "json", "--record", record.conninfo())
        run.expect(DIVERGENT)
        results = {t["source"]: t["result"] for t in json.loads(run.stdout)["tables"]}
        assert len(results) == 4 and {n for n, r in results.items() if r == "divergent"} == {'public.E"t\\x80"'}
        assert run.table('public.E"t\\x80"')["divergences"][0]["columns"] == ['E"c\\x80"']
        assert run.table('public.E"t\\x80"')["divergences"][0]["source"] == {'E"c\\x80"': "0"}
        assert {c["name"] for c in run.table('public.E"t\\x80"')["columns"]} == {'E"c\\x80"', 'E"c\\x81"', "c\\x80"}
        assert dict(record.query("SELECT relation, status::text FROM parity.run_table")) == results
        text = pgparity("compare", "--source", sides[0].conninfo(), "--target", sides[1].conninfo(), "--verbose").expect(DIVERGENT)
        assert raw_characters(text.stdout + text.stderr) == [] and 'public.E"t\\x80": divergent' in text.stdout
        source_cluster.drop_database(record)
    finally:
        for cluster, side in zip((source_cluster, target_cluster), sides):
            cluster.drop_database(side)
