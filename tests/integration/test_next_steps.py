"""A mistake that everybody makes once gets a message that names the next step."""

import contextlib
import html
import re
import threading

import psycopg2
import pytest

from support.cluster import PASSWORD, free_port
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, pgparity
from support.proxy import Proxy

TABLES = "CREATE TABLE {0}orders (id int PRIMARY KEY, v text); INSERT INTO {0}orders SELECT n, n FROM generate_series(1, 10) n;"


@pytest.fixture(scope="module")
def shop(module_pair):
    module_pair.both(TABLES.format(""))
    return module_pair


@pytest.fixture
def role(shop, source_cluster):
    """Of the source alone, without any rights."""
    source_cluster.execute(f"CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}'")
    yield "clerk"
    shop.source.execute("DROP OWNED BY clerk")
    source_cluster.execute("DROP ROLE clerk")


def refusal(status, *arguments, source, target):
    """The error and the hint, each a line of standard error."""
    run = pgparity("compare", "--source", source, "--target", target, *arguments).expect(status)
    error, hint = run.stderr.splitlines()
    assert error.startswith("pgparity: error: ") and hint.startswith("hint: "), run.stderr
    return error, hint


# ---- servers that cannot be reached ----------------------------------------------------------------------------------


def test_a_host_without_a_server(shop):
    for host, port in (("127.0.0.1", free_port()), ("no-such-host.invalid", 5432), ("/no/such/directory", 5432)):
        error, hint = refusal(ERROR, source=f"host={host} port={port} dbname=shop", target=shop.target.conninfo())
        assert "could not connect to the source" in error
        assert "check host and port in --source" in hint and "pg_isready" in hint


def test_a_server_that_refuses(shop, source_cluster):
    """The server's words may be in any language; the SQLSTATE tells what is wrong."""
    cases = [(shop.source.tcp_conninfo(user="nobody_there"), "password authentication failed", "check user and password"),
             (shop.source.tcp_conninfo(password="wrong"), "password authentication failed", "check user and password"),
             (shop.source.tcp_conninfo(password=None), "no password supplied", "check user and password"),
             (shop.source.conninfo(user="nobody_there"), 'role "nobody_there" does not exist', "check the user in --source"),
             (source_cluster.database("nothing_there").conninfo(), 'database "nothing_there" does not exist', "check dbname in --source")]
    for conninfo, words, step in cases:
        error, hint = refusal(ERROR, source=conninfo, target=shop.target.conninfo())
        assert words in error and "LOCATION" not in error and "28P01" not in error and PASSWORD not in error + hint
        assert step in hint, hint
    error, hint = refusal(ERROR, source=shop.source.conninfo(), target=shop.target.tcp_conninfo(password="wrong"))
    assert "could not connect to the target" in error and "--target" in hint


def test_a_service_that_no_file_has(shop):
    error, hint = refusal(ERROR, source="service=old", target=shop.target.conninfo())
    assert 'definition of service "old" not found' in error and "check service in --source: ~/.pg_service.conf" in hint


def test_a_database_for_records_that_cannot_be_reached(shop):
    run = pgparity("compare", "--source", shop.source.conninfo(), "--target", shop.target.conninfo(), "--record", f"host=127.0.0.1 port={free_port()}").expect(INCOMPLETE)
    assert "check host and port in --record;" in run.stderr


def test_the_sqlstate_of_a_refused_connection_is_in_the_report(shop):
    run = pgparity("compare", "--format", "json", "--source", shop.source.tcp_conninfo(password="wrong"), "--target", shop.target.conninfo()).expect(ERROR)
    assert "28P01" not in run.stderr and not run.stdout


# ---- what is chosen --------------------------------------------------------------------------------------------------


