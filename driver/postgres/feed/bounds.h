#pragma once

#include <string>
#include <vector>

#include "driver/model/plan.h"
#include "driver/postgres/connection/session.h"
#include "driver/postgres/feed/table.h"

namespace parity::driver {

/// At most `ranges` − 1 ascending bounds that divide a table with a key about evenly, without the extension: from a
/// sample of the table's blocks; where it has none, from the histogram that ANALYZE made of the key's first column;
/// where there is no such, even hash bounds.
std::vector<std::string> sample_bounds(Session& session, const StreamTable& stream, const TablePlan& table, int ranges);

/// The bounds out of a sample of framed keys (or of their first columns): in the order of the forms, evenly, each once.
std::vector<std::string> bounds_of_sample(std::vector<std::string> keys, const std::vector<core::Form>& forms,
                                          int ranges);

}  // namespace parity::driver
