#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/sides.h"
#include "driver/postgres/queries/query.h"

/// How names, literals and arrays are written.
namespace parity::driver {

std::string quote_identifier(std::string_view name);
std::string quote_identifier(const QualifiedName& name);

/// An SQL literal under any setting of standard_conforming_strings.
std::string quote_literal(std::string_view text);

/// An array in PostgreSQL's text form, for a parameter of type text[].
std::string array_literal(const std::vector<std::string>& elements);
std::string array_literal(const std::vector<std::optional<std::string>>& elements);
/// The same for oid[].
std::string array_literal(const std::vector<std::uint32_t>& elements);

/// Parameters of type bytea[] and integer[], in binary: they are long, and their texts would be longer.
Parameter bytea_array(const std::vector<std::string>& elements);
Parameter integer_array(const std::vector<std::int32_t>& elements);

}  // namespace parity::driver