def test_a_name_with_a_typing_error(shop):
    for arguments, words in ((["--table", "oders"], 'did you mean "orders"?'), (["--table", "public.oders"], 'did you mean "public.orders"?'),
                             (["--schema", "pubic"], 'did you mean "public"?'), (["--exclude-table", "order"], 'did you mean "orders"?'),
                             (["--map", "oders=orders"], 'did you mean "orders"?'), (["--map", "public=application"], "--map 'public.*=application.*'"),
                             (["--form", "orders.v=texd"], 'did you mean "text"?'), (["--form", "orders.v=varchar"], 'did you mean "text"?'), (["--tabel", "orders"], 'did you mean "--table"?'),
                             (["--table", "orders,items"], "repeat it for each"), (["--table", "shop.orders"], "did you mean public.orders?"),
                             (["--table", "Zed*"], 'but not in double quotes'), (["host=b"], "put each connection string into quotes")):
        error, hint = refusal(ERROR, *arguments, source=shop.source.conninfo(), target=shop.target.conninfo())
        assert arguments[-1] in error or arguments[0] in error or arguments == ["host=b"], error
        assert words in hint, (arguments, hint)


def test_a_name_that_is_like_none_has_no_suggestion(shop):
    run = shop.run("--table", "zzzzzzzz").expect(ERROR)
    assert run.stderr == 'pgparity: error: no table matches --table "zzzzzzzz"\n'


def test_an_exclusion_that_matches_nothing_is_an_error(shop):
    error, _ = refusal(ERROR, "--exclude-table", "public.oders", source=shop.source.conninfo(), target=shop.target.conninfo())
    assert 'no table matches --exclude-table "public.oders"' in error
    # One that matches what is not chosen anyway means something.
    shop.both("CREATE TABLE IF NOT EXISTS audit (id int PRIMARY KEY)")
    try:
        shop.compare("--table", "orders", "--exclude-table", "audit").expect(IDENTICAL)
        shop.target.execute("UPDATE orders SET v = 'x' WHERE id = 3")
        assert findings(shop.compare("--table", "orders", "--exclude-table", "audit").expect(DIVERGENT).table()) == {mismatch("v", id="3")}
    finally:
        shop.target.execute("UPDATE orders SET v = '3' WHERE id = 3")
        shop.both("DROP TABLE audit")


@pytest.mark.parametrize("option", ["--lock-timeout", "--statement-timeout"])
def test_a_duration_needs_a_unit(shop, option):
    error, hint = refusal(ERROR, option, "5", source=shop.source.conninfo(), target=shop.target.conninfo())
    assert f'invalid value "5" for {option}' in error and "as in 30s" in hint
    shop.compare(option, "0").expect(IDENTICAL)
    shop.compare(option, "5s").expect(IDENTICAL)


# ---- other databases, other schemas ----------------------------------------------------------------------------------


def hints(run):
    return run.report.get("hints", [])


def test_a_database_with_nothing_in_common(shop, target_cluster):
    other = target_cluster.create_database(extension=False)
    try:
        shown = {"source": shop.source.conninfo(), "target": other.conninfo()}
        hint, = hints(shop.compare(**shown).expect(DIVERGENT))
        assert re.fullmatch(rf"no table of the source is on the target: are database {shop.source.name} on \S+:\d+ and database {other.name} on \S+:\d+ the right ones\?", hint), hint
        text = shop.run(**shown).expect(DIVERGENT).stdout
        assert f"\nhint: {hint}\nresult: divergent" in text
        plan = shop.run("--dry-run", **shown).expect(0).stdout
        assert f"hint: {hint}" in plan
    finally:
        target_cluster.drop_database(other)
    assert hints(shop.compare().expect(IDENTICAL)) == []


def test_a_schema_of_another_name(pair):
    pair.source.execute("CREATE SCHEMA app;" + TABLES.format("app."))
    pair.target.execute("CREATE SCHEMA application;" + TABLES.format("application."))
    run = pair.compare().expect(DIVERGENT)
    assert any("--map 'app.*=application.*' compares them" in hint for hint in hints(run)), hints(run)
    mapped = pair.compare("--map", "app.*=application.*").expect(IDENTICAL)
    assert hints(mapped) == [] and mapped.table()["rows"]["source"] == "10"
    pair.target.execute("DELETE FROM application.orders WHERE id = 4")
    assert pair.compare("--map", "app.*=application.*").expect(DIVERGENT).table()["counts"]["missing_on_target"] == "1"


