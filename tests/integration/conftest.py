import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jsonschema  # noqa: E402
import pytest  # noqa: E402

from support import cluster as cluster_module  # noqa: E402
from support.budgets import BUDGETS, read_budgets  # noqa: E402
from support.cluster import Cluster  # noqa: E402
from support.installation import Installation  # noqa: E402
from support.memory import file_room, huge_pages  # noqa: E402
from support.pgparity import TOP, pgparity  # noqa: E402
from support.sampling import choose, variant_of  # noqa: E402

SCHEMA = TOP / "docs" / "report.schema.json"


# How the sides are read. "auto" finds the extension on both; of a mixed pair one side's database has none.
ENGINES = ["auto", "stream", "mixed", "mixed reverse"]
MIXED = {"mixed": "target", "mixed reverse": "source"}

MARKERS = [
    "long: only run by scripts/test --long",
    "repeated(parameter=values, ...): differs little from other tests: is as long where both servers are of one major version. With parameters, "
    "the variants that have one of these values of each.",
    "every_engine(late=engines): holds whatever the engine is: runs with each of ENGINES through the fixture \"engine\", with the late ones (by "
    "default the mixed pairs) in long runs only",
    "matrix(sample=n): a run with --sample takes n of the variants, chosen by PARITY_SEED. A case and its twin with a planted difference are one.",
    "in_turn(group): takes long. A run with --sample takes a third of the tests of each group, chosen by PARITY_SEED.",
    "extension_only: about the extension, whatever reads tables without it",
    "since(major, parameter=value): needs this major version of PostgreSQL, or a later one, on both sides. With parameters, the variants with "
    "these values do.",
    "until(major, parameter=value): needs this major version, or an earlier one, on both sides",
    "here: needs what only this machine's PostgreSQL has, such as pg_cron",
]

# What the clusters that a worker has at the same time share with their processes, and what their files take: both with room to spare.
WORKER_SHARED_MB = 750
WORKER_FILES_MB = 12_000 if os.environ.get("PARITY_LONG") else 2_500


def pytest_addoption(parser):
    parser.addoption("--sample", action="store_true", help="of each matrix only as many variants as its marker says, and of the tests in turn a third, chosen by PARITY_SEED")
    parser.addoption("--part", metavar="N/M", help="only every M-th module, beginning with the N-th, in the order in which they are run")


def pytest_configure(config):
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    # Waiting in libpq cannot be interrupted by pytest's own time limit: no statement of a test may take longer than this.
    cluster_module.TEST_SESSION += f" -c statement_timeout={30 if os.environ.get('PARITY_LONG') else 5}min"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clusters are stopped however a run is ended
    if not hasattr(config, "workerinput"):
        # For all workers.
        os.environ.setdefault("PARITY_SEED", str(random.SystemRandom().randrange(1 << 31)))
        os.environ["PARITY_SAMPLE"] = "yes" if config.getoption("sample") else ""
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


def keep_sample(config, items):
    """Of a short run: a few variants of each matrix, and a third of the tests that take turns."""
    if not config.getoption("sample"):
        return
    of_short_runs = [item for item in items if not item.get_closest_marker("long")]
    chosen = choose(map(variant_of, of_short_runs), os.environ["PARITY_SEED"])
    left_out = {item for item in of_short_runs if item.nodeid not in chosen}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("sample"):
        terminalreporter.write_line(f"A sample of each matrix and group, by PARITY_SEED={os.environ['PARITY_SEED']}; scripts/test --long runs the whole.")


def is_repeated(item):
    """Whether a marker `repeated` is about this variant."""
    given = item.callspec.params if hasattr(item, "callspec") else {}

    def is_one(name, values):
        return name in given and (given[name] in values or str(given[name]) in values)
    return any(all(is_one(name, values) for name, values in marker.kwargs.items()) for marker in item.iter_markers("repeated"))


def keep_possible(config, items):
    """What the major versions that are tested have."""
    majors = [Installation.of_major(os.environ.get(f"PARITY_{side}_MAJOR")).major for side in ("SOURCE", "TARGET")]
    here = set(majors) == {Installation().major}

    def bounds(item, name):
        given = item.callspec.params if hasattr(item, "callspec") else {}
        return [marker.args[0] for marker in item.iter_markers(name) if marker.kwargs.items() <= given.items()]

    def is_possible(item):
        return all(min(majors) >= first for first in bounds(item, "since")) and all(max(majors) <= last for last in bounds(item, "until")) \
            and (here or not item.get_closest_marker("here"))
    config.hook.pytest_deselected(items=[item for item in items if not is_possible(item)])
    items[:] = [item for item in items if is_possible(item)]


def pytest_collection_modifyitems(config, items):
    """A module is one worker's: those that take longest by their budgets begin, so that none is left over at the end."""
    budgets = read_budgets(BUDGETS.read_text())
    items.sort(key=lambda item: -budgets.get(item.module.__name__, 0))
    keep_part(config, items)
    keep_possible(config, items)
    # Between different major versions none of them has been run elsewhere.
    alike = os.environ.get("PARITY_SOURCE_MAJOR") == os.environ.get("PARITY_TARGET_MAJOR")
    for item in items:
        if alike and is_repeated(item):
            item.add_marker(pytest.mark.long)
    keep_sample(config, items)
    if not config.getoption("--sample"):  # what is long takes longer than any budget
        long = {item.module for item in items if item.get_closest_marker("long")}
        items.sort(key=lambda item: item.module not in long)


def pytest_generate_tests(metafunc):
    marker = metafunc.definition.get_closest_marker("every_engine")
    if not marker or "engine" not in metafunc.fixturenames or metafunc.definition.get_closest_marker("extension_only"):
        return
    late = marker.kwargs.get("late", MIXED)
    engines = [pytest.param(engine, marks=pytest.mark.long if engine in late else ()) for engine in ENGINES]
    metafunc.parametrize("engine", engines, indirect=True, scope="module")


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """support/fault_shim.c as a library to preload."""
    library = tmp_path_factory.mktemp("shim") / "fault_shim.so"
    subprocess.run([os.environ.get("CC", "cc"), "-O1", "-shared", "-fPIC", "-o", library, TOP / "tests/support/fault_shim.c", "-ldl"], check=True)
    return str(library)


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
