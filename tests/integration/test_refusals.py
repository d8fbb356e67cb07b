"""Bad input: one clear line that names the thing, and status 2."""

import os

import pytest

from support.cluster import clean_environment, free_port
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, PGPARITY, findings, mismatch, missing_on_source, pgparity


@pytest.fixture(scope="module")
def tables(module_pair):
    module_pair.both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n")
    return module_pair


def refused(run, *words):
    """Status 2, nothing on stdout, one error line that holds all words."""
    run.expect(ERROR)
    assert run.stdout == ""
    lines = [line for line in run.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if not line.lstrip().lower().startswith(("hint:", "detail:", "run with --help", "run pgparity"))]
    assert len(errors) == 1, run.stderr
    assert errors[0].startswith("pgparity:"), run.stderr
    for word in words:
        assert word in run.stderr, (word, run.stderr)
    return run


WRONG_NAMES = [
    (["--table", "nonesuch"], ["nonesuch"]),
    (["--table", "public.nonesuch"], ["public.nonesuch"]),
    (["--table", "public.none*"], ["public.none*"]),
    (["--table", "public.t", "--table", "public.nonesuch"], ["public.nonesuch"]),
    (["--table", "a.b.c.d"], ["a.b.c.d"]),
    (["--table", '"open'], ['"open']),
    (["--table", ""], ["--table"]),
    (["--schema", "nonesuch"], ["nonesuch"]),
    (["--schema", "a.b"], ["a.b"]),
    (["--exclude-table", "public.*"], ["no table"]),
    (["--exclude-table", '"open'], ['"open']),
    (["--map", "public.nonesuch=public.t"], ["nonesuch"]),
    (["--map", "public.t=public.nonesuch"], ["nonesuch"]),
    (["--map", "t"], ["--map", "t"]),
    (["--map", "=t"], ["--map"]),
    (["--map", "t="], ["--map"]),
    (["--map", "a=b=c"], ["a=b=c"]),
    (["--map-column", "nonesuch=v"], ["nonesuch"]),
    (["--map-column", "v=nonesuch"], ["nonesuch"]),
    (["--map-column", "public.t.v"], ["--map-column"]),
    (["--key", "nonesuch"], ["nonesuch"]),
    (["--key", "public.nonesuch=id"], ["nonesuch"]),
    (["--key", "t=id,nonesuch"], ["nonesuch"]),
    (["--key", ""], ["--key"]),
    (["--columns", "nonesuch"], ["nonesuch"]),
    (["--columns", "t.nonesuch"], ["nonesuch"]),
    (["--exclude-columns", "nonesuch"], ["nonesuch"]),
    (["--exclude-columns", "public.t.nonesuch"], ["nonesuch"]),
    (["--nonesuch"], ["--nonesuch"]),
    (["--nonesuch=1"], ["--nonesuch"]),
    (["stray"], ["given twice"]),
    (["--ranges", "0"], ["--ranges"]),
    (["--ranges", "-1"], ["--ranges"]),
    (["--ranges", "many"], ["--ranges"]),
    (["--ranges", "99999999999999999999"], ["--ranges"]),
    (["--ranges"], ["--ranges"]),
    (["--jobs", "0"], ["--jobs"]),
    (["--jobs", "-3"], ["--jobs"]),
    (["--jobs", "x"], ["--jobs"]),
    (["--workers", "-1"], ["--workers"]),
    (["--workers", "x"], ["--workers"]),
    (["--max-divergences", "-1"], ["--max-divergences"]),
    (["--max-divergences", "x"], ["--max-divergences"]),
    (["--format", "xml"], ["--format", "xml"]),
    (["--width", "65"], ["--width"]),
    (["--seed", "x"], ["--seed"]),
    (["--connect-timeout", "-1"], ["--connect-timeout"]),
    (["--connect-timeout", "x"], ["--connect-timeout"]),
    (["--statement-timeout", "soon"], ["soon"]),
    (["--lock-timeout", "soon"], ["soon"]),
    (["--output", "/nonesuch/report"], ["/nonesuch/report"]),
    (["--output", "/"], ["/"]),
    (["--config", "/nonesuch/config.toml"], ["/nonesuch/config.toml"]),
    (["--record", ""], ["--record"]),
    (["--record", "nonesuch=1"], ["recording database"]),
    (["--record-values"], ["--record-values needs --record"]),
]