# ---- rights and locks ------------------------------------------------------------------------------------------------


def test_a_role_without_rights(shop, role):
    run = shop.compare("--table", "orders", source=shop.source.conninfo(user=role)).expect(ERROR)
    hint, = hints(run)
    assert hint == (f"the role {role} may not read 1 of the tables on source: GRANT USAGE ON SCHEMA public TO {role}; "
                    f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    shop.source.execute(hint.partition(": ")[2])
    shop.compare("--table", "orders", source=shop.source.conninfo(user=role)).expect(IDENTICAL)


def test_a_role_that_may_not_read_large_objects(pair, role):
    pair.both(TABLES.format("") + "SELECT lo_from_bytea(4711, 'x')")
    pair.source.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    try:
        run = pair.compare(source=pair.source.conninfo(user=role)).expect(INCOMPLETE)
        hint, = hints(run)
        assert f"on source: GRANT SELECT ON pg_catalog.pg_largeobject TO {role} allows it, --no-large-objects leaves them out" in hint
        assert hints(pair.compare("--no-large-objects", source=pair.source.conninfo(user=role)).expect(IDENTICAL)) == []
        pair.source.execute(f"GRANT SELECT ON pg_catalog.pg_largeobject TO {role}")
        assert hints(pair.compare(source=pair.source.conninfo(user=role)).expect(IDENTICAL)) == []
        pair.target.execute("SELECT lo_put(4711, 0, 'y')")
        pair.compare(source=pair.source.conninfo(user=role)).expect(DIVERGENT)
    finally:
        pair.source.execute(f"DROP OWNED BY {role}")


@contextlib.contextmanager
def locked(database, table):
    """Another session that holds the table."""
    session = psycopg2.connect(database.conninfo(application_name="a migration"))
    try:
        session.cursor().execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield session.info.backend_pid
    finally:
        session.close()


@pytest.mark.parametrize("way", ["extension", "stream"])
def test_who_has_locked_a_table(shop, way):
    with locked(shop.target, "orders") as pid:
        run = shop.compare("--engine", way, "--lock-timeout", "100ms", "--table", "orders").expect(ERROR)
    reason = run.table()["not_compared"]
    assert reason.startswith(f"it is locked by another session on target: pid {pid} (user postgres, a migration), in a transaction of "), reason
    assert reason.endswith(" s: LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"), reason
    run = shop.compare("--engine", way, "--lock-timeout", "100ms").expect(IDENTICAL)


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("table, tables", [("orders", "orders"), ("day", "week")], ids=["table", "partition"])
@pytest.mark.parametrize("way", ["extension", "stream"])
def test_who_locks_a_table_after_the_run_has_planned(shop, way, table, tables):
    shop.both("CREATE TABLE IF NOT EXISTS week (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE IF NOT EXISTS day PARTITION OF week FOR VALUES FROM (1) TO (9)")
    with contextlib.ExitStack() as held:
        pids = []

        def lock(_, request):
            if b"LOCK TABLE" in request and not pids:
                pids.append(held.enter_context(locked(shop.target, table)))

        with Proxy(shop.target.cluster.port, lock) as proxy:
            run = shop.compare("--engine", way, "--lock-timeout", "100ms", "--retry-for", "2s", "--table", tables, target=shop.target.tcp_conninfo(proxy.port)).expect(ERROR)
    message, = [error["message"] for error in run.report["errors"]]
    told = f"attempts: target: canceling statement due to lock timeout: it is locked by pid {pids[0]} (user postgres, a migration), in a transaction of "
    assert told in message and re.search(r'^gave table "public\.\w+" up after [2-9] attempts: ', message), message
    assert message.endswith(f" s: LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"), message


def test_what_a_session_that_locks_a_table_writes_is_not_told(shop):
    """A report goes to more people than those who may see other sessions' statements."""
    for statement in ("SELECT 1 -- pick a better secret", "SELECT 'secret'", "SELECT 4711", "SELECT $$secret$$", "SELECT E'secret'", "/* secret */ SELECT"):
        session = psycopg2.connect(shop.target.conninfo())
        session.cursor().execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        session.cursor().execute(statement)
        pid = session.info.backend_pid
        run = shop.compare("--lock-timeout", "100ms", "--table", "orders").expect(ERROR)
        session.close()
        assert f"pid {pid} " in run.table()["not_compared"] and run.table()["not_compared"].endswith("…")
        assert "secret" not in run.stdout + run.stderr and "4711" not in run.table()["not_compared"].split(" s: ")[1]


def test_a_prepared_transaction_has_locked_a_table(shop):
    shop.source.execute("BEGIN; LOCK TABLE orders; PREPARE TRANSACTION 'kept'")
    try:
        run = shop.compare("--lock-timeout", "100ms", "--table", "orders").expect(ERROR)
        assert run.table()["not_compared"] == "it is locked by another session on source: a prepared transaction (pg_prepared_xacts)"
    finally:
        shop.source.execute("ROLLBACK PREPARED 'kept'")


def test_a_locked_sequence(shop):
    shop.both("CREATE SEQUENCE numbers")
    try:
        session = psycopg2.connect(shop.source.conninfo())
        session.cursor().execute("ALTER SEQUENCE numbers CACHE 1; SELECT pg_catalog.set_config('x.y', 'z', false)")
        finished = threading.Timer(20, session.close)
        finished.start()
        run = shop.compare("--lock-timeout", "100ms")
        if run.status != IDENTICAL:  # what ALTER SEQUENCE locks is the major version's choice
            run.expect(INCOMPLETE)
            assert f"pid {session.info.backend_pid} (user postgres" in run.report["sequences"][0]["reason"]
        finished.cancel()
        session.close()
        shop.compare().expect(IDENTICAL)
    finally:
        shop.both("DROP SEQUENCE numbers")


# ---- the configuration file ------------------------------------------------------------------------------------------


def config(tmp_path, shop, text):
    file = tmp_path / "parity.toml"
    file.write_text(f"source = '{shop.source.conninfo()}'\ntarget = '{shop.target.conninfo()}'\n{text}")
    return str(file)


def test_a_key_with_a_typing_error(shop, tmp_path):
    for text, words in (("worker = 3", 'did you mean "workers"?'), ("[table.orders]\nwher = 'id > 3'", 'did you mean "where"?'),
                        ("[tables.orders]\nwhere = 'id > 3'", 'did you mean "table"?')):
        run = pgparity("compare", "--config", config(tmp_path, shop, text)).expect(ERROR)
        error, hint = run.stderr.splitlines()
        assert ":3: unknown key" in error or ":4: unknown key" in error, error
        assert words in hint


# ---- settings of single tables ---------------------------------------------------------------------------------------


SETTINGS = """
exclude-columns = ["touched"]

[table."public.event"]
where = "id > 3"
key = ["day", "id"]
exclude-columns = ["seen"]
form = { amount = "decimal" }
ranges = 2

[table.visit]
columns = ["v"]
"""


@pytest.fixture
def events(pair):
    """Differences that only settings of single tables leave out, and others."""
    pair.both("""CREATE TABLE event (day date, id int, amount int, seen int, touched int, PRIMARY KEY (id, day));
        CREATE TABLE visit (id int PRIMARY KEY, v int, w int, touched int);
        CREATE TABLE other (id int PRIMARY KEY, v int, seen int, touched int);
        INSERT INTO event SELECT date '2024-01-01' + n, n, n, n, n FROM generate_series(1, 20) n;
        INSERT INTO visit SELECT n, n, n, n FROM generate_series(1, 20) n; INSERT INTO other SELECT n, n, n, n FROM generate_series(1, 20) n""")
    pair.target.execute("""ALTER TABLE event ALTER amount TYPE numeric; UPDATE event SET amount = 0 WHERE id = 2; UPDATE event SET seen = 0, touched = 0;
        UPDATE visit SET w = 0; UPDATE visit SET touched = 0; UPDATE other SET touched = 0""")
    return pair


@pytest.mark.parametrize("way", ["auto", "stream"])
@pytest.mark.parametrize("planted", [False, True])
def test_settings_of_single_tables(events, tmp_path, way, planted):
    file = config(tmp_path, events, SETTINGS)
    if planted:
        events.target.execute("UPDATE event SET amount = 0 WHERE id = 7; UPDATE visit SET v = 0 WHERE id = 1; UPDATE other SET seen = 0 WHERE id = 1")
    run = pgparity("compare", "--format", "json", "--config", file, "--engine", way).expect(DIVERGENT if planted else IDENTICAL)
    tables = {table["source"]: table for table in run.report["tables"]}
    event = tables["public.event"]
    assert event["where"] == "id > 3" and run.report["not_compared"][0] == "rows of public.event without id > 3 (configuration file)"
    assert event["rows"] == {"source": "17", "target": "17"} and event["ranges"]["compared"] <= 3
    assert event["key"] == ["day", "id"] and {c["name"]: c["form"] for c in event["columns"]} == {"amount": "decimal"}
    assert [c["name"] for c in tables["public.visit"]["columns"]] == ["v"] and "where" not in tables["public.visit"]
    assert "columns of public.visit: w, touched (options columns, exclude-columns)" in run.report["not_compared"]
    assert [c["name"] for c in tables["public.other"]["columns"]] == ["seen", "v"]
    if planted:
        assert findings(event) == {mismatch("amount", day="2024-01-08", id="7")}
        assert findings(tables["public.visit"]) == {mismatch("v", id="1")} and findings(tables["public.other"]) == {mismatch("seen", id="1")}


def test_the_command_line_wins_over_settings_of_tables(events, tmp_path):
    file = config(tmp_path, events, SETTINGS)
    run = pgparity("compare", "--format", "json", "--config", file, "--where", "id < 3", "--table", "event").expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("amount", day="2024-01-03", id="2")} and run.table()["where"] == "id < 3"


