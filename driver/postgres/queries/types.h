#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/postgres/queries/query.h"

/// The SQL about types and about names behind OIDs, which the streaming engine asks, and how it selects columns. It
/// needs no privileges on the catalogs.
namespace parity::driver {

/// What the catalogs say of types: oid, schema, name, display name, kind, element, base type, subtype, relation,
/// extension (NULL: none), whether its binary format can be read. `server_version` as a number (150018).
Query types_query(const std::vector<std::uint32_t>& oids, int server_version);

/// The attributes of composite types, by pg_type.typrelid: relation, name, type; in the order of relation and attnum.
Query attributes_query(const std::vector<std::uint32_t>& relations);

/// OIDs and names of the objects of a catalog, as ObjectNames::add takes them (postgres/values/names.h). Throws
/// Error{kInternal} for a catalog that is not known.
Query object_names_query(const std::string& catalog);

/// A column cast to a type.
std::string cast_expression(const std::string& column, const std::string& type);

/// What AT TIME ZONE makes of a column that is cast to a type, "pg_catalog.timestamp" or "pg_catalog.timestamptz".
std::string zone_expression(const std::string& column, const std::string& type, const std::string& zone);

}  // namespace parity::driver
