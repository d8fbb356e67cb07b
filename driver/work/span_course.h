#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "driver/compare/context.h"
#include "driver/compare/table.h"
#include "driver/digests/division.h"
#include "driver/engine/server.h"
#include "driver/model/error.h"
#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// How fast tables are read in this run. Thread-safe.
class ReadingRate {
  public:
    /// So many bytes of a table were compared in so many seconds.
    void add(double bytes, double seconds);

    /// How many seconds a table of so many bytes takes, by what was read so far; before anything was, by a guess that
    /// rather takes too long. `is_streamed`: a side sends rows and not digests.
    double seconds_for(double bytes, bool is_streamed) const;

  private:
    mutable std::mutex mutex_;
    double bytes_ = 0;
    double seconds_ = 0;
};

/// What an attempt at a table has to work with.
struct AttemptSetting {
    const RunContext& context;
    const TablePlan& table;
    std::size_t table_no;
    Both<ServerSession*> sessions;
    Both<ServerInfo> servers;  ///< that the sessions are connected to
    ReadingRate& rate;
};

/// How a table is compared that may be divided into spans: where that takes longer than --unit-seconds, and both sides
/// can read it in spans. One thread uses it at a time.
class SpanCourse {
  public:
    /// `known`: the spans of an earlier part of the run; none: it is not divided yet.
    explicit SpanCourse(std::vector<SpanUnit> known = {}) : spans_(std::move(known)) {}

    /// Makes one attempt to compare what is left of the table: all of it, or the spans that are not done, one after the
    /// other, each under a pair of snapshots of its own. What of it is done stays done if the attempt fails. `before`
    /// is what earlier attempts have shown; none: nullptr.
    /// Returns: as compare_table(), of the whole table.
    /// Throws: Error{kOtherServer} alone.
    TableAttemptResult compare(const AttemptSetting& setting, const TableResult* before);

    /// From now on spans that are not done are read in halves, or the table in spans if it was read as a whole. One
    /// that has shown that something differs stays as it is. Whether a table can be read in spans, the next attempt
    /// asks the servers.
    /// Returns: what is different from now on, for people; nothing where the table cannot be read in smaller spans.
    std::optional<std::string> halve(const RunContext& context, const TablePlan& table, std::size_t table_no);

    /// Begins spans again that may not be part any more of what a side has, and tells the observer.
    /// Returns: the reason, of the first of them; nothing where there is none.
    std::optional<std::string> begin_lost_again(const Both<ServerInfo>& servers, Observer& observer,
                                                std::size_t table_no);

    /// Removes what the table's result claims of spans that are not done any more.
    void remove_lost_claims(TableResult& result) const;

    bool in_spans() const { return !spans_.empty(); }
    std::size_t spans_done() const;

    /// Whether a span was done since this was asked last.
    bool got_on() { return std::exchange(got_on_, false); }

  private:
    void divide(const AttemptSetting& setting, const TableResult* before);
    void begin_others_again(const AttemptSetting& setting);
    bool begin_all_again(const Error& why);
    void begin_again(SpanUnit& unit, const std::string& why);
    TableAttemptResult compare_whole(const AttemptSetting& setting) const;
    TableAttemptResult compare_spans(const AttemptSetting& setting);
    std::optional<Error> compare_span(const AttemptSetting& setting, const TablePlan& plan, std::size_t span);
    TableAttemptResult leave_spans(const AttemptSetting& setting, const Error& why);
    TableResult join(const AttemptSetting& setting) const;
    Both<std::string> blocks_read() const;
    bool may_be_in_spans(const Options& options, const TablePlan& table) const;
    std::vector<SpanUnit> halve_units(const TablePlan& table);

    std::vector<SpanUnit> spans_;
    std::optional<KeyDivision> ranges_;  ///< of the whole table; none: not drawn yet
    int ranges_wanted_ = 0;              ///< TablePlan::ranges when they were drawn
    bool decided_ = false;               ///< whether it is divided
    bool got_on_ = false;
    std::size_t least_ = 1;  ///< into how many spans it is to be divided at least
    int begun_again_ = 0;    ///< all of them
    std::string why_again_;  ///< notes for the report
    std::string why_whole_;
};

}  // namespace parity::driver
