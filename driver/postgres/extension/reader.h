#pragma once

#include <memory>

#include "driver/digests/ranges.h"
#include "driver/engine/table_reader.h"
#include "driver/model/plan.h"
#include "driver/postgres/connection/session.h"

namespace parity::driver {

/// The engine that has the extension compute digests inside the server; only these cross the network.
std::unique_ptr<TableReader> make_extension_reader(Session& session, const TablePlan& table,
                                                   const DigestSettings& settings);

}  // namespace parity::driver
