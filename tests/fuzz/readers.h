#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "driver/postgres/values/type_rules.h"
#include "driver/postgres/values/types.h"

/// Every reader of a value on the wire, for the types of a real server's catalogs.
namespace parity::fuzz {

/// A type under one of its forms.
struct Reader {
    std::string name;        ///< "integer[] as int[]"
    std::uint32_t selector;  ///< what inputs name it by: stays when others come or go
    std::uint32_t type;
    std::shared_ptr<const driver::WireDecoder> reader;
};

/// The types of tests/fuzz/types.tsv, which tests/fuzz/make-seeds wrote. A line has tab-separated fields: OID, schema,
/// name, format_type(), kind, OIDs of element, base and subtype, extension, "t" where there is a binary send function,
/// and of a composite type name and type of each attribute.
driver::TypeCatalog read_type_file(const std::string& path);

/// All readers of all these types, ordered by selector.
std::vector<Reader> readers_of(const driver::TypeCatalog& catalog);

/// readers_of() the types in types.tsv, made once.
const std::vector<Reader>& all_readers();

/// The reader whose selector is this or comes next, so that every input has one.
const Reader& reader_at(std::uint32_t selector);

}  // namespace parity::fuzz