def test_settings_hold_for_a_mapped_table_and_for_partitions(pair, tmp_path):
    for side, name in ((pair.source, "log"), (pair.target, "log_2")):
        side.execute(f"""CREATE TABLE {name} (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
            CREATE TABLE {name}_a PARTITION OF {name} FOR VALUES FROM (0) TO (10); CREATE TABLE {name}_b PARTITION OF {name} FOR VALUES FROM (10) TO (99);
            INSERT INTO {name} SELECT n, n FROM generate_series(1, 20) n""")
    pair.target.execute("UPDATE log_2 SET v = 0 WHERE id <= 5")
    file = config(tmp_path, pair, "map = ['log=log_2']\n[table.log]\nwhere = 'id > 5'")
    assert pgparity("compare", "--format", "json", "--config", file).expect(IDENTICAL).table()["rows"]["target"] == "15"
    pair.target.execute("UPDATE log_2 SET v = 0 WHERE id = 12")
    assert findings(pgparity("compare", "--format", "json", "--config", file).expect(DIVERGENT).table()) == {mismatch("v", id="12")}


def test_a_list_of_columns_is_about_its_table_alone(events, tmp_path):
    """Each name of "a,b", also of one that another table has, too."""
    events.target.execute("UPDATE event SET amount = id")
    file = config(tmp_path, events, "[table.'public.event']\nexclude-columns = 'seen, touched'\n[table.visit]\ncolumns = 'v,touched'")
    run = pgparity("compare", "--format", "json", "--config", file).expect(DIVERGENT)
    assert {table["source"]: [c["name"] for c in table["columns"]] for table in run.report["tables"]} == {
        "public.event": ["amount"], "public.visit": ["touched", "v"], "public.other": ["seen", "touched", "v"]}


