"""Reports in every format, from a run and from a report that was kept."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET

import jsonschema
import pytest

from conftest import SCHEMA
from support.pgparity import DIVERGENT, IDENTICAL, INCOMPLETE, pgparity

TABLES = ("CREATE TABLE a (id bigint PRIMARY KEY, n numeric, v text); INSERT INTO a SELECT g, g, 'v' || g FROM generate_series(1, 3000) g;"
          "CREATE TABLE bag (x int, y text); INSERT INTO bag SELECT g % 5, 'y' FROM generate_series(1, 50) g;"
          "CREATE TABLE same (id int PRIMARY KEY); INSERT INTO same SELECT generate_series(1, 7); CREATE SEQUENCE s; SELECT setval('s', 50)")
CHANGES = (r"UPDATE a SET n = -1, v = E'two\nlines, \"quoted\" | <b>' WHERE id IN (9, 256, 257); UPDATE a SET v = NULL WHERE id = 300;"
           "UPDATE a SET v = '' WHERE id = 301; DELETE FROM a WHERE id IN (2, 2999); INSERT INTO a VALUES (-5, 0, NULL), (70000, 1, 'x');"
           "DELETE FROM bag WHERE x = 3; SELECT setval('s', 40); CREATE TABLE extra (x int)")
# In the order of the keys: kind and key.
FOUND = [("missing_on_source", "-5"), ("missing_on_target", "2"), ("mismatch", "9"), ("mismatch", "256"), ("mismatch", "257"), ("mismatch", "300"),
         ("mismatch", "301"), ("missing_on_target", "2999"), ("missing_on_source", "70000")]


@pytest.fixture
def differing(pair):
    pair.both(TABLES)
    pair.target.execute(CHANGES)
    return pair


def kept(pair, path, *arguments):
    pair.compare("--output", str(path), *arguments)
    return str(path)


def reported(*arguments):
    return pgparity("report", *arguments)


def listed(document):
    table, = [table for table in document["tables"] if table["source"] == "public.a"]
    return [(finding["kind"], finding["key"]["id"]) for finding in table["divergences"]]


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("seed", ["1", "2", "12345"])
@pytest.mark.parametrize("ranges", ["1", "40"])
def test_findings_are_in_the_order_of_keys_whatever_the_seed(differing, seed, ranges):
    arguments = ["--table", "a", "--seed", seed, "--ranges", ranges]
    assert listed(differing.compare(*arguments).expect(DIVERGENT).report) == FOUND
    few = differing.compare(*arguments, "--max-divergences", "4").expect(DIVERGENT).report
    assert listed(few) == FOUND[:4] and few["tables"][0]["not_listed"] == "5"


def test_a_kept_report_is_the_same_in_every_format(differing, tmp_path):
    """What the run itself prints, but for times and options."""
    file = kept(differing, tmp_path / "run.json", "--seed", "7")
    same = lambda text: re.sub(r"begun \S+|timestamp=\"\S+\"|(?<=[^0-9])[0-9.]+ s$|time=\"[0-9.]+\"|--output \S+|--format \S+|\"options\":.*?},|"
                               r"\"(started_at|elapsed_seconds|as_of)\": ?[^,}\n]*|[0-9]+(\\)?\.[0-9]+ s\b|options: [^;|]*|value=\"--[^\"]*\"|at 0/[0-9A-F]+|"
                               r"\"(lsn|verified_through)\": ?(\{[^}]*\}|\"[^\"]*\")|2[0-9]{3}\\-[^ ]*", "", text, flags=re.MULTILINE)
    for form in ("text", "json", "ndjson", "csv", "markdown", "junit"):
        run = differing.run("--seed", "7", "--format", form)
        again = reported("--from", file, "--format", form)
        assert run.status == again.status == DIVERGENT, form
        assert same(run.stdout) == same(again.stdout), form
        assert len(run.stdout) > 500
    whole = json.loads(reported("--from", file, "--format", "json").stdout)
    assert whole == json.load(open(file))
    jsonschema.validate(whole, json.load(open(SCHEMA)))


def test_csv_is_what_copy_reads(differing, tmp_path):
    file = kept(differing, tmp_path / "run.json")
    text = reported("--from", file, "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["what"] for row in rows} == {"mismatch", "missing_on_source", "missing_on_target", "schema_divergence", "sequence_divergent", "not_compared", "result"}
    assert rows[-1]["message"].startswith("divergent: 3 tables compared, 2 divergent")
    differing.source.execute("CREATE TABLE report (what text, source_name text, target_name text, key jsonb, col text, source text, target text,"
                             "occurrences bigint, message text)")
    (tmp_path / "run.csv").write_text(text)
    with differing.source.connection.cursor() as cursor, open(tmp_path / "run.csv") as lines:
        cursor.copy_expert("COPY report FROM STDIN (FORMAT csv, HEADER)", lines)
    cells = "SELECT source, target FROM report WHERE source_name = 'public.a' AND what = 'mismatch' AND col = 'v' AND key ->> 'id' = '{}'"
    assert differing.source.query(cells.format(9)) == [("v9", 'two\nlines, "quoted" | <b>')]
    assert differing.source.query(cells.format(300)) == [("v300", None)]
    assert differing.source.query(cells.format(301)) == [("v301", "")]
    assert differing.source.query("SELECT occurrences FROM report WHERE source_name = 'public.bag'") == [(10,)]


def test_junit_counts_as_the_json_does(differing, tmp_path):
    differing.both("CREATE TABLE locked (id int PRIMARY KEY); CREATE TABLE odd (id int PRIMARY KEY, w tsvector, q json)")
    differing.target.execute("ALTER TABLE odd ALTER w TYPE text")
    with differing.target.connect() as blocker:
        blocker.cursor().execute("BEGIN; LOCK TABLE locked")
        file = kept(differing, tmp_path / "run.json", "--lock-timeout", "100ms")
        blocker.rollback()
    document = json.load(open(file))
    suite = ET.fromstring(reported("--from", file, "--format", "junit").stdout).find("testsuite")
    cases = {case.get("name"): case for case in suite.iter("testcase") if case.get("classname") == "tables"}
    for table in document["tables"]:
        case = cases.pop(table["source"])
        kind = {"identical": None, "divergent": "failure"}.get(table["result"], "error")
        assert [child.tag for child in case] == ([kind] if kind else []), table["source"]
        if table["result"] == "divergent" and table["incomplete"]:
            assert cases.pop(f"{table['source']}: what was not compared").find("error") is not None
        lines = (case[0].text or "").strip().split("\n") if kind else []
        assert [line for line in lines if line.startswith("note: ")] == [f"note: {note}" for note in table["notes"] if kind]
        if kind == "failure":
            assert len([line for line in lines if not line.startswith(("note: ", "column ", "concentration: "))]) == len(table["divergences"])
        if kind == "error" and table["skipped"]:
            assert [line for line in lines if line.startswith("not compared: ")] == [f"not compared: {reason}" for reason in table["skipped"]]
    assert not cases
    assert {table["result"] for table in document["tables"]} >= {"identical", "divergent", "incomplete"}
    every = list(suite.iter("testcase"))
    for tag, attribute in (("failure", "failures"), ("error", "errors")):
        assert int(suite.get(attribute)) == sum(case.find(tag) is not None for case in every) > 0
    assert int(suite.get("tests")) == len(every) and suite.get("skipped") == "0"


def test_ndjson_has_a_line_for_each_thing(differing, tmp_path):
    file = kept(differing, tmp_path / "run.json")
    document = json.load(open(file))
    lines = [json.loads(line) for line in reported("--from", file, "--format", "ndjson").stdout.splitlines()]
    assert lines[0]["record"] == "begin" and "exit_status" not in lines[0] and lines[0]["seed"] == document["seed"]
    assert lines[-1]["record"] == "run" and lines[-1]["exit_status"] == DIVERGENT and [line["record"] for line in lines].count("run") == 1
    found = [line for line in lines if line["record"] == "divergence"]
    assert len(found) == sum(len(table["divergences"]) for table in document["tables"])
    assert found[0]["table"] == {"source": "public.a", "target": "public.a"}
    assert [line["source"] for line in lines if line["record"] == "table"] == [table["source"] for table in document["tables"]]


def edited(file, path, **members):
    path.write_text(json.dumps({**json.load(open(file)), **members}))
    return str(path)


def test_a_run_that_failed_as_a_whole_is_an_error_in_every_format(pair, tmp_path):
    """Where nothing is left to compare, no case of JUnit's is there that could fail."""
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    file = edited(kept(pair, tmp_path / "run.json"), tmp_path / "failed.json", tables=[], not_compared=["table x: unlogged"], result="error", exit_status=2)
    suite = ET.fromstring(reported("--from", file, "--format", "junit").expect(2).stdout).find("testsuite")
    assert suite.get("errors") == suite.get("tests") == "1" and "table x: unlogged" in suite.find("system-out").text
    for form in ("text", "markdown", "csv", "ndjson"):
        text = reported("--from", file, "--format", form).expect(2).stdout
        assert "table x: unlogged" in text and "error" in text.splitlines()[-1] or form == "markdown" and "# pgparity: error" in text


