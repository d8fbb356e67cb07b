#pragma once

#include <cstdint>

#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/postgres/connection/session.h"

namespace parity::driver {

/// How many rows of users a table of an extension has, in a transaction of its own; in another one where a new snapshot
/// may cure a failure.
std::uint64_t count_extension_rows(Session& session, const ExtensionTable& table, const Options& options);

}  // namespace parity::driver