@pytest.mark.matrix(sample=8)
@pytest.mark.parametrize("arguments,words", WRONG_NAMES, ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_wrong_value_of_an_option(tables, arguments, words):
    refused(tables.run(*arguments), *words)


@pytest.mark.parametrize("arguments", [[], ["compare"], ["nonesuch"], ["compare", "--source", "dbname=x"], ["compare", "--target", "dbname=x"]])
def test_wrong_command_line(arguments):
    run = pgparity(*arguments).expect(ERROR)
    assert run.stdout == "" and run.stderr.strip()


def test_no_table_on_either_side(pair):
    refused(pair.run(), "no table")


def test_more_ranges_than_memory_allows(tables):
    refused(tables.run("--ranges", "2000000000"), "ranges")


def test_more_ranges_than_memory_allows_in_sql(tables):
    with pytest.raises(Exception) as caught:
        tables.source.execute("SELECT * FROM parity.range_digests('t', ranges => 2000000000)")
    assert caught.value.pgcode in ("54000", "22023"), caught.value


@pytest.mark.parametrize("arguments,code", [
    ("ranges => 0", "22023"), ("ranges => -1", "22023"), ("bounds => ARRAY['\\x00'::bytea]", "22023"), ("bounds => ARRAY['\\x6b'::bytea]", "22023"),
    ("bounds => ARRAY['\\x6b010500000000000000'::bytea, '\\x6b010500000000000000'::bytea]", "22023"),
    ("bounds => ARRAY['\\x6b010600000000000000'::bytea, '\\x6b010500000000000000'::bytea]", "22023"),
    ("bounds => ARRAY['\\x6b0105'::bytea]", "22023"), ("bounds => ARRAY['\\x6800'::bytea]", "22023"), ("bounds => ARRAY[NULL::bytea]", "22004"),
    ("bounds => ARRAY['\\x6b010500000000000000ff'::bytea]", "22023"),
    ("key_columns => '{nonesuch}'", "42703"), ("columns => '{nonesuch}'", "42703"), ("columns => '{v,v}'", "42701"),
    ("forms => '{\"v\": \"nonesuch\"}'", "22023"), ("forms => '{\"v\": \"uuid\"}'", "22023"), ("forms => '{\"nonesuch\": \"int\"}'", "42703"), ("forms => '[1]'", "22023"),
    ("width => 65", "22023"), ("workers => -1", "22023"), ("path => 'nonesuch'", "22023"), ("filter => 'true) --'", "42601"), ("filter => 'random() < 2'", "22023"),
    ("filter => 'nonesuch'", "42703"), ("filter => '1'", "42804"), ("only_ranges => '{0}'", "22023"), ("only_ranges => '{65}'", "22023"),
    ("path => 'scan', filter => 'true'", "0A000"),
])
def test_bad_arguments_of_range_digests(tables, arguments, code):
    with pytest.raises(Exception) as caught:
        tables.source.execute(f"SELECT * FROM parity.range_digests('t', {arguments})")
    assert caught.value.pgcode is not None and caught.value.pgcode != "XX000", caught.value
    assert caught.value.pgcode == code, f"{caught.value.pgcode}: {caught.value}"


def test_unreachable_host(tables):
    port = free_port()
    run = refused(tables.run(target=f"host=127.0.0.1 port={port} dbname=x user=postgres"), "target")
    assert "refused" in run.stderr


def test_both_unreachable(tables):
    """Both are tried at the same time; what is told does not depend on who was faster."""
    port = free_port()
    refused(tables.run(**{side: f"host=127.0.0.1 port={port} dbname={side} user=postgres" for side in ("source", "target")}), "to the source", "refused")


def test_unknown_host(tables):
    refused(tables.run(source="host=nonesuch.invalid dbname=x"), "source", "nonesuch.invalid")


def test_unknown_database(tables):
    refused(tables.run(target=tables.target.conninfo(dbname="nonesuch")), "target", "nonesuch")


def test_unknown_role(tables):
    refused(tables.run(source=tables.source.conninfo(user="nonesuch")), "source", "nonesuch")


def test_malformed_connection_string(tables):
    refused(tables.run(source="host=x nonesuch"), "source")
    run = refused(tables.run(source="postgresql://user:hunter2-secret@[bad/x"), "source")
    assert "hunter2-secret" not in run.stderr


@pytest.mark.parametrize("where", ["words", "uri", "environment", "verbose"])
def test_wrong_password_is_never_printed(tables, where):
    wrong = "hunter2-secret"
    cluster, name = tables.source.cluster, tables.source.name
    words = f"host=127.0.0.1 port={cluster.port} user=postgres dbname={name}"
    source, extra, env = f"{words} password={wrong}", [], {}
    if where == "uri":
        source = f"postgresql://postgres:{wrong}@127.0.0.1:{cluster.port}/{name}"
    if where == "environment":
        source, env = words, {"PGPASSWORD": wrong}
    if where == "verbose":
        extra = ["--verbose"]
    run = tables.run(*extra, source=source, env=env).expect(ERROR)
    assert "source" in run.stderr and "password" in run.stderr
    assert wrong not in run.stdout + run.stderr


def test_right_password_is_never_printed(tables):
    """pgparity() itself asserts that the tests' password shows up nowhere."""
    run = tables.run("--verbose", "--format", "json", source=tables.source.tcp_conninfo(), target=tables.target.tcp_conninfo()).expect(IDENTICAL)
    assert "password" not in run.stdout + run.stderr
    tables.target.execute("UPDATE t SET v = 0 WHERE id = 7")
    try:
        run = tables.run("--verbose", "--format", "json", source=tables.source.tcp_conninfo(), target=tables.target.tcp_conninfo()).expect(DIVERGENT)
    finally:
        tables.target.execute("UPDATE t SET v = 7 WHERE id = 7")
    assert "password" not in run.stdout + run.stderr and findings(run.table()) == {mismatch("v", id="7")}


def test_unwritable_output(tables, tmp_path):
    refused(tables.run("--output", str(tmp_path)), str(tmp_path))
    if os.path.exists("/dev/full"):
        run = tables.run("--output", "/dev/full").expect(ERROR)
        assert "/dev/full" in run.stderr


def test_closed_standard_output(tables):
    """A report that could not be written is no success."""
    import subprocess
    with open("/dev/full", "w") as full:
        done = subprocess.run([PGPARITY, "compare", "--source", tables.source.conninfo(), "--target", tables.target.conninfo()],
                              stdout=full, stderr=subprocess.PIPE, text=True, env=clean_environment(), check=False, timeout=60)
    assert done.returncode == ERROR and done.stderr.strip()


@pytest.mark.parametrize("text,words", [
    ("table = [", ["config.toml"]), ("nonesuch = 1", ["nonesuch"]), ("ranges = 0", ["ranges"]), ('ranges = "x"', ["ranges"]), ("jobs = true", ["jobs"]),
    ("table = 5", ["table"]), ("[section]\nx = 1", ["section"]), ("ranges = 1\nranges = 2", ["config.toml"]), ("\x00", ["config.toml"]),
])
def test_malformed_config(tables, tmp_path, text, words):
    config = tmp_path / "config.toml"
    config.write_text(text)
    refused(tables.run("--config", str(config)), *words)


def test_config(pair, tmp_path):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY)")
    config = tmp_path / "config.toml"
    config.write_text(f'source = "{pair.source.conninfo()}"\ntarget = "{pair.target.conninfo()}"\n'
                      'table = ["public.t"]\nexclude-columns = ["t.v"]\nranges = 2\nformat = "json"\nno-progress = true\n')
    run = pgparity("compare", "--config", str(config)).expect(IDENTICAL)
    assert [t["source"] for t in run.report["tables"]] == ["public.t"]
    assert run.table()["ranges"]["compared"] <= 2
    run = pgparity("compare", "--config", str(config), "--table", "public.u").expect(IDENTICAL)  # the command line wins
    assert [t["source"] for t in run.report["tables"]] == ["public.u"]
    pair.target.execute("INSERT INTO t VALUES (7, 7); INSERT INTO u VALUES (8)")
    for arguments, key in (([], "7"), (["--table", "public.u"], "8")):
        assert findings(pgparity("compare", "--config", str(config), *arguments).expect(DIVERGENT).table()) == {missing_on_source(id=key)}


def test_help_and_version():
    run = pgparity("--help").expect(0)
    assert "compare" in run.stdout and run.stderr == ""
    run = pgparity("compare", "--help").expect(0)
    for option in ("--source --target --table --exclude-table --schema --map --map-column --key --columns --exclude-columns --where --ranges --jobs "
                   "--workers --max-divergences --format --output --dry-run --strict-schema --no-sequences --sequences-may-be-ahead --enable-row-security "
                   "--allow-same-server --no-progress --verbose --config --connect-timeout --statement-timeout --lock-timeout").split():
        assert option in run.stdout, option
    run = pgparity("--version").expect(0)
    assert "1.0" in run.stdout and "format" in run.stdout
