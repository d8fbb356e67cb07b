"""Extensions of the tests' own: files in a PostgreSQL's folder for them, as CREATE EXTENSION wants them."""

import contextlib
import fcntl
import os

VERSION = "0.tests"


@contextlib.contextmanager
def extension(installation, name, script):
    """An extension whose script is `script`, as version VERSION of `name`; gives the statement that creates it. Whoever else has it
    installed keeps his control file. One at a time, whichever process asks."""
    folder = os.path.join(installation.root + installation.sharedir, "extension")
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    made = []

    def write(path, text):
        made.append(path)
        with open(path, "w") as file:
            file.write(text)

    try:
        write(os.path.join(folder, f"{name}--{VERSION}.sql"), script)
        control = os.path.join(folder, f"{name}.control")
        if not os.path.exists(control):
            write(control, f"default_version = '{VERSION}'\nrelocatable = false\n")
        yield f'CREATE EXTENSION "{name}" VERSION \'{VERSION}\''
    finally:
        for path in made:
            os.unlink(path)
        os.close(lock)
