"""The golden vectors through the streaming engine's readers: every row of cells.tsv that SQL can make, in databases of several
encodings and under settings that change how values print; and which types those readers can read, beside parity.forms()."""

import contextlib

import psycopg2
import pytest

from support.wire_cells import WireCells, WireError
from test_vectors import chunks_of_cells, other_encodings, read_vectors, unescaped, utf8  # noqa: F401 (fixtures)

pytestmark = pytest.mark.matrix(sample=1)

SETTINGS = {
    "default": "",
    "dates and intervals": r"-c TimeZone=Asia/Kolkata -c DateStyle=SQL,DMY -c IntervalStyle=iso_8601",
    "numbers and bytes": "-c extra_float_digits=-15 -c bytea_output=escape",
    "others": "-c TimeZone=America/St_Johns -c DateStyle=German -c IntervalStyle=sql_standard -c xmloption=document -c standard_conforming_strings=off"
              " -c search_path=public",
}

# What the extension alone can do.
EXTENSION_ONLY = "jsonb_raw"


def streamed_vectors():
    return [row for row in read_vectors("cells.tsv") if EXTENSION_ONLY not in row["form"]]


def check_cells(database, wire, rows):
    done = 0
    for cells in chunks_of_cells(rows):
        cells.create(database)
        columns = [["id", "int"]] + [[name, row["form"]] for name, row in zip(cells.names, cells.rows)]
        found, = wire.read("public.t", columns, cells.rows[0]["seed"])
        for row, (canonical, hash64, hash128) in zip(cells.rows, found, strict=True):
            expected = (None if unescaped(row["literal"]) is None else row["canonical"], row["cell_hash64"], row["cell_hash128"])
            assert (canonical, hash64, hash128) == expected, row
        done += len(found)
    assert done == len(rows)


@pytest.mark.parametrize("settings", SETTINGS)
def test_cells_from_the_wire(utf8, settings):  # noqa: F811
    utf8.execute("RESET ALL")
    rows = streamed_vectors()
    assert len(rows) > 500
    with WireCells(utf8, SETTINGS[settings]) as wire:
        check_cells(utf8, wire, rows)


@pytest.mark.in_turn("encodings")
@pytest.mark.parametrize("encoding", ["LATIN1", "LATIN9", "WIN1252", "EUC_JP", "SQL_ASCII"])
def test_cells_from_the_wire_in_other_encodings(other_encodings, encoding):  # noqa: F811
    """The same bytes, wherever the text can be represented at all. Escapes in json of characters that the encoding lacks, which
    the server's jsonb refuses, are read all the same."""
    database = other_encodings[encoding]
    kept = []
    for row in streamed_vectors():
        with contextlib.suppress(psycopg2.errors.UntranslatableCharacter, psycopg2.errors.CharacterNotInRepertoire, psycopg2.errors.UndefinedObject,
                                 psycopg2.errors.InvalidTextRepresentation, psycopg2.errors.FeatureNotSupported):
            database.execute(f"SELECT %s, %s::{row['sql_type']}", [unescaped(row["literal"])] * 2)
            kept.append(row)
    if encoding == "SQL_ASCII":  # lengths of character types count bytes
        kept = [row for row in kept if not (("char" in row["sql_type"] or row["sql_type"] == "name") and not row["literal"].isascii())]
    assert len(kept) > 500
    assert any(not row["literal"].isascii() for row in kept)
    assert encoding == "SQL_ASCII" or any(row["form"] == "hstore" and not row["literal"].isascii() for row in kept)
    with WireCells(database) as wire:
        check_cells(database, wire, kept)


# ---- forms ----------------------------------------------------------------------------------------------------

# Types that one of the readers must refuse, or whose names of forms are odd.
ODD_TYPES = """
CREATE TYPE with_xml AS (x xml);
CREATE TYPE with_acl AS (a aclitem[], b integer);
CREATE TYPE around_acl AS (c with_acl);
CREATE DOMAIN xml_domain AS xml;
CREATE DOMAIN xmls_domain AS xml[];
CREATE TYPE with_vector AS (v int2vector, p path);
CREATE TYPE own_base;
CREATE FUNCTION own_base_in(cstring) RETURNS own_base LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION own_base_out(own_base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE own_base (INPUT = own_base_in, OUTPUT = own_base_out, LIKE = text);
CREATE TYPE with_own AS (i integer, o own_base);
CREATE SCHEMA decoy;
CREATE DOMAIN decoy.int4 AS text;
CREATE TYPE decoy.jsonb AS ENUM ('a');
"""
WIRE_ONLY_REFUSES = {"with_xml", "with_acl", "around_acl"}


