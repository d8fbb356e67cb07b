#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/monitor/observer.h"
#include "driver/monitor/terminal.h"

namespace parity::driver {

/// How far a run is. `share` is of the bytes to be read.
struct ProgressState {
    double share = 0;
    double rows = 0;
    double seconds = 0;  ///< since it began
    std::size_t tables_done = 0;
    std::size_t tables = 0;
    std::vector<std::string> current{};         ///< what is being compared, what was heard of last first
    std::optional<double> seconds_of_values{};  ///< until the values of rows that differ are there; unset: unknown
};

/// One line: "38 %, public.orders (source 52 %, target 24 %), public.items, 1:05, 0:42 left, 3 of 12 tables, 1.9 M
/// rows, 1.2 M rows/s". Names stand in front, because a terminal cuts the end; "1:05" is the time that has passed.
/// Nothing about the time left before something is known. Pure.
std::string progress_line(const ProgressState& state);

/// A table under way: its name, then which side is how far where one is well behind, or what is listed of it. Pure.
struct TableProgress {
    std::string name;
    Both<double> share{0, 0};
    std::optional<std::uint64_t> differing;  ///< none before it descends
    std::uint64_t fetched = 0;
    std::uint64_t wanted = 0;  ///< 0 before values are fetched
};
std::string describe_progress(const TableProgress& table);

/// The same with a bar in front, cut to `width` columns. Pure.
std::string progress_bar(const ProgressState& state, std::size_t width);

/// Shows how far a run is: a bar that is redrawn at most ten times a second on a terminal, a line a minute otherwise. A
/// clock of its own shows it once a second, or minute, where nothing is heard of a server. Thread-safe; the calls of
/// one table come from one thread.
class Progress : public Observer {
  public:
    /// Shows nothing unless `enabled`.
    /// Requires: `terminal` outlives it.
    Progress(Terminal& terminal, bool enabled);
    ~Progress() override;
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Starts the clock.
    void begin_run(const Plan& plan) override;
    /// A server that has nothing to tell before the end of a pass leaves it at that.
    void begin_snapshots(std::size_t table) override;
    void restart_progress(std::size_t table) override;
    /// Later passes over the same table begin at 0 again; that never takes anything back.
    void progress(std::size_t table, Side side, std::uint64_t done, std::uint64_t total) override;
    void found(std::size_t table, std::uint64_t differing) override;
    void fetched(std::size_t table, std::uint64_t fetched, std::uint64_t wanted) override;
    void finish_table(std::size_t table, const TableResult& result) override;
    /// Takes the bar away.
    void finish_run() override;

  private:
    using Clock = std::chrono::steady_clock;

    struct Table : TableProgress {
        double rows = 0;  ///< estimated; real once it is done
        double bytes = 0;
        bool begun = false;
        bool done = false;
        Clock::time_point fetching_since{};
    };

    ProgressState state() const;
    std::vector<std::string> under_way() const;
    std::optional<double> seconds_of_values() const;
    void tick();
    void stop_clock();
    void show() noexcept;
    void draw() noexcept;

    Terminal& terminal_;
    const bool enabled_;
    std::mutex mutex_;
    std::vector<Table> tables_;
    std::size_t current_ = 0;
    Clock::time_point started_;
    Clock::time_point last_shown_;
    std::condition_variable end_;  ///< of the run, for the clock
    bool ended_ = false;
    std::thread clock_;
};

}  // namespace parity::driver