def test_values_that_were_read_on_one_side_alone_are_no_null(differing, tmp_path):
    document = json.load(open(kept(differing, tmp_path / "run.json")))
    table, = [table for table in document["tables"] if table["source"] == "public.a"]
    for divergence in table["divergences"]:
        divergence.pop("target", None)
    file = edited(tmp_path / "run.json", tmp_path / "half.json", tables=[table])
    rows = [row for row in csv.DictReader(io.StringIO(reported("--from", file, "--format", "csv").stdout)) if row["what"] == "mismatch"]
    assert rows and all((row["source"], row["target"], row["message"]) == ("", "", "values were not read") for row in rows)
    assert "(id)=(300)  v\n" in reported("--from", file).stdout


def test_junit_is_xml_whatever_a_value_is(pair, tmp_path):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text)")
    codes = [*range(1, 32), 127, 0x85, 0x200B, 0x202E, 0xFEFF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF]
    pair.source.execute("INSERT INTO t SELECT g, chr(g) || ']]>' FROM unnest(%s) g", (codes,))
    pair.target.execute("INSERT INTO t SELECT g, '<&\"' FROM unnest(%s) g", (codes,))
    failure, = ET.fromstring(pair.run("--format", "junit").expect(DIVERGENT).stdout).iter("failure")
    assert len(failure.text.strip().split("\n")) == 1 + len(codes)  # and how many rows differ in the column


