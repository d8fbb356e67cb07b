"""The defaults that docs/cli.md and docs/sql.md tell are those of `pgparity compare --help` and of the extension's functions.

Numbers that stand in sentences are held against the sources by tests/scripts/test_documented_numbers.py.
"""

import re

import pytest

from support.pgparity import TOP, pgparity

CLI = (TOP / "docs" / "cli.md").read_text()
SQL = (TOP / "docs" / "sql.md").read_text()
# What a default is that is not a value: a rule in words, or nothing.
LITERAL = re.compile(r"`[^`]*`|-?\d+( \w+)?|true|false")
# The options whose default --help tells in the words of docs/cli.md.
WITH_DEFAULTS = ["--key", "--ranges", "--jobs", "--width", "--seed", "--format", "--max-divergences", "--connect-timeout", "--statement-timeout", "--lock-timeout", "--retry-for",
                 "--stall-timeout", "--run-time", "--snapshot", "--unit-seconds", "--fail-above", "--record", "--record-values", "--state-run", "--state-values", "--table"]
# The routines whose arguments a table of docs/sql.md lists all of.
LISTED = ["range_digests", "verify", "capture", "verify_baseline"]
# Those that the page describes by another one's table: the arguments that they lack of it, and those that they have besides.
DESCRIBED = {
    "slice_digests": ("range_digests", {"buckets"}, set()),
    "range_totals": ("range_digests", set(), set()),
    "row_records": ("row_digests", {"with_values"}, set()),
    "row_digests": ("range_digests", {"ranges", "path"}, {"lower_bound", "upper_bound", "keys", "with_values"}),
    "verify_schema": ("verify", {"relation", "target_relation", "columns", "key_columns", "forms", "filter"}, {"patterns", "exclude", "budget"}),
}


def rows_of(section):
    """The cells of the rows of a section's first table, without its heading."""
    lines = re.search(r"(?:^\|.*\n)+", section, re.M).group(0).splitlines()[2:]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def documented_options():
    """Option -> (its value's name, its default), from the table of docs/cli.md."""
    told = {}
    for name, _, default in rows_of(CLI.split("\n## Options\n")[1]):
        option, value = re.fullmatch(r"`(--[\w-]+) ?([^`]*)`(?: \+)?", name).groups()
        told[option] = value, default
    return told


@pytest.fixture(scope="module")
def helped():
    """Option -> (its value's name, its explanation), from --help."""
    text = re.sub(r"\n {20,}", " ", pgparity("compare", "--help").expect(0).stdout)
    return {option: (value or "", words) for option, value, words in re.findall(r"^  (?:-\w,)?(--[\w-]+)(?: (\S+))? +(.*)$", text, re.M)}


def test_all_options_are_documented(helped):
    assert set(documented_options()) == set(helped) - {"--help"}


def test_options_take_the_same_values(helped):
    """The help is shorter about what names a column: [TABLE.] is [[SCHEMA.]TABLE.] there, and COLUMN,... is COLUMN[,COLUMN]…"""
    for option, (value, _) in documented_options().items():
        of_help = helped[option][0]
        if option in ("--width", "--snapshot", "--key", "--columns", "--exclude-columns", "--map-column", "--form"):
            assert bool(value) == bool(of_help), option
        else:
            assert value == of_help, option


@pytest.mark.parametrize("option", WITH_DEFAULTS)
def test_the_help_has_the_documented_default(helped, option):
    default = re.search(r"default: (.*)$", helped[option][1]).group(1)
    told = documented_options()[option][1]
    if option == "--ranges":
        default = default.removeprefix("by its size, ")
        told = told.removeprefix("one for 1250 rows, ")
    assert told == default


def test_no_other_option_has_a_default_in_the_help(helped):
    """Those of the test above, and three whose rule is told in words."""
    assert {option for option, (_, words) in helped.items() if "default:" in words} - {"--engine", "--workers", "--memory-limit"} == set(WITH_DEFAULTS)
    assert documented_options()["--engine"][1] == "auto"
    assert "a quarter of" in helped["--memory-limit"][1] and documented_options()["--memory-limit"][1].startswith("a quarter of")
    assert "1 to 4" in helped["--workers"][1] and "at most 4" in documented_options()["--workers"][1]


@pytest.fixture(scope="module")
def extended(source_cluster):
    database = source_cluster.create_database()
    yield database
    source_cluster.drop_database(database)


