"""All that an extension has in a database, as text: what two ways to one version must give alike."""

# One line an object: what it is, then its definition, rights and comment. Owners are whoever made the extension.
LISTING = """
SELECT pg_catalog.concat_ws(' ', i.type, i.identity),
    pg_catalog.concat_ws(E'\\n',
        (SELECT pg_catalog.pg_get_functiondef(p.oid) FROM pg_catalog.pg_proc p WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid AND p.prokind <> 'a'),
        (SELECT (pg_catalog.to_jsonb(a) - 'aggtranstype' - 'aggmtranstype')::text || pg_catalog.format_type(a.aggtranstype, NULL) FROM pg_catalog.pg_aggregate a WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND a.aggfnoid = d.objid),
        (SELECT pg_catalog.concat_ws(' ', p.provolatile, p.proparallel, p.proisstrict, p.proleakproof, p.proacl) FROM pg_catalog.pg_proc p
         WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid),
        (SELECT pg_catalog.concat_ws(' ', c.relkind, c.relpersistence, c.relacl, c.reloptions, pg_catalog.pg_get_viewdef(c.oid)) FROM pg_catalog.pg_class c
         WHERE d.classid = 'pg_catalog.pg_class'::regclass AND c.oid = d.objid),
        (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                pg_catalog.pg_get_expr(v.adbin, v.adrelid), a.attacl, pg_catalog.col_description(a.attrelid, a.attnum)), E'\\n' ORDER BY a.attnum)
         FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
         WHERE d.classid = 'pg_catalog.pg_class'::regclass AND a.attrelid = d.objid AND a.attnum > 0 AND NOT a.attisdropped),
        (SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(c.oid), E'\\n' ORDER BY c.conname) FROM pg_catalog.pg_constraint c
         WHERE d.classid = 'pg_catalog.pg_class'::regclass AND c.conrelid = d.objid),
        (SELECT pg_catalog.string_agg(pg_catalog.pg_get_indexdef(x.indexrelid), E'\\n' ORDER BY x.indexrelid::pg_catalog.regclass::text) FROM pg_catalog.pg_index x
         WHERE d.classid = 'pg_catalog.pg_class'::regclass AND x.indrelid = d.objid),
        (SELECT pg_catalog.string_agg(pg_catalog.pg_get_triggerdef(t.oid), E'\\n' ORDER BY t.tgname) FROM pg_catalog.pg_trigger t
         WHERE d.classid = 'pg_catalog.pg_class'::regclass AND t.tgrelid = d.objid AND NOT t.tgisinternal),
        (SELECT pg_catalog.concat_ws(' ', t.typtype, t.typcategory, t.typlen, t.typbyval, t.typstorage, t.typinput, t.typoutput, t.typreceive, t.typsend, t.typacl,
                pg_catalog.format_type(t.typbasetype, t.typtypmod)) FROM pg_catalog.pg_type t WHERE d.classid = 'pg_catalog.pg_type'::regclass AND t.oid = d.objid),
        (SELECT n.nspacl::text FROM pg_catalog.pg_namespace n WHERE d.classid = 'pg_catalog.pg_namespace'::regclass AND n.oid = d.objid),
        (SELECT pg_catalog.concat_ws(' ', p.conname, w.condition) FROM pg_catalog.pg_constraint p, LATERAL (SELECT pg_catalog.pg_get_constraintdef(p.oid)) w (condition)
         WHERE d.classid = 'pg_catalog.pg_type'::regclass AND p.contypid = d.objid),
        (SELECT 'dumped ' || e.extcondition[m.place] FROM pg_catalog.pg_extension e, LATERAL pg_catalog.unnest(e.extconfig) WITH ORDINALITY m (relation, place)
         WHERE e.oid = d.refobjid AND d.classid = 'pg_catalog.pg_class'::regclass AND m.relation = d.objid),
        pg_catalog.obj_description(d.objid, d.classid::pg_catalog.regclass::text::name))
FROM pg_catalog.pg_depend d, LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) i
WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
    AND d.refobjid = (SELECT oid FROM pg_catalog.pg_extension WHERE extname = %s)
"""


def extension_objects(database, name):
    """What it is -> how it is defined."""
    return dict(database.query(LISTING, (name,)))