def test_a_recorded_run_is_a_run_in_ndjson(differing, tmp_path):
    document = json.load(open(kept(differing, tmp_path / "run.json")))
    file = edited(tmp_path / "run.json", tmp_path / "recorded.json", record={"run": "5"}, options={**document["options"], "record": ["x"]})
    last = json.loads(reported("--from", file, "--format", "ndjson").stdout.splitlines()[-1])
    assert last["record"] == "run" and last["recorded"] == {"run": "5"} and last["exit_status"] == DIVERGENT


def test_lines_are_read_back_as_the_document_that_they_are(differing, tmp_path):
    differing.source.execute("SELECT lo_create(7); SELECT lo_create(8)")
    differing.target.execute("SELECT lo_create(7)")
    file, lines = kept(differing, tmp_path / "run.json", "--seed", "7"), tmp_path / "run.ndjson"
    lines.write_text(reported("--from", file, "--format", "ndjson").expect(DIVERGENT).stdout)
    again = reported("--from", str(lines), "--format", "json").expect(DIVERGENT)
    assert again.report == json.load(open(file)) and len(again.report["large_objects"]["divergences"]) == 1
    # As tables are finished, which is not the order of names.
    live = differing.run("--seed", "7", "--format", "ndjson").expect(DIVERGENT).stdout
    lines.write_text(live)
    names = [table["source"] for table in reported("--from", str(lines), "--format", "json").report["tables"] if "not_compared" not in table]
    assert names == sorted(names) and len(names) == 3
    assert listed(reported("--from", str(lines), "--format", "json").report) == FOUND


