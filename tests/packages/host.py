"""A host of a test's own: a bare Debian (scripts/provision-root) with its own processes and mounts, of which nothing is left."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb",
               "DEBIAN_FRONTEND": "noninteractive"}
# The first process of the host; what it mounts and starts ends with it.
FIRST = """mount -t overlay overlay -o "lowerdir=$0,upperdir=$1/changes,workdir=$1/work" "$1/root" && mount -t proc proc "$1/root/proc" \
&& mount -t tmpfs -o mode=1777 tmpfs "$1/root/dev/shm" && for folder in "${@:2}"; do mkdir -p "$1/root$folder" && mount --bind -o ro "$folder" "$1/root$folder" \
|| exit; done && echo ready && exec sleep infinity"""


def provision(suite):
    done = subprocess.run([TOP / "scripts/provision-root", suite], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


class Host:
    """`folders` of this machine are there by the same paths, to be read."""

    def __init__(self, suite="bookworm", folders=()):
        self.directory = tempfile.mkdtemp(prefix="host.", dir=Path(provision(suite)).parent)
        for name in ("changes", "work", "root"):
            os.mkdir(os.path.join(self.directory, name))
        self.first = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "bash", "-c", FIRST, provision(suite),
                                       self.directory, *map(str, folders)], stdout=subprocess.PIPE, text=True)
        if self.first.stdout.readline() != "ready\n":
            self.close()
            raise RuntimeError("the host could not be mounted")
        # The process that unshare forked is the one inside.
        self.pid = int(Path(f"/proc/{self.first.pid}/task/{self.first.pid}/children").read_text())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.first.kill()
        self.first.wait()
        self.first.stdout.close()
        shutil.rmtree(self.directory)

    def run(self, *words, user=None, check=True, input=None, **environment):
        """A command inside; fails the test with what it printed, unless its status is not to be checked."""
        command = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "chroot", os.path.join(self.directory, "root"), "/usr/bin/env", "-i",
                   *(f"{name}={value}" for name, value in {**ENVIRONMENT, **environment}.items()), *(["runuser", "-u", user, "--"] if user else []), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, input=input, stdin=None if input is not None else subprocess.DEVNULL, cwd="/")
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    def out(self, *words, **options):
        return self.run(*words, **options).stdout.strip()

    def write(self, path, text):
        self.run("sh", "-c", 'mkdir -p "$(dirname "$0")" && cat >"$0"', path, input=text)

    def apt(self, *words, **options):
        return self.run("apt-get", "-q", "-y", *words, **options)

    def sql(self, statement, database="postgres"):
        return self.out("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement, user="postgres")
