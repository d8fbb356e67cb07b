import contextlib
import json
import os
import re
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jsonschema  # noqa: E402
import pytest  # noqa: E402

from support import cluster as cluster_module  # noqa: E402
from support.cluster import Cluster  # noqa: E402
from support.installation import Installation  # noqa: E402
from support.memory import file_room, huge_pages  # noqa: E402
from support.pgparity import TOP, pgparity  # noqa: E402

SCHEMA = TOP / "docs" / "report.schema.json"


# How the sides are read. "auto" finds the extension on both; of a mixed pair one side's database has none.
ENGINES = ["auto", "stream", "mixed", "mixed reverse"]
MIXED = {"mixed": "target", "mixed reverse": "source"}

# The modules whose tests hold whatever the engine is. Mixed pairs take long; the property tests have them always.
EVERY_ENGINE = {"test_values", "test_trees", "test_matviews", "test_large_objects", "test_extension_tables", "test_keys", "test_relations", "test_property", "test_security", "test_schema_check", "test_migration"}
ALWAYS_MIXED = {"test_property"}
# The same for streams: what a key is, and what a schema, is decided before rows are read.
LONG_STREAMED = {"test_keys", "test_schema_check"}

# Tests that take long and differ little from others.
REPEATED = [r"test_servers_differ\.py::.*\[extension-stream", r"test_property\.py::.*\[(auto-[12]|(stream|mixed|mixed reverse)-[3-5])\]",
            r"test_faults\.py::test_table_changed_at_any_moment\[(?!truncate)", r"test_stream_faults\.py::test_table_changed_at_any_moment",
            r"test_values\.py::test_(one_cell_in_two_millions|all_rows_differ|1500_columns_mostly_null|large_values)\[stream",
            r"test_stream_memory\.py::test_(memory_of_long_keys|memory_with_all_rows_different)", r"test_relations\.py::test_patterns\[stream",
            r"test_vectors\.py::test_digests_in_other_encodings\[SQL_ASCII", r"test_invariance\.py::test_one_cell_changes_.*\[workers => 0",
            r"test_backend\.py::test_bounds_are_not_read_from_pages_that_are_no_btree_pages\[(inner|meta)",
            r"test_process\.py::test_memory_ends_as_a_copy_begins\[(once-False|for good-True)",
            r"test_side_fails\.py::.*swallows_everything\[extension-stream",
            r"test_migration\.py::test_(equal_databases|a_restored_dump|layouts).*\[stream", r"test_memory\.py::test_memory_with_all_of_400000_rows_different\[0",
            r"test_servers_differ\.py::test_encodings\[.*-(LATIN1-SQL_ASCII|SQL_ASCII-UTF8|SQL_ASCII-LATIN1)",
            r"test_servers_differ\.py::test_collations\[.*(C-icu-upper|icu-blind-C)-(C-fr|en_US)", r"test_servers_differ\.py::test_storage\[.*(pglz|external)\]",
            r"test_backend\.py::test_the_digests_do_not_depend_on_how_many.*(force_parallel_mode|jit_above_cost|max_parallel_workers = 1)"]

# The modules that take longest, longest first; some of them wait for whole minutes of pg_cron.
LONGEST = ["test_random_schemas", "test_verify", "test_nightly", "test_backend", "test_values", "test_schedule", "test_faults", "test_vectors", "test_servers_differ", "test_runbook"]

# What the clusters that a worker has at the same time share with their processes, and what their files take: both with room to spare.
WORKER_SHARED_MB = 750
WORKER_FILES_MB = 12_000 if os.environ.get("PARITY_LONG") else 2_500


def pytest_addoption(parser):
    parser.addoption("--part", metavar="N/M", help="only every M-th module, beginning with the N-th, in the order in which they are run")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: only run by scripts/test --long")
    config.addinivalue_line("markers", "extension_only: about the extension, whatever reads tables without it")
    # Waiting in libpq cannot be interrupted by pytest's own time limit: no statement of a test may take longer than this.
    cluster_module.TEST_SESSION += f" -c statement_timeout={30 if os.environ.get('PARITY_LONG') else 5}min"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clusters are stopped however a run is ended
    if not hasattr(config, "workerinput"):
        use_memory(config, config.getoption("numprocesses", None) or 1)


def use_memory(config, workers):
    """Databases are made by the hundred and processes by the ten thousand: where there is memory to spare, what processes share is in huge
    pages, and the clusters' files are in memory, too. The workers know the folder by the environment."""
    room = file_room()
    if room > 4 * workers * WORKER_SHARED_MB:
        reserved = contextlib.ExitStack()
        reserved.enter_context(huge_pages(workers * WORKER_SHARED_MB))
        config.add_cleanup(reserved.close)
    if room > workers * (WORKER_SHARED_MB + WORKER_FILES_MB):
        os.environ.setdefault("PARITY_CLUSTERS_DIR", "/dev/shm")


