#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/error.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

/// A run as it goes on. Who wants to know of it (the progress bar, the record, the log) is an observer.
namespace parity::driver {

/// What is done with a table. Each begins once under each pair of snapshots, in this order; some are left out.
enum class Phase {
    kDigests,        ///< both sides digest all ranges
    kNarrowingDown,  ///< divergent ranges are digested in finer ones
    kContents,       ///< of large objects
    kRows,           ///< rows of divergent ranges are read and merged
    kValues,         ///< values of rows that differ are read
};

/// "digests", "narrowing down", "contents", "rows", "values".
constexpr std::string_view phase_name(Phase phase) {
    switch (phase) {
        case Phase::kDigests:
            return "digests";
        case Phase::kNarrowingDown:
            return "narrowing down";
        case Phase::kContents:
            return "contents";
        case Phase::kRows:
            return "rows";
        case Phase::kValues:
            break;
    }
    return "values";
}

/// One reading of a whole table on one side, from its beginning to its end there.
struct Reading {
    std::chrono::steady_clock::time_point began;
    std::chrono::steady_clock::time_point ended;
    std::uint64_t rows = 0;
    std::optional<std::uint64_t> bytes{};  ///< of rows that came over the network; nothing: digests came
};

/// Hears of a run. Tables are known by their position in Plan::tables. Calls about one table come from one thread,
/// except progress(); those about several come from several threads at once.
/// Requires: no call throws.
class Observer {
  public:
    virtual ~Observer() = default;

    /// The plan is made, and lives as long as the observer.
    virtual void begin_run(const Plan& /*plan*/) {}

    /// A thread has taken a table.
    virtual void begin_table(std::size_t /*table*/) {}

    /// A pair of snapshots is there. What was heard of the table before counts no more.
    virtual void begin_snapshots(std::size_t /*table*/) {}

    /// A side has taken its snapshot for the table, and holds it until drop_snapshots(). Both sides come before
    /// begin_snapshots(), the source first.
    virtual void take_snapshot(std::size_t /*table*/, Side /*side*/) {}

    /// No side holds a snapshot for the table any more.
    virtual void drop_snapshots(std::size_t /*table*/) {}

    virtual void begin_phase(std::size_t /*table*/, Phase /*phase*/) {}

    /// A side has read `done` of a table's `total` pages. A later pass over the same table begins at 0 again.
    virtual void progress(std::size_t /*table*/, Side /*side*/, std::uint64_t /*done*/, std::uint64_t /*total*/) {}

    /// A side has read the whole table, and may have to read it again. Both sides' readings are told when both are
    /// over.
    virtual void read(std::size_t /*table*/, Side /*side*/, const Reading& /*reading*/) {}

    /// What was read of the table so far was the lesser part: progress() begins at 0 once more, and that counts.
    virtual void restart_progress(std::size_t /*table*/) {}

    /// Both sides of the table have been read, and so many rows that differ were found since; more are looked for.
    virtual void found(std::size_t /*table*/, std::uint64_t /*differing*/) {}

    /// The values of `fetched` of `wanted` rows that differ are there, each side's counted by itself.
    virtual void fetched(std::size_t /*table*/, std::uint64_t /*fetched*/, std::uint64_t /*wanted*/) {}

    /// How the comparison does its work, for whoever looks into it.
    /// Requires: wants_details().
    virtual void detail(std::size_t /*table*/, const std::string& /*text*/) {}
    virtual bool wants_details() const { return false; }

    /// The table is compared in these spans, each under snapshots of its own. Some may be done, by an earlier part of
    /// the run. `before` is what was seen of it before, and is not told again until the table is finished; none:
    /// nothing.
    virtual void begin_spans(std::size_t /*table*/, const std::vector<SpanUnit>& /*spans*/,
                             const TableResult* /*before*/) {}

    /// A span of the table is done, or does not count any more, or an attempt at it failed after it had shown that
    /// something differs. `span` is its number, from 0.
    virtual void finish_span(std::size_t /*table*/, std::size_t /*span*/, const SpanUnit& /*unit*/) {}

    /// Spans of the table that were not done were halved: these are what has become of them, the lower halves under
    /// their numbers, and `added` others. None has shown that something differs.
    virtual void halve_spans(std::size_t /*table*/, const std::vector<SpanUnit>& /*halves*/, std::size_t /*added*/) {}

