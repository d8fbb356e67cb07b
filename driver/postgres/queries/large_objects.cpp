#include "driver/postgres/queries/large_objects.h"

#include <fmt/core.h>

#include "driver/postgres/queries/quoting.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {

Query large_object_privileges_query() {
    return {
        "SELECT COALESCE(pg_catalog.has_table_privilege('pg_catalog.pg_largeobject_metadata'::pg_catalog.regclass, "
        "'SELECT'), false), "
        "COALESCE(pg_catalog.has_table_privilege('pg_catalog.pg_largeobject'::pg_catalog.regclass, 'SELECT'), false)",
        {}};
}

Query large_objects_query() {
    return {fmt::format(R"(SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata),
    pg_catalog.current_setting('block_size')::pg_catalog.int8 / 4, pg_catalog.pg_table_size(c.oid),
    CASE WHEN pg_catalog.pg_relation_size(c.oid) = 0 THEN 0 WHEN c.reltuples >= 0 AND c.relpages > 0
        THEN pg_catalog.round((c.reltuples / c.relpages * (pg_catalog.pg_relation_size(c.oid)
            / pg_catalog.current_setting('block_size')::pg_catalog.int8))::pg_catalog.numeric)
        ELSE -1 END,
    {}, {}
FROM pg_catalog.pg_class AS c WHERE c.oid = {})",
                        columns_text_of(std::to_string(kLargeObjectMetadataOid)), columns_text_of("c.oid"),
                        kLargeObjectPagesOid),
            {}};
}

Query large_object_pages_query(const std::vector<std::uint32_t>& objects) {
    return {
        "SELECT p.loid, p.pageno, p.data FROM pg_catalog.pg_largeobject AS p "
        "WHERE p.loid = ANY ($1::pg_catalog.oid[]) ORDER BY p.loid, p.pageno",
        {array_literal(objects)}};
}

Query large_object_pages_query(std::uint32_t after, std::uint32_t last) {
    return {
        "SELECT p.loid, p.pageno, p.data FROM pg_catalog.pg_largeobject AS p "
        "WHERE p.loid > $1::pg_catalog.oid AND p.loid <= $2::pg_catalog.oid ORDER BY p.loid, p.pageno",
        {std::to_string(after), std::to_string(last)}};
}

Query large_object_page_count_query() {
    return {"SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject AS p WHERE p.loid > 0", {}};
}

Query existing_large_objects_query(const std::vector<std::uint32_t>& objects) {
    return {"SELECT m.oid FROM pg_catalog.pg_largeobject_metadata AS m WHERE m.oid = ANY ($1::pg_catalog.oid[])",
            {array_literal(objects)}};
}

Query large_object_after_query(std::uint32_t after, std::uint64_t count) {
    return {
        "SELECT m.oid FROM pg_catalog.pg_largeobject_metadata AS m WHERE m.oid > $1::pg_catalog.oid "
        "ORDER BY m.oid LIMIT 1 OFFSET $2::pg_catalog.int8",
        {std::to_string(after), std::to_string(count - 1)}};
}

}  // namespace parity::driver
