#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "driver/digests/division.h"
#include "driver/digests/lockstep.h"
#include "driver/digests/ranges.h"
#include "driver/engine/table_reader.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/monitor/observer.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {

/// What an observer is told of one table.
class TableObserver {
  public:
    TableObserver(Observer& observer, std::size_t table) : observer_(observer), table_(table) {}

    void begin_phase(Phase phase) const { observer_.begin_phase(table_, phase); }
    void found(std::uint64_t differing) const { observer_.found(table_, differing); }
    void fetched(std::uint64_t fetched, std::uint64_t wanted) const { observer_.fetched(table_, fetched, wanted); }
    void read(Side side, const Reading& reading) const { observer_.read(table_, side, reading); }
    bool wants_details() const { return observer_.wants_details(); }

    template <typename... Arguments>
    void detail(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
        if (observer_.wants_details())
            observer_.detail(table_, fmt::format(format, std::forward<Arguments>(arguments)...));
    }

  private:
    Observer& observer_;
    const std::size_t table_;
};

/// The failure that both sides share in one pass, as long as this lives.
class PassFailure {
  public:
    explicit PassFailure(const Both<TableReader*>& readers) : readers_(readers) { set(&failure_); }
    ~PassFailure() { set(nullptr); }
    PassFailure(const PassFailure&) = delete;
    PassFailure& operator=(const PassFailure&) = delete;

  private:
    void set(SharedFailure* failure) {
        for (TableReader* reader : {readers_.source, readers_.target}) reader->set_failure(failure);
    }

    SharedFailure failure_;
    const Both<TableReader*> readers_;
};

/// Divides a table into about so many ranges, by the side that divides it better. Fewer than 2 are one.
KeyDivision draw_bounds(int ranges, const Both<TableReader*>& readers);

/// Passes over both sides of one table at the same time, under one pair of snapshots: digests of ranges and buckets,
/// compared as they come.
class Passes {
  public:
    /// `first_readers` read the table under the forms of the first pass; a side's readers share a session.
    Passes(const TablePlan& table, int width, const Both<TableReader*>& readers,
           const Both<TableReader*>& first_readers, const TableObserver& observer)
        : table_(table), width_(width), readers_(readers), first_readers_(first_readers), observer_(observer) {}

    /// The bounds of the first pass. The side that drew them draws finer ones, too.
    std::vector<std::string> bounds() { return use(draw_bounds(table_.ranges, readers_)); }
    std::vector<std::string> use(KeyDivision division);
    std::vector<std::string> finer_bounds(int ranges);

    /// Whether both sides have buckets, and can digest rows without some of their columns.
    bool has_buckets() const { return first_readers_.source->has_buckets() && first_readers_.target->has_buckets(); }
    bool can_leave_out_columns() const {
        return readers_.source->can_leave_out_columns() && readers_.target->can_leave_out_columns();
    }

    /// `exact`: under the forms that count, else under those of the first pass.
    Comparison digest(const RangeList& ranges, bool exact);

    /// As digest().
    /// Returns: nothing where a server has no memory for the digests of so many ranges; the transactions go on.
    std::optional<Comparison> digest_if_it_fits(const RangeList& ranges, bool exact);

    /// Of divergent ranges the buckets that differ, as the last pass made them.
    /// Returns: nothing where the last pass made none, or a server had no memory for them.
    std::optional<std::vector<DivergentRange>> differing_buckets_of(const std::vector<DivergentRange>& divergent,
                                                                    int buckets);

    /// From now on rows are read without the help of indexes.
    void avoid_indexes();
    bool indexes_avoided() const { return indexes_avoided_; }

    /// How each side read what the first pass asked for: TableResult::path.
    const Both<std::string>& path() const { return path_; }

    /// Tells how each side read what it was last asked for.
    void tell_effort(const Both<TableReader*>& readers) const;

    const Both<TableReader*>& readers() const { return readers_; }

  private:
    using Clock = std::chrono::steady_clock;

    /// Tells of the reading of a whole table, as each side did it.
    void tell_readings(const Both<Clock::time_point>& began, const Both<std::unique_ptr<RangeSource>>& sources,
                       const Comparison& compared) const;

    const TablePlan& table_;
    const int width_;
    const Both<TableReader*> readers_;
    const Both<TableReader*> first_readers_;
    const TableObserver& observer_;
    Both<std::string> path_;
    Side better_side_ = Side::kSource;
    bool indexes_avoided_ = false;
};

}  // namespace parity::driver