def streamable(form):
    """jsonb's stored tree never leaves the server, and what the server converts is converted for a whole column."""
    return EXTENSION_ONLY not in form and not ("@zone" in form and form[-1] in "]>")


def catalog_types(database):
    """Every type that a column can have, as format_type writes it."""
    return [name for name, in database.query(
        "SELECT pg_catalog.format_type(t.oid, NULL) FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid"
        " WHERE t.typtype <> 'p' AND (c.oid IS NULL OR c.relkind = 'c' OR t.typname IN ('pg_class', 'pg_statistic'))"
        " AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.oid = t.typelem AND e.typtype = 'p') ORDER BY t.oid")]


def test_forms_are_those_of_the_extension(utf8):  # noqa: F811
    utf8.execute("RESET ALL; SET search_path = public")
    utf8.execute(ODD_TYPES)
    types = []
    utf8.execute("DROP TABLE IF EXISTS forms_of_all; CREATE TABLE forms_of_all ()")
    for sql_type in catalog_types(utf8):
        with contextlib.suppress(psycopg2.errors.InvalidTableDefinition):  # pseudo-types in catalogs' row types
            utf8.execute(f"ALTER TABLE forms_of_all ADD COLUMN c{len(types)} {sql_type}")
            types.append(sql_type)
    assert len(types) > 150
    extension = utf8.query("SELECT column_name, form, other_forms, lossy_forms, reason FROM parity.forms('forms_of_all')")
    with WireCells(utf8) as wire:
        stream = wire.forms("public.forms_of_all")
    refused = {}
    for column, form, others, lossy, reason in extension:
        sql_type = types[int(column[1:])]
        forms, lossy_forms, why = stream[column]
        expected = [name for name in ([form] if form else []) + others if streamable(name)]
        if (forms, lossy_forms) != (expected, [name for name in lossy if streamable(name)]):
            assert not forms and not lossy_forms and why, (sql_type, forms, lossy_forms, expected, lossy)
            refused[sql_type.removesuffix("[]")] = why
        else:
            assert bool(reason) == bool(why), (sql_type, why)
    assert {sql_type for sql_type in refused if not sql_type.startswith("pg_")} == WIRE_ONLY_REFUSES
    assert all("type xml " in why or "type aclitem[] " in why for why in refused.values()), refused


def test_what_the_wire_cannot_read_is_said(utf8):  # noqa: F811
    utf8.execute("DROP TABLE IF EXISTS refused; CREATE TYPE holds_xml AS (i integer, x xml); CREATE TABLE refused (id integer, v holds_xml, w holds_xml[])")
    with WireCells(utf8) as wire:
        forms = wire.forms("public.refused")
        reason = "values of type xml cannot be read inside those of type holds_xml without the extension"
        assert forms == {"id": (["int", "decimal"], [], ""), "v": ([], [], reason), "w": ([], [], reason)}
        with pytest.raises(WireError, match='type holds_xml cannot be read as "record<i:int,x:text>" without the extension'):
            wire.read("public.refused", [["id", "int"], ["v", "record<i:int,x:text>"]])
        with pytest.raises(WireError, match='type integer cannot be read as "text" without the extension'):
            wire.read("public.refused", [["id", "text"]])


def test_hstore_inside_composites_is_refused_where_encodings_differ(other_encodings):  # noqa: F811
    """hstore's send function counts bytes in the database's encoding and sends them in the client's."""
    for encoding, refused in (("LATIN1", True), ("SQL_ASCII", False)):
        database = other_encodings[encoding]
        database.execute("DROP TABLE IF EXISTS h; DROP TYPE IF EXISTS holds_hstore; CREATE TYPE holds_hstore AS (h hstore)")
        database.execute("CREATE TABLE h (id integer, alone hstore, many hstore[], held holds_hstore)")
        with WireCells(database) as wire:
            forms = wire.forms("public.h")
        assert forms["alone"][0] == ["hstore"] and forms["many"][0] == ["hstore[]"]
        assert (forms["held"][0] == []) == refused, forms["held"]