    /// The table is compared as a whole after all. Its spans count no more; `before` is what they have shown together.
    virtual void leave_spans(std::size_t /*table*/, const std::vector<SpanUnit>& /*spans*/,
                             const TableResult& /*before*/) {}

    /// The table was finished with this result, and that may not count any more, as its error tells: it is begun again,
    /// and will be finished a second time.
    virtual void reopen_table(std::size_t /*table*/, const TableResult& /*before*/) {}

    /// The table failed with what may pass. It is begun again, with new snapshots, when the pause is over.
    virtual void postpone_table(std::size_t /*table*/, const Error& /*why*/, std::chrono::milliseconds /*pause*/) {}

    /// Something of the table cannot be read. It is read again at once, around that.
    virtual void read_around(std::size_t /*table*/, const Error& /*why*/) {}

    virtual void finish_table(std::size_t /*table*/, const TableResult& /*result*/) {}

    /// Every table has been finished, or will not be begun any more.
    virtual void finish_run() {}
};

/// Hears for several others, in their order.
class Observers : public Observer {
  public:
    /// Hears for these observers.
    /// Requires: they outlive it.
    explicit Observers(std::vector<Observer*> observers) : observers_(std::move(observers)) {}

    void begin_run(const Plan& plan) override { tell(&Observer::begin_run, plan); }
    void begin_table(std::size_t table) override { tell(&Observer::begin_table, table); }
    void begin_snapshots(std::size_t table) override { tell(&Observer::begin_snapshots, table); }
    void take_snapshot(std::size_t table, Side side) override { tell(&Observer::take_snapshot, table, side); }
    void drop_snapshots(std::size_t table) override { tell(&Observer::drop_snapshots, table); }
    void begin_phase(std::size_t table, Phase phase) override { tell(&Observer::begin_phase, table, phase); }
    void progress(std::size_t table, Side side, std::uint64_t done, std::uint64_t total) override {
        tell(&Observer::progress, table, side, done, total);
    }
    void read(std::size_t table, Side side, const Reading& reading) override {
        tell(&Observer::read, table, side, reading);
    }
    void restart_progress(std::size_t table) override { tell(&Observer::restart_progress, table); }
    void found(std::size_t table, std::uint64_t differing) override { tell(&Observer::found, table, differing); }
    void fetched(std::size_t table, std::uint64_t fetched, std::uint64_t wanted) override {
        tell(&Observer::fetched, table, fetched, wanted);
    }
    void detail(std::size_t table, const std::string& text) override { tell(&Observer::detail, table, text); }
    bool wants_details() const override {
        for (const Observer* observer : observers_)
            if (observer->wants_details()) return true;
        return false;
    }
    void begin_spans(std::size_t table, const std::vector<SpanUnit>& spans, const TableResult* before) override {
        tell(&Observer::begin_spans, table, spans, before);
    }
    void finish_span(std::size_t table, std::size_t span, const SpanUnit& unit) override {
        tell(&Observer::finish_span, table, span, unit);
    }
    void halve_spans(std::size_t table, const std::vector<SpanUnit>& halves, std::size_t added) override {
        tell(&Observer::halve_spans, table, halves, added);
    }
    void leave_spans(std::size_t table, const std::vector<SpanUnit>& spans, const TableResult& before) override {
        tell(&Observer::leave_spans, table, spans, before);
    }
    void reopen_table(std::size_t table, const TableResult& before) override {
        tell(&Observer::reopen_table, table, before);
    }
    void postpone_table(std::size_t table, const Error& why, std::chrono::milliseconds pause) override {
        tell(&Observer::postpone_table, table, why, pause);
    }
    void read_around(std::size_t table, const Error& why) override { tell(&Observer::read_around, table, why); }
    void finish_table(std::size_t table, const TableResult& result) override {
        tell(&Observer::finish_table, table, result);
    }
    void finish_run() override {
        for (Observer* observer : observers_) observer->finish_run();
    }

  private:
    template <typename... Parameters, typename... Arguments>
    void tell(void (Observer::*call)(Parameters...), const Arguments&... arguments) {
        for (Observer* observer : observers_) (observer->*call)(arguments...);
    }

    const std::vector<Observer*> observers_;
};

}  // namespace parity::driver