def keep_part(config, items):
    """Of a run in parts: what belongs to this one. Modules are dealt out in their order, so that the longest are apart."""
    if not config.getoption("part"):
        return
    part, parts = map(int, config.getoption("part").split("/"))
    modules = list(dict.fromkeys(item.module.__name__ for item in items))
    kept = [item for item in items if modules.index(item.module.__name__) % parts == part - 1]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_collection_modifyitems(config, items):
    """A module is one worker's: those that take longest begin, so that none is left over at the end."""
    rank = {module: place for place, module in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.module.__name__, len(rank)))
    keep_part(config, items)
    # Between different major versions none of them has been run elsewhere.
    alike = os.environ.get("PARITY_SOURCE_MAJOR") == os.environ.get("PARITY_TARGET_MAJOR")
    for item in items:
        if alike and any(re.search(pattern, item.nodeid) for pattern in REPEATED):
            item.add_marker(pytest.mark.long)


def pytest_generate_tests(metafunc):
    """Runs the tests of EVERY_ENGINE with each, through the fixture `engine`."""
    module = metafunc.module.__name__
    if module not in EVERY_ENGINE or "engine" not in metafunc.fixturenames or metafunc.definition.get_closest_marker("extension_only"):
        return
    late = {engine for engine in MIXED if module not in ALWAYS_MIXED} | ({"stream"} if module in LONG_STREAMED else set())
    engines = [pytest.param(engine, marks=pytest.mark.long if engine in late else ()) for engine in ENGINES]
    metafunc.parametrize("engine", engines, indirect=True, scope="module")


@pytest.fixture(scope="session")
def source_cluster():
    with Cluster("source", installation=Installation.of_major(os.environ.get("PARITY_SOURCE_MAJOR"))) as cluster:
        cluster.add_locale("en_US.UTF-8")
        yield cluster


@pytest.fixture(scope="session")
def target_cluster():
    """Another default collation than the source's, and every setting that changes how values print. Where a major version has
    no ICU collation as a default, or no choice of compression, it goes without."""
    installation = Installation.of_major(os.environ.get("PARITY_TARGET_MAJOR"))
    settings = {"TimeZone": "Asia/Kolkata", "DateStyle": "German", "IntervalStyle": "sql_standard", "extra_float_digits": "-3",
                "bytea_output": "escape", "xmloption": "document"}
    if installation.major >= 14:
        settings["default_toast_compression"] = "lz4"
    icu_locale = "en-US" if installation.major >= 15 else None
    with Cluster("target", icu_locale=icu_locale, settings=settings, installation=installation) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def engine(request):
    return getattr(request, "param", "auto")


class Pair:
    """A fresh database on each side, with the extension unless the engine is a mixed one, and pgparity between them."""

    def __init__(self, source, target, engine="auto"):
        self.source = source
        self.target = target
        self.engine = engine

    def path(self, of_extension):
        """The path that a report should tell where the extension's would be this one."""
        streamed = ["source", "target"] if self.engine == "stream" else [MIXED.get(self.engine)]
        return {side: "stream" if side in streamed else of_extension for side in ("source", "target")}

    def both(self, sql):
        self.source.execute(sql)
        self.target.execute(sql)

    def run(self, *arguments, source=None, target=None, **options):
        """pgparity compare between the sides with exactly these arguments."""
        forced = ["--engine", "stream"] if self.engine == "stream" and "--engine" not in arguments else []
        return pgparity("compare", *forced, "--source", source or self.source.conninfo(), "--target", target or self.target.conninfo(),
                        *arguments, **options)

    def compare(self, *arguments, **options):
        """The same with a JSON report, which must be as its schema says."""
        run = self.run("--format", "json", *arguments, **options)
        if run.stdout:
            jsonschema.validate(run.report, json.loads(SCHEMA.read_text()))
        return run


def make_pair(source_cluster, target_cluster, engine):
    bare = MIXED.get(engine)
    made = Pair(source_cluster.create_database(extension=bare != "source"), target_cluster.create_database(extension=bare != "target"), engine)
    yield made
    source_cluster.drop_database(made.source)
    target_cluster.drop_database(made.target)


def insert_unindexed(database, values, table="t"):
    """Rows that the indexes of the table do not get."""
    database.execute(f"UPDATE pg_index SET indisready = false WHERE indrelid = '{table}'::regclass; INSERT INTO {table} VALUES {values};"
                     f"UPDATE pg_index SET indisready = true WHERE indrelid = '{table}'::regclass")


@pytest.fixture
def pair(source_cluster, target_cluster, engine):
    """For one test alone."""
    yield from make_pair(source_cluster, target_cluster, engine)


@pytest.fixture(scope="module")
def module_pair(source_cluster, target_cluster, engine):
    yield from make_pair(source_cluster, target_cluster, engine)


@pytest.fixture
def scratch(module_pair):
    """A module's pair, for tests that make nothing but the table t: making databases takes longer than such a test."""
    yield module_pair
    module_pair.both("DROP TABLE IF EXISTS t")