def test_both_sections_about_a_table_count(events, tmp_path):
    file = config(tmp_path, events, "exclude-columns = ['seen', 'touched']\n[table.event]\nwhere = 'id > 3'\n[table.'public.event']\nranges = 2")
    event = {table["source"]: table for table in pgparity("compare", "--format", "json", "--config", file).report["tables"]}["public.event"]
    assert event["where"] == "id > 3" and event["ranges"]["compared"] <= 3 and event["result"] == "identical"


def test_what_a_setting_leaves_out_is_always_said(events, tmp_path):
    file = config(tmp_path, events, "[table.event]\nwhere = 'id > 3'\nexclude-columns = ['seen', 'touched']\n[table.visit]\ncolumns = 'v'\n[table.other]\ncolumns = 'v'")
    for arguments in (["--quiet"], ["--format", "csv"], ["--format", "junit"], ["--format", "markdown", "--quiet"], ["--format", "ndjson"]):
        assert "rows of public.event without id " in pgparity("compare", "--config", file, *arguments).expect(IDENTICAL).stdout


@pytest.mark.parametrize("setting", ["where = 'id > 3'", "ranges = 2"])
def test_a_setting_of_what_is_compared_as_a_part_is_refused(pair, tmp_path, setting):
    pair.both("""CREATE TABLE log (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE log_a PARTITION OF log FOR VALUES FROM (0) TO (10)""")
    run = pgparity("compare", "--config", config(tmp_path, pair, f"[table.log_a]\n{setting}")).expect(ERROR)
    assert 'what the configuration file says of "log_a" would have no effect on table public.log_a: it is compared as a part of public.log' in run.stderr
    pair.target.execute("INSERT INTO log VALUES (2), (5)")
    run = pgparity("compare", "--format", "json", "--table", "log_a", "--config", config(tmp_path, pair, f"[table.log_a]\n{setting}")).expect(DIVERGENT)
    assert len(run.table()["divergences"]) == (1 if "where" in setting else 2)


