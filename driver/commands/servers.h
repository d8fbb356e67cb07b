#pragma once

#include <memory>

#include "driver/engine/server.h"
#include "driver/model/sides.h"
#include "driver/options/request.h"

namespace parity::driver {

/// Both sides' servers, as the connection strings and --engine say. The only place that asks which engine reads a side.
Both<std::unique_ptr<Server>> make_servers(const Request& request);

}  // namespace parity::driver
