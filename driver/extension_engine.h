#pragma once

#include <memory>

#include "driver/engine.h"
#include "driver/session.h"

namespace parity::driver {

/// The engine that has the extension compute digests inside the server; only these cross the network.
std::unique_ptr<TableReader> make_extension_reader(Session& session, const TablePlan& table,
                                                   const DigestSettings& settings);

}  // namespace parity::driver
