#pragma once

#include <memory>

#include "driver/engine/server.h"
#include "driver/model/sides.h"
#include "driver/options/request.h"
#include "driver/postgres/catalog/relations.h"

namespace parity::driver {

/// PostgreSQL as the server of a side: read by the extension, or by COPY.
std::unique_ptr<Server> make_postgres_server(Side side, const Request& request, ExtensionUse use);

}  // namespace parity::driver
