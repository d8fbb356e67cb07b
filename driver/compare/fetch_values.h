#pragma once

#include <cstdint>
#include <functional>

#include "driver/engine/table_reader.h"
#include "driver/model/error.h"
#include "driver/model/sides.h"
#include "driver/state/findings.h"

namespace parity::driver {

/// A row that was read before is not found any more. error.server() is the side.
class LostRowError : public Error {
  public:
    using Error::Error;
};

/// Fetches the values of the differing columns of a table's stored mismatches, on both sides, into the store. Rows are
/// asked for by key, in batches of about a MiB, and told apart by key and row hash. `on_row` is called for each row of
/// a side whose values have come.
/// Requires: the snapshots under which the mismatches were found are still open.
/// Throws: LostRowError where a row is not there any more.
void fetch_values(FindingStore& findings, int table_no, const Both<TableReader*>& readers,
                  const std::function<void()>& on_row);

}  // namespace parity::driver