@pytest.mark.parametrize("text, words", [
    ("[table.nonesuch]\nwhere = 'true'", ["the source has no table nonesuch, of which the configuration file has settings"]),
    ("[table.event]\nwhere = 3", [':4: "where" must be a string']), ("[table.event]\nranges = 0", [":4: ", "--ranges", "1 or more"]),
    ("[table.event]\nform = 'numeric'", [":4: ", 'form = { amount = "decimal" }']), ("[table.event]\nkey = 'nonesuch'", ["nonesuch"]),
    ("table = 'event'\n[table.visit]\nwhere = 'true'", ["syntax error"]), ("[table]\nevent = 3", [':4: "event" must be a table']),
    ("[table.'a.b.c']\nwhere = 'true'", ['invalid name "a.b.c"']), ("map-column = ['v=w']\n[table.event]\nwhere = 'true'", ["--where cannot be combined"]),
    ("[table.event]\nwhere = 'nonesuch = 1'", ["nonesuch"]),
    ("[table.'public.event']\nwhere = 'true'\n[table.'PUBLIC.event']\nranges = 2", ['the sections "', "are about the same table"]),
    ("[table.event]\nexclude-columns = 'visit.touched'", ["visit.touched"]), ("[table.event]\nform = { 'visit.v' = 'decimal' }", ["visit.v"]),
])
def test_settings_that_mean_nothing(events, tmp_path, text, words):
    run = pgparity("compare", "--config", config(tmp_path, events, text))
    assert run.status in (ERROR, DIVERGENT) and not run.stdout or "nonesuch = 1" in text
    for word in words:
        assert word in run.stdout + run.stderr, run.stderr


