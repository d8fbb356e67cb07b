"""What each routine of the extension may do, by its name and arguments without schemas: the listing that tests hold against tests/data.

    routines.py [--write]     prints the listing, or writes it where the test reads it; run by tests/support/cluster.py:

    tests/support/cluster.py one -- python3 tests/support/routines.py --write
"""

import os
import sys
from pathlib import Path

import psycopg2

STORED = Path(__file__).resolve().parents[1] / "data" / "routines.tsv"
HEADER = ["routine", "kind", "language", "volatility", "parallel", "strict", "definer", "leakproof", "settings", "owner", "execute", "result"]

# Names of schemas go, so that a routine may move. The owner is whoever makes the extension; CREATE EXTENSION gives it to its caller.
LISTING = r"""
WITH routine AS (
    SELECT p.*, e.extowner FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass
        AND d.refobjid = e.oid AND d.deptype = 'e' AND d.classid = 'pg_catalog.pg_proc'::regclass
    JOIN pg_catalog.pg_proc p ON p.oid = d.objid WHERE e.extname = 'pg_parity'
)
SELECT regexp_replace(format('%s(%s)', r.proname, pg_get_function_arguments(r.oid)), '\m(parity|parity_internal|pg_catalog)\.', '', 'g'),
    CASE r.prokind WHEN 'f' THEN 'function' WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE r.prokind::text END,
    l.lanname, CASE r.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
    CASE r.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END,
    CASE WHEN r.proisstrict THEN 'strict' ELSE '-' END, CASE WHEN r.prosecdef THEN 'definer' ELSE '-' END,
    CASE WHEN r.proleakproof THEN 'leakproof' ELSE '-' END,
    coalesce(array_to_string(r.proconfig, '; '), '-'),
    CASE WHEN r.proowner = r.extowner THEN 'extension' ELSE pg_get_userbyid(r.proowner) END,
    (SELECT string_agg(CASE a.grantee WHEN 0 THEN 'public' WHEN r.proowner THEN 'owner' ELSE pg_get_userbyid(a.grantee) END
                       || CASE WHEN a.is_grantable THEN '*' ELSE '' END, ',' ORDER BY a.grantee <> r.proowner, pg_get_userbyid(a.grantee))
     FROM aclexplode(coalesce(r.proacl, acldefault('f', r.proowner))) a),
    regexp_replace(coalesce(pg_get_function_result(r.oid), '-'), '\m(parity|parity_internal|pg_catalog)\.', '', 'g')
FROM routine r JOIN pg_catalog.pg_language l ON l.oid = r.prolang ORDER BY r.proname COLLATE "C", pg_get_function_arguments(r.oid) COLLATE "C"
"""


def as_text(rows):
    return "".join("\t".join(cell.replace("\n", " ") for cell in row) + "\n" for row in [HEADER, *rows])


def main():
    connection = psycopg2.connect(os.environ["ONE"])
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_parity")
        cursor.execute(LISTING)
        listing = as_text(cursor.fetchall())
    connection.rollback()
    if sys.argv[1:] == ["--write"]:
        STORED.write_text(listing)
    else:
        sys.stdout.write(listing)


if __name__ == "__main__":
    main()
