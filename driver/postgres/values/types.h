#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace parity::driver {

/// A type as the catalogs of one database have it.
struct TypeDesc {
    std::uint32_t oid = 0;
    std::string schema;
    std::string name;
    std::string display;         ///< format_type()
    char kind = 'b';             ///< pg_type.typtype
    std::uint32_t element = 0;   ///< of a true array (and of int2vector, oidvector): its elements' type
    std::uint32_t base = 0;      ///< of a domain
    std::uint32_t subtype = 0;   ///< of a range type; of a multirange type, its ranges' subtype
    std::uint32_t relation = 0;  ///< of a composite type: pg_type.typrelid
    std::string extension;       ///< the extension that the type belongs to; empty: none
    bool has_send = true;        ///< it has a binary send function
    struct Attribute {
        std::string name;
        std::uint32_t type = 0;
    };
    std::vector<Attribute> attributes;  ///< of a composite type, in the order of attnum, without dropped ones
};

/// The types of some columns and every type they are made of, by OID.
using TypeCatalog = std::unordered_map<std::uint32_t, TypeDesc>;

}  // namespace parity::driver
