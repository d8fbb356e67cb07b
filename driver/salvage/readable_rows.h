#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "driver/digests/merge.h"
#include "driver/digests/ranges.h"
#include "driver/engine/row_sorter.h"
#include "driver/engine/table_reader.h"

namespace parity::driver {

/// What can be read of one side of a table, as the first pass finds it out. Later passes read the same; where that
/// fails, the disk below the snapshot has changed.
class ReadableRows {
  public:
    virtual ~ReadableRows() = default;

    /// The digests of these ranges.
    virtual std::vector<RangeDigests> digest(const RangeList& ranges) = 0;

    /// The rows of these ranges. The source lives no longer than this, and than the next call.
    /// Requires: digest() was called.
    virtual std::unique_ptr<RowSource> rows(const RangeList& ranges) = 0;

    /// As TableReader::values().
    virtual void values(const std::vector<std::string>& keys, const TakeValues& take) = 0;
};

/// Which of these keys, ascending, are in which part of what was sorted, by RowLocation::part.
std::map<std::uint32_t, std::vector<std::string>> keys_by_part(RowSorter& sorter, const std::vector<std::string>& keys);

}  // namespace parity::driver
