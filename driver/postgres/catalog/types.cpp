#include "driver/postgres/catalog/types.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "driver/model/error.h"
#include "driver/postgres/queries/query.h"
#include "driver/postgres/queries/types.h"

namespace parity::driver {
namespace {

std::uint32_t parse_oid(std::string_view text) {
    std::uint32_t oid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), oid);
    if (error != std::errc{} || end != text.data() + text.size())
        throw Error(ErrorKind::kInternal, "a server sent \"" + std::string(text) + "\" for an OID");
    return oid;
}

TypeDesc describe(const Result& result, int row) {
    TypeDesc type;
    type.oid = parse_oid(result.text(row, 0));
    type.schema = result.text(row, 1);
    type.name = result.text(row, 2);
    type.display = result.text(row, 3);
    const std::string_view kind = result.text(row, 4);
    if (kind.size() != 1) throw Error(ErrorKind::kInternal, "a server sent a type without a kind");
    type.kind = kind[0];
    type.element = parse_oid(result.text(row, 5));
    type.base = parse_oid(result.text(row, 6));
    type.subtype = parse_oid(result.text(row, 7));
    type.relation = parse_oid(result.text(row, 8));
    type.extension = result.text(row, 9);
    type.has_send = result.is_true(row, 10);
    return type;
}

void add_attributes(Connection& connection, std::vector<TypeDesc>& types) {
    std::unordered_map<std::uint32_t, TypeDesc*> by_relation;
    std::vector<std::uint32_t> relations;
    for (TypeDesc& type : types) {
        if (type.relation == 0) continue;
        by_relation[type.relation] = &type;
        relations.push_back(type.relation);
    }
    if (relations.empty()) return;
    const Query query = attributes_query(relations);
    const Result result = connection.query(query.sql, query.parameters);
    for (int row = 0; row < result.rows(); ++row) {
        const auto type = by_relation.find(parse_oid(result.text(row, 0)));
        if (type == by_relation.end()) throw Error(ErrorKind::kInternal, "a server sent attributes not asked for");
        type->second->attributes.push_back({std::string(result.text(row, 1)), parse_oid(result.text(row, 2))});
    }
}

}  // namespace

/// One round for each level of nesting.
void read_types(Connection& connection, const std::vector<std::uint32_t>& types, TypeCatalog& catalog) {
    std::vector<std::uint32_t> wanted = types;
    for (;;) {
        std::erase_if(wanted, [&](std::uint32_t oid) { return oid == 0 || catalog.contains(oid); });
        std::sort(wanted.begin(), wanted.end());
        wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
        if (wanted.empty()) return;
        const Query query = types_query(wanted, connection.server_version());
        const Result result = connection.query(query.sql, query.parameters);
        std::vector<TypeDesc> found;
        for (int row = 0; row < result.rows(); ++row) found.push_back(describe(result, row));
        if (found.size() != wanted.size())
            throw Error(ErrorKind::kInternal, "the catalogs lack a type that a column or another type is made of");
        add_attributes(connection, found);
        wanted.clear();
        for (TypeDesc& type : found) {
            wanted.insert(wanted.end(), {type.element, type.base, type.subtype});
            for (const TypeDesc::Attribute& attribute : type.attributes) wanted.push_back(attribute.type);
            catalog.insert_or_assign(type.oid, std::move(type));
        }
    }
}

}  // namespace parity::driver
