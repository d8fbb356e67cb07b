#include "driver/postgres/queries/owners_code.h"

#include "driver/postgres/queries/quoting.h"

namespace parity::driver {

/// The planner computes IMMUTABLE functions of constants wherever it meets them: in expressions and predicates of
/// indexes, CHECKs, extended statistics and partition keys of a table, its descendants and its ancestors. That of
/// PostgreSQL and of superusers is trusted, and so is the session's role's own. Functions count that an expression
/// calls by itself, through operators, through the CHECKs of domains, and through operator classes.
///
/// It matters to a role that is a superuser or may become one, or that reaches the server's files or programs: that
/// works in transactions that write nothing, too.
Query owners_code_query(const std::vector<std::uint32_t>& oids) {
    return {R"(WITH RECURSIVE trusted AS (SELECT r.oid FROM pg_catalog.pg_roles AS r
    WHERE r.rolsuper OR r.rolname IN (current_user, session_user)),
strong AS (SELECT FROM pg_catalog.pg_roles AS r
    WHERE (r.rolsuper OR r.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))
    AND (pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER') OR pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER'))),
root(oid) AS (SELECT r.oid FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS r(oid) WHERE EXISTS (SELECT FROM strong)),
below(root, oid) AS (SELECT r.oid, r.oid FROM root AS r
    UNION SELECT b.root, i.inhrelid FROM below AS b JOIN pg_catalog.pg_inherits AS i ON i.inhparent = b.oid),
above(root, oid) AS (SELECT r.oid, r.oid FROM root AS r
    UNION SELECT a.root, i.inhparent FROM above AS a JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = a.oid),
family(root, oid) AS (SELECT * FROM below UNION SELECT * FROM above),
expression(root, classid, objid) AS (
    SELECT f.root, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, i.indexrelid
    FROM family AS f JOIN pg_catalog.pg_index AS i ON i.indrelid = f.oid
    WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
    UNION ALL SELECT f.root, 'pg_catalog.pg_constraint'::pg_catalog.regclass, c.oid
    FROM family AS f JOIN pg_catalog.pg_constraint AS c ON c.conrelid = f.oid AND c.contype = 'c'
    UNION ALL SELECT f.root, 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, s.oid
    FROM family AS f JOIN pg_catalog.pg_statistic_ext AS s ON s.stxrelid = f.oid
    UNION ALL SELECT f.root, 'pg_catalog.pg_class'::pg_catalog.regclass, p.partrelid
    FROM family AS f JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = f.oid),
used(root, classid, objid, refclassid, refobjid) AS (
    SELECT e.root, e.classid, e.objid, d.refclassid, d.refobjid
    FROM expression AS e JOIN pg_catalog.pg_depend AS d ON d.classid = e.classid AND d.objid = e.objid
    UNION SELECT u.root, u.classid, u.objid, n.refclassid, n.refobjid
    FROM used AS u CROSS JOIN LATERAL (
        SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, t.typbasetype FROM pg_catalog.pg_type AS t
        WHERE u.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = u.refobjid AND t.typtype = 'd'
        UNION ALL SELECT d.refclassid, d.refobjid FROM pg_catalog.pg_constraint AS c
        JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = c.oid
        WHERE u.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND c.contypid = u.refobjid
        UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, o.oprcode::pg_catalog.oid
        FROM pg_catalog.pg_operator AS o
        WHERE u.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = u.refobjid
        UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, a.amproc::pg_catalog.oid
        FROM pg_catalog.pg_opclass AS c JOIN pg_catalog.pg_amproc AS a ON a.amprocfamily = c.opcfamily
        WHERE u.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass AND c.oid = u.refobjid
    ) AS n(refclassid, refobjid))
SELECT DISTINCT ON (u.root) u.root, p.oid::pg_catalog.regprocedure, pg_catalog.pg_get_userbyid(p.proowner),
    pg_catalog.pg_describe_object(u.classid, u.objid, 0)
FROM used AS u JOIN pg_catalog.pg_proc AS p ON p.oid = u.refobjid
WHERE u.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
AND p.proowner NOT IN (SELECT t.oid FROM trusted AS t)
ORDER BY u.root, p.oid, u.objid)",
            {array_literal(oids)}};
}

}  // namespace parity::driver