# ---- what was left out as asked --------------------------------------------------------------------------------------


COLUMNS_LEFT_OUT = "columns of public.orders: v (options columns, exclude-columns)"
LEFT_OUT = [(["--where", "id > 100"], "rows without id > 100 (option where)"), (["--exclude-columns", "orders.v"], COLUMNS_LEFT_OUT),
            (["--columns", "orders.id"], COLUMNS_LEFT_OUT),
            (["--exclude-table", "items"], "tables left out by --exclude-table: 1 on source, 1 on target")]


@pytest.mark.parametrize("way", [[], ["--quiet"], ["--format", "markdown"]], ids=lambda way: " ".join(way) or "text")
@pytest.mark.parametrize("arguments, words", LEFT_OUT, ids=lambda value: value[0] if isinstance(value, list) else None)
def test_what_options_leave_out_is_said(pair, way, arguments, words):
    """All that differs is left out: the report does not call that whole."""
    pair.both(TABLES.format("") + "CREATE TABLE items (id int PRIMARY KEY)")
    pair.target.execute("UPDATE orders SET v = 'other' WHERE id = 3" if arguments[0] != "--exclude-table" else "INSERT INTO items VALUES (1)")
    pair.compare().expect(DIVERGENT)
    run = pair.run(*arguments, *way).expect(IDENTICAL)
    assert words in html.unescape(run.stdout.replace("\\", "")), run.stdout
    assert words in pair.compare(*arguments).report["not_compared"]


PARTS = ("CREATE TABLE log (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10); CREATE TABLE log_2 PARTITION OF log DEFAULT;"
         "CREATE VIEW log_view AS SELECT * FROM log; CREATE TABLE items (id int PRIMARY KEY);")