def test_lines_that_were_cut_off_are_no_report(differing, tmp_path):
    lines = differing.run("--format", "ndjson").expect(DIVERGENT).stdout.splitlines(keepends=True)
    for number in (1, len(lines) // 2, len(lines) - 1):
        (tmp_path / "cut").write_text("".join(lines[:number]))
        run = reported("--from", str(tmp_path / "cut")).expect(2)
        assert "it is not whole" in run.stderr and not run.stdout, run
    (tmp_path / "cut").write_text("".join(lines)[:-40])
    assert "could not read report" in reported("--from", str(tmp_path / "cut")).expect(2).stderr


def test_what_is_left_out(differing, tmp_path):
    differing.both("CREATE TABLE odd (id int PRIMARY KEY, w tsvector)")
    differing.target.execute("ALTER TABLE odd ALTER w TYPE text")
    file = kept(differing, tmp_path / "run.json")
    whole = reported("--from", file).stdout
    fewer = reported("--from", file, "--only-differences").stdout
    quiet = reported("--from", file, "--quiet").stdout
    assert "public.same: identical, 7 rows" in whole and "public.same" not in fewer + quiet
    assert "mismatch " in fewer and "mismatch " not in quiet
    for text in (whole, fewer, quiet):
        assert "public.odd" in text and "not compared:" in text and "public.extra: divergent" in text and "result: divergent" in text


AGAINST = {"gone": "2", "new": "1", "persisting": "7"}


def test_against_an_older_report(differing, tmp_path):
    older = kept(differing, tmp_path / "older.json", "--seed", "1")
    differing.target.execute("UPDATE a SET n = id, v = 'v' || id WHERE id = 9; INSERT INTO a VALUES (2, 2, 'v2'); DELETE FROM a WHERE id = 1000;"
                             "UPDATE a SET n = 77 WHERE id = 256")
    newer = kept(differing, tmp_path / "newer.json", "--seed", "2")
    run = reported("--from", newer, "--against", older, "--format", "json")
    assert run.status == DIVERGENT
    document = json.loads(run.stdout)
    jsonschema.validate(document, json.load(open(SCHEMA)))
    told = {table["source"]: table for table in document["against"]["tables"] if "source" in table}
    names = {"source": "public.a", "target": "public.a"}
    assert told["public.a"] == {**names, **AGAINST}
    assert told["public.bag"]["persisting"] == "1" and told["public.same"]["new"] == "0"
    table, = [table for table in document["tables"] if table["source"] == "public.a"]
    assert [finding["key"]["id"] for finding in table["divergences"] if finding["against"] == "new"] == ["1000"]
    text = reported("--from", newer, "--against", older).stdout
    assert "  public.a: 2 gone, 1 new, 7 persisting\n" in text and re.search(r"\(id\)=\(1000\)  new\n", text)
    for form, words in (("csv", "1000.*,new\n"), ("markdown", r"\| missing on target, new \| \(id\)=\(1000\)"), ("junit", r"\(id\)=\(1000\)  new\n")):
        text = reported("--from", newer, "--against", older, "--format", form).stdout
        told = "against,public.a,public.a,,,,,,\"2 gone, 1 new, 7 persisting\"\n" if form == "csv" else "public.a: 2 gone, 1 new, 7 persisting"
        assert told in text and re.search(words, text), form


def test_the_marks_of_an_earlier_comparison_do_not_stay(differing, tmp_path):
    older, newer = kept(differing, tmp_path / "older.json"), kept(differing, tmp_path / "newer.json")
    marked, capped = tmp_path / "marked.json", kept(differing, tmp_path / "capped.json", "--max-divergences", "3")
    marked.write_text(reported("--from", newer, "--against", older, "--format", "json").stdout)
    assert '"against":"persisting"' in marked.read_text()
    document = json.loads(reported("--from", str(marked), "--against", capped, "--format", "json").stdout)
    table, = [table for table in document["tables"] if table["source"] == "public.a"]
    assert len(table["divergences"]) == len(FOUND) and not any("against" in divergence for divergence in table["divergences"])


def test_an_older_report_of_another_database(differing, tmp_path):
    older, newer = kept(differing, tmp_path / "older.json"), kept(differing, tmp_path / "newer.json")
    document = json.load(open(older))
    other = edited(older, tmp_path / "other.json", target={**document["target"], "database": "elsewhere"})
    assert "another database" not in reported("--from", newer, "--against", older).stdout
    run = reported("--from", newer, "--against", other, "--format", "json")
    jsonschema.validate(json.loads(run.stdout), json.load(open(SCHEMA)))
    assert json.loads(run.stdout)["against"]["other_databases"] == ["target"]
    for form in ("text", "markdown", "csv", "junit"):
        assert ", whose target was another database" in reported("--from", newer, "--against", other, "--format", form).stdout


def test_rows_of_a_table_that_was_not_read_are_not_counted_as_none(differing, tmp_path):
    older = kept(differing, tmp_path / "older.json")
    with differing.target.connect() as blocker:
        blocker.cursor().execute("LOCK TABLE a")
        newer = kept(differing, tmp_path / "newer.json", "--lock-timeout", "100ms")
        blocker.rollback()
    assert "public.a: unknown: this comparison failed; differing rows then: 9, now: not compared" in reported("--from", newer, "--against", older).stdout


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("options, reason", [
    (["--max-divergences", "3"], "list is capped"), (["--where", "id < 1000"], "another condition"), (["--exclude-columns", "a.n"], "other columns or forms"),
    (["--form", "a.v=trimmed"], "other columns or forms"), (["--exclude-table", "a"], "no such table")])
@pytest.mark.parametrize("which", ["older", "newer"])
def test_what_cannot_be_told_against_an_older_report(differing, tmp_path, options, reason, which):
    older = kept(differing, tmp_path / "older.json", *(options if which == "older" else []))
    newer = kept(differing, tmp_path / "newer.json", *(options if which == "newer" else []))
    document = json.loads(reported("--from", newer, "--against", older, "--format", "json").stdout)
    told, = [table for table in document["against"]["tables"] if table.get("source") == "public.a"]
    assert reason in told["unknown"] and "persisting" not in told
    assert f"public.a: unknown: {told['unknown']}" in reported("--from", newer, "--against", older).stdout


@pytest.mark.matrix(sample=4)
@pytest.mark.parametrize("text, message", [
    (None, "No such file"), ("", "parse error"), ("{", "parse error"), ("[]", "not a report of pgparity"), ('{"tool": "other"}', "not a report of pgparity"),
    ('{"tool": "pgparity", "dry_run": true}', "a plan"), ('{"tool": "pgparity", "schema_version": 9}', "schema_version"),
    ('{"tool": "pgparity", "schema_version": 1, "tables": {}}', "has no list"),
    ('{"tool": "pgparity", "schema_version": 1, "schema_differences": [], "tables": [], "sequences": [], "not_compared": [], "errors": [],'
     '"source": {}, "target": {}}', "exit_status"),
    ('{"tool": "pgparity", "schema_version": 1, "schema_differences": [], "tables": [{}], "sequences": [], "not_compared": [], "errors": [],'
     '"source": {}, "target": {}, "exit_status": 0}', "not found")])
@pytest.mark.parametrize("option", ["--from", "--against"])
def test_a_file_that_is_no_report(pair, tmp_path, text, message, option):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    file, good = tmp_path / "file", kept(pair, tmp_path / "good.json")
    if text is not None:
        file.write_text(text)
    run = reported(option, str(file), *(["--from", good] if option == "--against" else []))
    if option == "--against" and message == "not found":
        return
    assert run.status == 2 and message in run.stderr and str(file) in run.stderr and not run.stdout


def test_a_member_of_another_type_is_told_in_plain_words(pair, tmp_path):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    file = tmp_path / "edited.json"
    whole = json.load(open(kept(pair, tmp_path / "run.json")))
    file.write_text(json.dumps({**whole, "incomplete": None}))
    run = reported("--from", str(file))
    assert run.status == 2 and not run.stdout
    assert f'could not read report "{file}": type must be boolean, but is null\nhint: it must be what pgparity compare --format json or ndjson wrote;' in run.stderr


def test_the_status_is_the_runs(pair, tmp_path):
    pair.both(TABLES)
    assert reported("--from", kept(pair, tmp_path / "0.json")).status == IDENTICAL
    pair.target.execute("ALTER TABLE a ALTER v TYPE tsvector USING NULL; ALTER TABLE a ALTER v DROP NOT NULL")
    document = json.load(open(kept(pair, tmp_path / "3.json", "--table", "a")))
    assert reported("--from", str(tmp_path / "3.json")).status == document["exit_status"] == INCOMPLETE


def test_a_full_disk_loses_no_report(differing, tmp_path):
    """/dev/full takes nothing: the report goes to standard output."""
    run = differing.run("--output", "/dev/full")
    assert run.status == 2 and "No space left" in run.stderr and "standard output instead" in run.stderr
    assert "public.a: divergent" in run.stdout and "result: divergent" in run.stdout


def test_sides_are_told_in_the_header(pair):
    pair.both(TABLES)
    text = pair.run("--seed", "42").stdout
    source, target = text.split("\n")[1:3]
    assert source.startswith(f"source: {pair.source.name} on ") and f":{pair.source.cluster.port} as postgres: PostgreSQL " in source
    assert target.startswith(f"target: {pair.target.name} on ") and f":{pair.target.cluster.port} as postgres: PostgreSQL " in target
    assert "UTF8, primary, at " in source and "seed 42" in text.split("\n")[3]


# Two values of a text that print alike, and how the text report shows them: letters, blanks, marks, dashes, ends of lines.
ALIKE = [
    ("caf\u00e9", "cafe\u0301", r"'café' | E'cafe\u0301'"), ("name", "na\u200bme", r"'name' | E'na\u200bme'"),
    ("10 km", "10\u00a0km", r"'10 km' | E'10\u00a0km'"), ("x", "x ", "'x' | 'x '"), ("A", "\u0410", r"'A' | E'\u0410'"),
    ("line", "\ufeffline", r"'line' | E'\ufeffline'"), ("dash-", "dash\u2010", r"'dash-' | E'dash\u2010'"), ("tab", "tab\r\n", r"'tab' | E'tab\r\n'"),
    ("abc", "\u202eabc", r"'abc' | E'\u202eabc'"), ("'", "\u2019", r"'''' | E'\u2019'")]


@pytest.mark.parametrize("engine", ["auto", "stream"], indirect=True)
def test_differences_that_look_alike(pair, engine):
    pair.both("CREATE TABLE u (id int PRIMARY KEY, s text)")
    for number, (source, target, _) in enumerate(ALIKE):
        pair.source.execute("INSERT INTO u VALUES (%s, %s)", [number, source])
        pair.target.execute("INSERT INTO u VALUES (%s, %s)", [number, target])
    cells = re.findall(r"^  mismatch .*\)  s: (.*)$", pair.run().stdout, re.MULTILINE)
    assert cells == [shown for _, _, shown in ALIKE]
    for cell, (source, target, _) in zip(cells, ALIKE):  # and SQL reads it
        assert pair.source.query("SELECT " + cell.replace(" | ", ", ")) == [(source, target)]
    found = pair.compare().expect(DIVERGENT).table()["divergences"]
    assert [(finding["source"]["s"], finding["target"]["s"]) for finding in found] == [(source, target) for source, target, _ in ALIKE]


def test_types_are_told_where_only_they_differ(pair):
    pair.source.execute("CREATE TABLE t (id int PRIMARY KEY, v real, w real); INSERT INTO t VALUES (1, 0.1, 0.5)")
    pair.target.execute("CREATE TABLE t (id int PRIMARY KEY, v double precision, w double precision); INSERT INTO t VALUES (1, 0.1, 0.25)")
    arguments = ["--form", "t.v=float", "--form", "t.w=float"]
    run = pair.run(*arguments).expect(DIVERGENT)
    assert "v: 0.1 real | 0.1 double precision, w: 0.5 | 0.25\n" in run.stdout
    columns = {column["name"]: column for column in pair.compare(*arguments).table()["columns"]}
    assert columns["v"]["types"] == {"source": "real", "target": "double precision"}


@pytest.mark.parametrize("at", [0, 100, 119, 120, 3000, 16000])
def test_long_values_are_cut_around_the_first_difference(pair, at):
    pair.both(f"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, repeat('a', 16300)), (2, repeat('a', {at}) || 'Z')")
    pair.target.execute(f"UPDATE t SET v = overlay(v PLACING 'Z' FROM {at + 1}) WHERE id = 1; UPDATE t SET v = v || 'more' WHERE id = 2")
    lines = re.findall(r"^  mismatch .*  v: (.*) \| (.*)$", pair.run().stdout, re.MULTILINE)
    assert len(lines) == 2
    (source, target), (shorter, longer) = lines
    assert "Z" in target and "Z" not in source and "more'" in longer and "more" not in shorter
    assert len(target) < 250


COUNTED = ("CREATE TABLE c (id int PRIMARY KEY, a int, b text, same int); INSERT INTO c SELECT g, CASE WHEN g % 10 = 0 THEN NULL ELSE g END, 'b', 1"
           " FROM generate_series(1, 1000) g")


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("arguments", [[], ["--width", "128"], ["--max-divergences", "3"], ["--engine", "stream"]])
def test_columns_are_counted_whatever_is_listed(pair, arguments):
    pair.both(COUNTED)
    pair.compare(*arguments).expect(IDENTICAL)
    pair.target.execute("UPDATE c SET a = 5 WHERE id IN (10, 20, 30); UPDATE c SET a = NULL WHERE id IN (1, 2); UPDATE c SET a = -1, b = NULL WHERE id BETWEEN 501 AND 506;"
                        "DELETE FROM c WHERE id > 990; INSERT INTO c VALUES (2000, NULL, NULL, NULL)")
    columns = {column.pop("name"): column for column in pair.compare(*arguments).expect(DIVERGENT).table()["columns"]}
    assert columns["a"] == {"form": "int", "compared": "990", "differing": "11", "null_to_value": "3", "value_to_null": "2", "divergent": True}
    assert columns["b"] == {"form": "text", "compared": "990", "differing": "6", "null_to_value": "0", "value_to_null": "6", "divergent": True}
    assert columns["same"]["differing"] == "0" and columns["same"]["divergent"] is False
    text = pair.run(*arguments).stdout
    assert "  column a: 11 of 990 rows differ; 3 NULL → value, 2 value → NULL\n  column b: 6 of 990 rows differ; 6 value → NULL\n" in text
    assert "column same" not in text
    markdown = pair.run(*arguments, "--format", "markdown").stdout
    assert "column a: 11 of 990 rows differ" in markdown


SPREAD = "CREATE TABLE big (id int PRIMARY KEY, amount numeric, note text); INSERT INTO big SELECT g, g, 'n' FROM generate_series(1, 40000) g; ANALYZE big"


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("engine", ["auto", "stream"], indirect=True)
@pytest.mark.parametrize("listed", [[], ["--max-divergences", "5"]])
def test_concentration(pair, engine, listed):
    pair.both(SPREAD)
    arguments = ["--ranges", "64", *listed]
    pair.compare(*arguments).expect(IDENTICAL)
    pair.target.execute("UPDATE big SET amount = -1 WHERE id BETWEEN 1000 AND 5199; UPDATE big SET note = 'x' WHERE id IN (7, 30000, 39999)")
    table = pair.compare(*arguments).expect(DIVERGENT).table()
    key = table["concentration"]["key"]
    assert (key["first"], key["last"], key["rows"], key["of"]) == ({"id": "1000"}, {"id": "5199"}, "4200", "4203")
    assert 7 <= key["ranges"] <= 9 and table["ranges"]["compared"] == 64
    assert table["concentration"]["columns"] == {"names": ["amount"], "mismatches": "4200", "of": "4203"}
    words = f"  concentration: 99.9 % of 4,203 differing rows in id 1000 … 5199, {key['ranges']} of 64 ranges; 99.9 % of 4,203 mismatches in amount alone\n"
    assert words in pair.run(*arguments).stdout
    assert "concentration: 99" in pair.run(*arguments, "--format", "markdown").stdout.replace("\\", "")


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("change", ["UPDATE big SET amount = -1 WHERE id % 97 = 0", "DELETE FROM big WHERE id % 1000 = 3", "UPDATE big SET note = 'x' WHERE id < 9",
                                    "UPDATE big SET amount = -id, note = id::text"])
def test_no_concentration_where_there_is_none(pair, change):
    pair.both(SPREAD)
    pair.target.execute(change)
    run = pair.compare("--ranges", "64").expect(DIVERGENT)
    assert "concentration" not in run.table()
    assert "concentration" not in pair.run("--ranges", "64").stdout


def test_concentration_of_a_key_of_several_columns(pair):
    """The rows of one partition are lacking: an interval of keys, in the order of the key."""
    pair.both("CREATE TABLE p (shop int, id int, v text, PRIMARY KEY (shop, id)) PARTITION BY RANGE (shop);"
              "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (11);"
              "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (11) TO (100);"
              "INSERT INTO p SELECT g / 1000, g % 1000, 'v' FROM generate_series(0, 29999) g; ANALYZE p")
    pair.target.execute("TRUNCATE p2")
    table = pair.compare("--ranges", "60").expect(DIVERGENT).table()
    key = table["concentration"]["key"]
    assert (key["first"], key["last"], key["rows"]) == ({"shop": "10", "id": "0"}, {"shop": "10", "id": "999"}, "1000")
    assert "columns" not in table["concentration"]
    assert "concentration: all 1,000 differing rows in (shop, id) (10, 0) … (10, 999), " in pair.run("--ranges", "60").stdout
    assert table["concentration"]["partition"] == {"side": "source", "name": "public.p2", "rows": "1000", "of": "1000"}


BY_REGION = ("CREATE TABLE p (id int, region text, amount int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);"
             + "".join(f"CREATE TABLE \"p {r}\" PARTITION OF p FOR VALUES IN ('{r}');" for r in "abcde")
             + "INSERT INTO p SELECT g, chr(97 + g % 5), g FROM generate_series(1, 20000) g; ANALYZE p;")


@pytest.mark.parametrize("engine", ["auto", "stream"], indirect=True)
@pytest.mark.parametrize("change, told", [
    ("UPDATE p SET amount = -1 WHERE region = 'c'", ("source", "1000", "1000", True)),
    ("DELETE FROM p WHERE region = 'c' AND id < 1000", ("source", "200", "200", False)),
    ("INSERT INTO p SELECT g, 'c', 1 FROM generate_series(30001, 30200) g", ("target", "200", "200", False)),
    ("UPDATE p SET amount = -1 WHERE region = 'c' AND id < 1000; UPDATE p SET amount = -1 WHERE id IN (10000, 10001)", ("source", "200", "202", False)),
    ("UPDATE p SET amount = -1 WHERE id < 1000", None),
    ("UPDATE p SET amount = -1 WHERE region = 'c' AND id < 40", None),  # fewer than ten
    ("DELETE FROM p WHERE region <> 'a'; UPDATE p SET amount = -1", None),
])
def test_concentration_in_a_partition(pair, engine, change, told):
    """Of a partition that the order of the key says nothing of; few rows are listed, the first ones."""
    pair.both(BY_REGION)
    arguments = ["--max-divergences", "5"]
    pair.compare(*arguments).expect(IDENTICAL)
    pair.target.execute(change)
    run = pair.compare(*arguments).expect(DIVERGENT)
    partition = run.table().get("concentration", {}).get("partition")
    if told is None:
        assert partition is None
        return
    side, rows, of, sampled = told
    assert partition == {"side": side, "name": 'public."p c"', "rows": rows, "of": of, **({"sampled": True} if sampled else {})}
    share = f"all {int(of):,}" if rows == of else "99.0 % of 202"
    words = f'{share} differing rows of {side} in its partition public."p c"{" (a sample of those that differ)" if sampled else ""}\n'
    assert words in pair.run(*arguments).stdout


def test_concentration_where_one_side_has_partitions(pair):
    pair.source.execute("CREATE TABLE p (id int, region text, amount int, PRIMARY KEY (id, region)); INSERT INTO p SELECT g, chr(97 + g % 5), g FROM generate_series(1, 20000) g")
    pair.target.execute(BY_REGION)
    pair.target.execute("UPDATE p SET amount = 0 WHERE region = 'e' AND id <= 5000")
    partition = pair.compare().expect(DIVERGENT).table()["concentration"]["partition"]
    assert partition == {"side": "target", "name": 'public."p e"', "rows": "1000", "of": "1000"}


@pytest.mark.parametrize("missing, told", [(100, True), (2500, False)])
def test_the_other_side_is_told_of_only_if_nearly_all_rows_are_there(pair, missing, told):
    """500 rows of one partition of the target differ; what it lacks, only the source has, which has no partitions."""
    pair.source.execute("CREATE TABLE p (id int, region text, amount int, PRIMARY KEY (id, region)); INSERT INTO p SELECT g, chr(97 + g % 5), g FROM generate_series(1, 20000) g")
    pair.target.execute(BY_REGION)
    pair.target.execute(f"UPDATE p SET amount = 0 WHERE region = 'e' AND id <= 2500; DELETE FROM p WHERE region = 'b' AND id <= {missing}")
    table = pair.compare().expect(DIVERGENT).table()
    assert table["counts"] == {"mismatch": "500", "missing_on_target": str(missing // 5), "missing_on_source": "0"}
    partition = {"side": "target", "name": 'public."p e"', "rows": "500", "of": "500"}
    assert table.get("concentration", {}).get("partition") == (partition if told else None)


def test_the_side_with_more_of_the_rows_is_told_of(pair):
    """Each side has rows of one partition that the other side lacks."""
    pair.both(BY_REGION)
    pair.source.execute("INSERT INTO p SELECT g, 'a', 1 FROM generate_series(30001, 30100) g")
    pair.target.execute("INSERT INTO p SELECT g, 'b', 1 FROM generate_series(40001, 40300) g")
    assert pair.compare().expect(DIVERGENT).table()["concentration"]["partition"] == {"side": "target", "name": 'public."p b"', "rows": "300", "of": "300"}


# Types of a key column, and SQL for the value of row g.
KEY_TYPES = {"int[]": ("ARRAY[g]", False), "app.numbers": ("ARRAY[g]", False), "int": ("g", True), "text": ("chr(34) || g || '\\'", True), "numeric(9,2)": ("g / 4.0", True),
             "timestamptz": ("timestamptz 'epoch' + g * interval '1 h'", True), "money": ("g", True), '"char"': ("'x'", True)}


@pytest.mark.parametrize("key", KEY_TYPES)
def test_a_partition_is_told_if_keys_can_be_asked_for(pair, key):
    value, told = KEY_TYPES[key]
    pair.both("CREATE SCHEMA app; CREATE DOMAIN app.numbers AS int[];"
              f"CREATE TABLE p (amount int, id {key}, v int, PRIMARY KEY (id, amount)) PARTITION BY RANGE (amount);"
              "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); CREATE TABLE p2 PARTITION OF p DEFAULT;"
              f"INSERT INTO p SELECT g, ({value})::{key}, 1 FROM generate_series(0, 999) g")
    pair.target.execute("UPDATE p SET v = 2 WHERE amount < 100")
    partition = pair.compare().expect(DIVERGENT).table().get("concentration", {}).get("partition")
    assert partition == ({"side": "source", "name": "public.p1", "rows": "100", "of": "100"} if told else None)


@pytest.mark.parametrize("kind, told", [("money", False), ("numeric", True)])
def test_the_target_is_not_asked_for_money(pair, kind, told):
    pair.both(f"CREATE TABLE p (amount int, id {kind}, v int, PRIMARY KEY (id, amount)) PARTITION BY RANGE (amount);"
              "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); CREATE TABLE p2 PARTITION OF p DEFAULT;"
              "INSERT INTO p SELECT g, g, 1 FROM generate_series(0, 999) g")
    pair.source.execute("DELETE FROM p WHERE amount < 100")
    assert ("partition" in pair.compare().expect(DIVERGENT).table().get("concentration", {})) == told


@pytest.mark.parametrize("engine", ["auto", "stream"], indirect=True)
@pytest.mark.parametrize("change, name", [("UPDATE p SET v = 2 WHERE id BETWEEN 100 AND 149", "public.p_low_2"), ("UPDATE p SET v = 2 WHERE id BETWEEN 300 AND 399", "public.rest"),
                                          ("UPDATE p SET v = 2 WHERE id < 150", None)])
def test_concentration_in_a_partition_of_a_partition_or_the_default_one(pair, engine, change, name):
    pair.both("CREATE TABLE p (id int PRIMARY KEY, v int) PARTITION BY RANGE (id); CREATE TABLE p_low PARTITION OF p FOR VALUES FROM (0) TO (300) PARTITION BY RANGE (id);"
              "CREATE TABLE p_low_1 PARTITION OF p_low FOR VALUES FROM (0) TO (100); CREATE TABLE p_low_2 PARTITION OF p_low DEFAULT; CREATE TABLE p_high PARTITION OF p FOR VALUES FROM (400) TO (1000);"
              "CREATE TABLE rest PARTITION OF p DEFAULT; INSERT INTO p SELECT g, 1 FROM generate_series(0, 999) g")
    pair.target.execute(change)
    partition = pair.compare().expect(DIVERGENT).table().get("concentration", {}).get("partition")
    assert (partition and partition["name"]) == name


def test_concentration_in_a_partition_without_rights_on_it(pair, source_cluster):
    """Whoever may read the table may read its partitions through it."""
    pair.both(BY_REGION)
    source_cluster.execute("CREATE ROLE parter LOGIN")
    try:
        pair.source.execute("GRANT SELECT ON p TO parter")
        pair.target.execute("UPDATE p SET amount = -1 WHERE region = 'c' AND id < 1000")
        run = pair.compare(source=pair.source.conninfo(user="parter")).expect(DIVERGENT)
        assert run.table()["concentration"]["partition"] == {"side": "source", "name": 'public."p c"', "rows": "200", "of": "200"}
    finally:
        pair.source.execute("DROP OWNED BY parter")
        source_cluster.execute("DROP ROLE parter")
