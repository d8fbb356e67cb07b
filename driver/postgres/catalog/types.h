#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "driver/postgres/connection/connection.h"
#include "driver/postgres/values/types.h"

namespace parity::driver {

/// Reads what is not yet in `catalog` of these types and, recursively, of what they are made of.
void read_types(Connection& connection, const std::vector<std::uint32_t>& types, TypeCatalog& catalog);

}  // namespace parity::driver
