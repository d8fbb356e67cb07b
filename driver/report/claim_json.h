#pragma once

#include "driver/model/results.h"
#include "driver/report/document.h"

namespace parity::driver {

/// Adds to a table of a report as of when it is claimed: as a whole, or span by span.
void add_claim(Json& json, const TableResult& result);

}  // namespace parity::driver