@pytest.mark.parametrize("patterns, number, status", [
    (["log_1"], 0, DIVERGENT),                     # compared as a part of its table
    (["log_view"], 0, DIVERGENT),                  # would be compared only if it were named
    (["log"], 0, DIVERGENT),                       # its partitions are compared by themselves
    (["log", "log_1"], 1, IDENTICAL),
    (["log*"], 1, IDENTICAL),                      # one table, with its partitions
    (["log*", "items"], 2, IDENTICAL),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_what_exclusions_leave_out_is_counted(pair, patterns, number, status):
    pair.both(TABLES.format("") + PARTS)
    pair.target.execute("INSERT INTO log VALUES (3)")
    run = pair.compare(*[word for pattern in patterns for word in ("--exclude-table", pattern)]).expect(status)
    told = [sentence for sentence in run.report["not_compared"] if "--exclude-table" in sentence]
    assert told == ([f"tables left out by --exclude-table: {number} on source, {number} on target"] if number else [])


def test_what_an_exclusion_leaves_out_whatever_its_parts_are(pair):
    """A foreign partition is compared only when it is named, and what only one side has is no part of what is compared."""
    foreign = "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;"
    pair.both(TABLES.format("") + foreign + "CREATE TABLE fp (id int) PARTITION BY RANGE (id);"
              "CREATE FOREIGN TABLE fp_1 PARTITION OF fp DEFAULT SERVER files OPTIONS (filename '/dev/null'); CREATE TABLE items (id int PRIMARY KEY)")
    pair.source.execute("CREATE TABLE lone (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE lone_1 PARTITION OF lone DEFAULT")
    report = pair.compare("--exclude-table", "fp", "--exclude-table", "lone_1").expect(DIVERGENT).report
    assert "tables left out by --exclude-table: 2 on source, 1 on target" in report["not_compared"]
    assert not [d for d in report["schema_differences"] if "excluded, but compared" in d["message"]]
    report = pair.compare("--exclude-table", "fp", "--exclude-table", "lone*").expect(IDENTICAL).report
    assert "tables left out by --exclude-table: 2 on source, 1 on target" in report["not_compared"]


@pytest.mark.parametrize("own, told", [("orders", False), ("items", True)])
def test_the_condition_of_the_run_is_said_only_where_tables_are_under_it(pair, tmp_path, own, told):
    pair.both(TABLES.format("") + "CREATE TABLE items (id int PRIMARY KEY)")
    file = tmp_path / "parity.toml"
    file.write_text(f"exclude-table = ['items']\nwhere = 'id > 5'\n[table.{own}]\nwhere = 'id > 7'\n")
    pair.target.execute("UPDATE orders SET v = 'other' WHERE id = 3")
    run = pair.compare("--config", str(file)).expect(IDENTICAL)
    assert ("rows without id > 5 (option where)" in run.report["not_compared"]) == told
    assert ("rows of public.orders without id > 7 (configuration file)" in run.report["not_compared"]) == (not told)
    pair.target.execute("UPDATE orders SET v = 'other' WHERE id = 8")
    pair.compare("--config", str(file)).expect(DIVERGENT)


def test_a_condition_that_no_row_fulfils_is_noted(pair):
    pair.both(TABLES.format(""))
    note = "no row of either side fulfils the condition"
    assert note in pair.compare("--where", "id > 100").expect(IDENTICAL).table()["notes"]
    pair.target.execute("INSERT INTO orders VALUES (101, 'x')")
    assert note not in pair.compare("--where", "id > 100").expect(DIVERGENT).table()["notes"]


def test_a_database_of_sequences_alone(pair):
    pair.both("CREATE SEQUENCE s")
    assert "result: identical: 0 tables and 1 sequence compared; " in pair.run().expect(IDENTICAL).stdout
    pair.target.execute("SELECT setval('s', 50)")
    assert pair.compare().expect(DIVERGENT).report["sequences"][0]["result"] == "divergent"
    pair.source.execute("DROP SEQUENCE s")
    pair.compare().expect(DIVERGENT)
    pair.target.execute("DROP SEQUENCE s")
    error, hint = refusal(ERROR, source=pair.source.conninfo(), target=pair.target.conninfo())
    assert f"no table to compare: the source is database {pair.source.name} on " in error and "dbname in --source and --target" in hint


def test_sequences_without_rights(pair, role_of_tables):
    run = pgparity("compare", "--source", pair.source.conninfo(user=role_of_tables), "--target", pair.target.conninfo()).expect(INCOMPLETE)
    assert f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role_of_tables}" in run.stdout


@pytest.fixture
def role_of_tables(pair, source_cluster):
    pair.both(TABLES.format("") + "CREATE SEQUENCE s")
    source_cluster.execute("CREATE ROLE teller LOGIN")
    pair.source.execute("GRANT SELECT ON orders TO teller")
    yield "teller"
    pair.source.execute("DROP OWNED BY teller")
    source_cluster.execute("DROP ROLE teller")


@pytest.mark.parametrize("engine", ["auto", "stream"], indirect=True)
def test_what_was_not_counted_is_no_zero(pair, engine):
    """Of a table whose rows could not be looked at to their end, the report has no counts; of the others it has."""
    pair.both(TABLES.format("") + "CREATE TABLE bad (id int PRIMARY KEY, v text); INSERT INTO bad SELECT n, 'v' FROM generate_series(1, 10) n")
    pair.target.execute("UPDATE orders SET v = 'other' WHERE id = 3")
    run = pair.compare("--where", "CASE WHEN v = 'v' THEN current_setting('no.such') ELSE '' END IS NOT NULL").expect(DIVERGENT)
    failed, counted = run.table("public.bad"), run.table("public.orders")
    assert failed["result"] == "error" and "counts" not in failed and all("divergent" not in column for column in failed["columns"])
    assert counted["counts"]["mismatch"] == "1" and [column["divergent"] for column in counted["columns"]] == [True]
