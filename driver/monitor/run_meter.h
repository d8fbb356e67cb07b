#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/monitor/busy_time.h"
#include "driver/monitor/observer.h"

namespace parity::driver {

/// A run in numbers, at one moment.
struct RunFigures {
    struct OfSide {
        std::uint64_t rows = 0;  ///< that readings of whole tables gave, those of a table read twice twice
        std::optional<std::uint64_t> bytes{};  ///< of rows that came over the network; nothing: none were streamed
        double seconds = 0;                    ///< in which at least one such reading went on
        double snapshot_age = 0;               ///< seconds; of the oldest snapshot that is held now; 0: none is
        double longest_snapshot = 0;           ///< seconds; the longest that one was held, or is held now
        std::optional<std::uint64_t> verified_lsn{};  ///< the lowest at which a unit that is done was read
    };
    bool in_spans = false;  ///< some units are spans of tables
    std::size_t units = 0;
    std::size_t done = 0;  ///< compared to their end, with whatever result
    std::size_t failed = 0;
    std::size_t dead = 0;  ///< of those that are done, the ones of which something could not be read
    std::uint64_t retries = 0;
    FindingCounts findings;
    Both<OfSide> side{};
    std::int64_t heard_us = 0;  ///< when something was last heard of the run, by the wall clock

    std::size_t pending() const { return units - done - failed; }
};

/// Counts what is heard of a run. Thread-safe. A unit is a table, or a span of one.
class RunMeter : public Observer {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// `now` is another clock in tests.
    explicit RunMeter(std::function<Time()> now = std::chrono::steady_clock::now);

    RunFigures figures() const;

    void begin_run(const Plan& plan) override;
    void begin_table(std::size_t table) override;
    void take_snapshot(std::size_t table, Side side) override;
    void drop_snapshots(std::size_t table) override;
    void begin_phase(std::size_t table, Phase phase) override;
    void progress(std::size_t table, Side side, std::uint64_t done, std::uint64_t total) override;
    void read(std::size_t table, Side side, const Reading& reading) override;
    void found(std::size_t table, std::uint64_t differing) override;
    void fetched(std::size_t table, std::uint64_t fetched, std::uint64_t wanted) override;
    void postpone_table(std::size_t table, const Error& why, std::chrono::milliseconds pause) override;
    void begin_spans(std::size_t table, const std::vector<SpanUnit>& spans, const TableResult* before) override;
    void finish_span(std::size_t table, std::size_t span, const SpanUnit& unit) override;
    void halve_spans(std::size_t table, const std::vector<SpanUnit>& halves, std::size_t added) override;
    void leave_spans(std::size_t table, const std::vector<SpanUnit>& spans, const TableResult& before) override;
    void reopen_table(std::size_t table, const TableResult& before) override;
    void finish_table(std::size_t table, const TableResult& result) override;

  private:
    struct SideState {
        BusyTime busy;
        std::map<std::size_t, Time> snapshots;  ///< that are held, by table
    };

    void count_done_unit(const Both<std::string>& lsns);
    void hear();
    std::optional<Time> oldest_snapshot(Side side) const;
    void keep_length(Side side, Time taken);

    const std::function<Time()> now_;
    mutable std::mutex mutex_;
    RunFigures figures_;  ///< but for what the clock changes
    Both<SideState> state_;
};

}  // namespace parity::driver
