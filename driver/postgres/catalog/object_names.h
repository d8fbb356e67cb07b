#pragma once

#include <string>
#include <vector>

#include "driver/postgres/connection/connection.h"
#include "driver/postgres/values/names.h"

namespace parity::driver {

/// Reads the names of these catalogs' objects, under the connection's snapshot.
void read_object_names(Connection& connection, const std::vector<std::string>& catalogs, ObjectNames& names);

}  // namespace parity::driver
