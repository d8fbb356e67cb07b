"""Runs that are kept (--state), in a file or in a database, and continued."""

import contextlib
import signal
import sqlite3
import subprocess

from support.pgparity import pgparity, popen


class InDatabase:
    """A run that is kept in a database, as a path is one that is kept in a file."""

    def __init__(self, database, run="default", conninfo=None):
        self.database = database
        self.run = run
        self.conninfo = conninfo or database.conninfo()

    def named(self, option):
        return [f"--{option}", self.conninfo, *([f"--{option}-run", self.run] if self.run != "default" else [])]

    def has_run(self):
        [[is_made]] = self.database.query("SELECT to_regclass('pgparity_state.run') IS NOT NULL")
        return is_made and self.database.value("SELECT count(*) FROM pgparity_state.run WHERE name = %s", [self.run]) == 1

    def __str__(self):
        return self.run


def has_run(state):
    if isinstance(state, InDatabase):
        return state.has_run()
    try:
        with contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as database:
            return database.execute("SELECT count(*) FROM run").fetchone() == (1,)
    except sqlite3.Error:
        return False


def named(option, state):
    """The arguments that name a place where a run is kept."""
    return state.named(option) if isinstance(state, InDatabase) else [f"--{option}", state]


def conninfo(side):
    return side if isinstance(side, str) else side.conninfo()


def command(name, state, source, target, *arguments):
    """The arguments of a run that is kept: name is "compare" or "resume"."""
    form = [] if "--format" in arguments else ["--format", "json"]
    return [name, *form, "--no-progress", *named("state", state), "--source", conninfo(source), "--target", conninfo(target), *arguments]


def run(name, state, source, target, *arguments, **options):
    return pgparity(*command(name, state, source, target, *arguments), **options)


class KilledRun:
    """A run whose processes are killed at random moments, until it comes to its end."""

    def __init__(self, state, source, target, rng, seconds, *options):
        """seconds: how long it takes undisturbed."""
        self.state, self.sides, self.rng, self.seconds, self.options = state, (source, target), rng, seconds, options
        self.kills = self.parts = 0

    def part(self):
        """One process. Gives (status, stdout, stderr) if it came to an end by itself."""
        name = "resume" if has_run(self.state) else "compare"
        if name == "compare" and not isinstance(self.state, InDatabase):
            self.state.unlink(missing_ok=True)  # killed before it had planned anything, it kept nothing
        process = popen(*command(name, self.state, *self.sides, *self.options))
        self.parts += 1
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self.rng.uniform(0, self.seconds * (1 + self.parts / 10)))
        process.send_signal(signal.SIGKILL)
        stdout, stderr = process.communicate()
        if process.returncode == -signal.SIGKILL:
            self.kills += 1
            return None
        return process.returncode, stdout, stderr
