#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "driver/digests/ranges.h"
#include "driver/digests/unread_rows.h"
#include "driver/engine/heap.h"
#include "driver/engine/row_sorter.h"
#include "driver/engine/server.h"
#include "driver/engine/table_reader.h"
#include "driver/model/dead_letter.h"
#include "driver/model/error.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"

/// Reading one side of a table around what cannot be read.
namespace parity::driver {

/// Counts what could not be read in all tables of a run. Thread-safe.
class DeadLetterCount {
  public:
    /// Returns: false where the run has as many as it may have.
    bool add() { return ++number_ <= kMostDeadLettersOfRun; }
    void remove(std::size_t number) { number_ -= number; }

  private:
    std::atomic<std::size_t> number_{0};
};

/// A damaged place that is no reason to give the table up: waiting/retry.h says which failures are such.
bool is_dead_letter(const Error& error);

/// What there is to read of one side of a table, where something of it cannot be read.
///
/// The first pass finds that out: it reads the table by its blocks, and divides what fails, under a savepoint each:
/// ranges of blocks, the lines of a block, then the columns of a row. The parts cover all blocks and all lines, which
/// is checked. Where rows have no places, as those of a view, it divides the ranges of keys that were asked for. Later
/// passes read what could be read then; where that fails, the table has changed under its snapshot, or rather the disk
/// below it has.
class Salvage {
  public:
    /// Requires: the session's transaction on `table` is open, and all of it outlives this.
    Salvage(ServerSession& session, const TablePlan& table, const TableReaderSettings& settings,
            DeadLetterCount& count);
    ~Salvage();
    Salvage(const Salvage&) = delete;
    Salvage& operator=(const Salvage&) = delete;

    /// Reads what can be read. It knows no buckets, and leaves out no columns.
    std::unique_ptr<TableReader> reader();

    /// Asks the key's index in which of these divergent ranges of the first pass what was not read may be.
    void narrow(const std::vector<std::string>& bounds, const std::vector<DivergentRange>& divergent);

    /// What was not read, as far as the other side's rows are concerned.
    /// Requires: narrow() has returned.
    const UnreadRows& unread() const { return unread_; }

    /// Every place that could not be read. The count is theirs from now on.
    std::vector<DeadLetter> take_letters();

    std::vector<std::string> notes() const { return {notes_.begin(), notes_.end()}; }

  private:
    friend class SalvageReader;
    class Survey;

    /// A row of which some columns could not be read.
    struct PartialRow {
        HeapPlace place;
        std::vector<int> read;  ///< the columns that could be
    };

    std::vector<std::string> split(int ranges);
    std::vector<RangeDigests> digest(const RangeList& ranges);
    std::unique_ptr<RowSource> rows(const RangeList& ranges);
    void values(const std::vector<std::string>& keys, const TakeValues& take);

    void forget();
    std::vector<RangeDigests> digest_at(const HeapPlace* place, const RangeList& ranges);
    template <typename Take>
    void rows_at(const TablePlan& table, const HeapPlace* place, const RangeList& ranges, Take take);
    template <typename Take>
    void partial_rows(std::size_t number, const RangeList& ranges, Take take);
    RangeList without_lost_ranges(const RangeList& ranges) const;
    void narrow(const std::vector<std::string>& bounds, const std::vector<DivergentRange>& divergent, std::size_t first,
                std::size_t end);
    void add_letter(DeadLetter letter, const Error& error);
    bool is_ours(const Error& error) const;

    ServerSession& session_;
    const TablePlan& table_;
    const TableReaderSettings& settings_;
    DeadLetterCount& count_;
    const std::unique_ptr<HeapReader> heap_;
    bool surveyed_ = false;
    std::vector<HeapPlace> places_;       ///< that can be read
    std::vector<PartialRow> partials_;    ///< besides
    std::set<std::int32_t> lost_ranges_;  ///< without places: the ranges that cannot be read
    std::uint64_t unindexed_ = 0;         ///< rows whose keys no index tells
    std::uint64_t unknown_ = 0;           ///< rows at most whose keys are not known, but an index may tell
    UnreadRows unread_;
    std::vector<DeadLetter> letters_;
    std::set<std::string> notes_;
    std::string path_;
    std::unique_ptr<RowSorter> sorter_;
    RangeList sorted_ranges_;
};

}  // namespace parity::driver