def arguments(database, name):
    """Argument -> (its type, its default as an expression, or None), without what it gives."""
    rows = database.query("""
        SELECT a.name, format_type(a.type, NULL), pg_get_function_arg_default(p.oid, a.no::int)
        FROM pg_proc p, unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes) WITH ORDINALITY a(name, type, mode, no)
        WHERE p.pronamespace = 'parity'::regnamespace AND p.proname = %s AND coalesce(a.mode, 'i') = 'i'""", (name,))
    assert rows, name
    return {argument: (type_name, default) for argument, type_name, default in rows}


def documented_arguments(name):
    """Argument -> (its type, its default), from the first table below the heading of a routine."""
    section = re.split(rf"\n### (?:`parity\.{name}\(|`CALL parity\.{name}\()", SQL)[1].split("\n### ")[0]
    told = {}
    for names, default, _ in rows_of(section):
        for argument, type_name in re.findall(r"`(\w+) ([\w\[\]]+)`", names):
            told[argument] = type_name, default
    return told


@pytest.mark.parametrize("name", LISTED)
def test_all_arguments_are_documented(extended, name):
    """With their types."""
    assert {argument: told[0] for argument, told in documented_arguments(name).items()} == {
        argument: has[0] for argument, has in arguments(extended, name).items()}


def is_default(database, told, type_name, default):
    """Whether the page's default is the function's. A NULL is a rule, which the page tells in words."""
    if default is None:
        return told == ""
    if database.value(f"SELECT ({default}) IS NULL"):
        return told != "" and not LITERAL.fullmatch(told)
    return LITERAL.fullmatch(told) is not None and database.value(f"SELECT ({default}) = %s::{type_name}", (told.strip("`"),))


@pytest.mark.parametrize("name", [*LISTED, "verify_schema"])
def test_defaults_are_documented(extended, name):
    has = arguments(extended, name)
    told = documented_arguments(name)
    assert [argument for argument in told if not is_default(extended, told[argument][1], *has[argument])] == []


def test_a_changed_default_is_noticed(extended):
    """Each by one that is not it."""
    for name in LISTED:
        told = documented_arguments(name)
        for argument, (type_name, default) in arguments(extended, name).items():
            wrong = "none" if default is None else {"boolean": "true", "interval": "7 s"}.get(type_name, "77")
            assert not is_default(extended, wrong, type_name, default), f"{name}: {argument}, {told[argument]}"


@pytest.mark.parametrize("name", DESCRIBED)
def test_what_another_table_describes(extended, name):
    """The same arguments with the same defaults."""
    other, lacking, besides = DESCRIBED[name]
    own, others = arguments(extended, name), arguments(extended, other)
    assert set(own) - besides == set(others) - lacking
    assert {a: own[a] for a in own if a not in besides} == {a: others[a] for a in own if a not in besides}
    assert all(own[argument][1] in ("false", "NULL::bytea[]", "NULL::bytea") for argument in besides) or name == "verify_schema"


def test_split_keys(extended):
    assert arguments(extended, "split_keys")["ranges"][1] == "64"
    assert "The default of `ranges` is 64." in SQL.split("### `parity.split_keys(")[1].split("\n### ")[0]


def test_settings(extended):
    """Those that the extension has, with their defaults and what is special about them."""
    told = {name.strip("`"): default for name, default, _ in rows_of(SQL.split("\n### Settings\n")[1])}
    extended.value("SELECT parity.format_version()")  # loads the module
    has = {name: (value, unit, context) for name, value, unit, context in extended.query(
        "SELECT name, boot_val, unit, context FROM pg_settings WHERE name LIKE 'parity.%'")}
    assert set(told) == set(has)
    assert told["parity.max_digest_memory"] == f"{int(has['parity.max_digest_memory'][0]) // 1024} MB" and has["parity.max_digest_memory"][1] == "kB"
    assert told["parity.report_progress"] == has["parity.report_progress"][0]
    assert told["parity.history_days"] == has["parity.history_days"][0] and has["parity.history_days"][2] == "superuser"
    operations = (TOP / "docs" / "operations.md").read_text()
    assert f"`parity.max_digest_memory` ({told['parity.max_digest_memory']})" in operations
    assert f"`parity.history_days` ({told['parity.history_days']})" in operations


def test_the_runbook_has_the_default_of_recheck_delay(extended):
    operations = (TOP / "docs" / "operations.md").read_text()
    delay, = re.findall(r"`recheck_delay` \((\d+ s)\)", operations)
    assert is_default(extended, delay, *arguments(extended, "verify")["recheck_delay"])
