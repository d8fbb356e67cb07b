#pragma once

#include <memory>

#include "driver/engine/large_objects.h"
#include "driver/model/plan.h"
#include "driver/postgres/connection/session.h"

namespace parity::driver {

/// The large objects of a database, under the session's snapshot. `pages` is the plan of pg_largeobject.
std::unique_ptr<LargeObjectReader> make_large_object_reader(Session& session, const TablePlan& pages);

}  // namespace parity::driver
