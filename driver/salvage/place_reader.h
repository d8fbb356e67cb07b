#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "driver/digests/merge.h"
#include "driver/digests/ranges.h"
#include "driver/engine/heap.h"
#include "driver/engine/server.h"
#include "driver/engine/table_reader.h"
#include "driver/model/plan.h"

namespace parity::driver {

/// The table with these of its columns.
TablePlan with_some_columns(TablePlan table, const std::vector<int>& columns);

/// A row of which some columns cannot be read.
struct PartialRow {
    HeapPlace place;
    std::vector<int> read;  ///< the columns that can be, as indexes of TablePlan::columns, ascending
};

/// Reads what is at one place of a table, or all of it where rows have no places (nullptr), by the ordinary reader of
/// the engine.
class PlaceReader {
  public:
    using TakeRow = std::function<void(const RowDigest& row)>;

    /// Requires: the session's transaction on `table` is open, and all of it outlives this.
    PlaceReader(ServerSession& session, const TablePlan& table, const TableReaderSettings& settings);

    HeapReader& heap() { return *heap_; }
    const TablePlan& table() const { return table_; }

    std::vector<RangeDigests> digest(const HeapPlace* place, const RangeList& ranges);
    /// The digests of no rows.
    std::vector<RangeDigests> digest_nothing(const RangeList& ranges);
    /// Adds a row to the digests of its range, if that is among them.
    void add_row(std::vector<RangeDigests>& digests, const RowDigest& row) const;

    void rows(const HeapPlace* place, const RangeList& ranges, const TakeRow& take);
    /// With the columns and the key of `table`, which is the table with less of them.
    void rows_of(const TablePlan& table, const HeapPlace* place, const RangeList& ranges, const TakeRow& take);
    /// The row as it stands among the others: without values that cannot be read.
    void partial_row(const PartialRow& partial, const RangeList& ranges, const TakeRow& take);

    /// Requires: rows with these keys are at the place, and in these ranges; `keys` ascend.
    void values(const HeapPlace* place, const RangeList& ranges, const std::vector<std::string>& keys,
                const TakeValues& take);
    void partial_values(const PartialRow& partial, const RangeList& ranges, const std::vector<std::string>& keys,
                        const TakeValues& take);

    /// How ranges were digested first; empty before that.
    const std::string& path() const { return path_; }
    /// What the readers have told.
    const std::set<std::string>& notes() const { return notes_; }

  private:
    RowDigest complete(const PartialRow& partial, const RowDigest& row) const;

    const TablePlan& table_;
    const TableReaderSettings& settings_;
    const std::unique_ptr<HeapReader> heap_;
    std::string path_;
    std::set<std::string> notes_;
};

}  // namespace parity::driver
