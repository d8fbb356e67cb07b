"""Asks the streaming engine's readers, through the program of tests/support/wire_cells.cpp."""

import json
import os
import subprocess
from pathlib import Path

from support.cluster import clean_environment
from support.pgparity import PGPARITY

PROGRAM = os.environ.get("PARITY_WIRE_CELLS", str(Path(PGPARITY).parent / "parity_wire_cells"))


class WireError(Exception):
    """What a reader or the server refused, with its SQLSTATE."""

    def __init__(self, message, sqlstate):
        super().__init__(message)
        self.sqlstate = sqlstate


class WireCells:
    """One connection of the program. `options` are those of the session, such as "-c TimeZone=UTC"."""

    def __init__(self, database, options=""):
        self._process = subprocess.Popen([PROGRAM, database.conninfo(options=options or None)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         encoding="utf-8", env=clean_environment())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        status = self._process.wait()
        assert status == 0, f"parity_wire_cells ended with {status}"

    def _ask(self, **request):
        self._process.stdin.write(json.dumps(request, ensure_ascii=False) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise WireError(answer["error"], answer["sqlstate"])
        return answer

    def forms(self, relation):
        """By column: the forms that the stream can read it as, those of them that must be asked for, and the reason where there are none."""
        return {name: (found["forms"], found["lossy"], found["reason"]) for name, found in self._ask(forms=relation).items()}

    def read(self, relation, columns, seed=0):
        """Rows in the order of the first column, the key: of each other column (canonical bytes or None, hash, hash of 128 bits)."""
        return [[tuple(cell) for cell in row] for row in self._ask(read=relation, columns=columns, seed=str(seed))]
