#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "driver/model/error.h"
#include "driver/postgres/queries/record.h"
#include "driver/record/state_session.h"
#include "driver/state/run_store.h"
#include "driver/waiting/patience.h"

namespace parity::driver {

/// A run in tables of a database (--state with a connection string). Whoever writes it holds an advisory lock that ends
/// with its session, and has marked the run as its own: each transaction shows that mark, so that one who lost both
/// without knowing it writes nothing.
///
/// A connection that is lost is made anew, for StatePlace::retry_for. The comparison waits meanwhile. After that what
/// is to be kept fails; the connection is tried again for later units, but not at once.
class RunDatabase : public RunStore {
  public:
    /// A run that begins. Nothing is there of it unless begin_run() is called; the tables are.
    /// Throws: Error{kUsage} where there is a run of this name, or another process has begun one; and as
    /// StateSession::open() does.
    static std::unique_ptr<RunDatabase> create(StatePlace place);

    /// A run that goes on.
    /// Throws: Error{kUsage} where there is none of this name, or another process goes on with it; and as above.
    static std::unique_ptr<RunDatabase> open(StatePlace place);

    /// Opens a run to read it as it is at this moment, while others may write it.
    static std::unique_ptr<RunDatabase> read(StatePlace place);

    std::string name() const override;
    void warn_by(std::function<void(const std::string&)> warn) override;
    std::optional<RunRow> read_run() override;
    void begin_run(const RunRow& run, const std::function<bool(UnitRow& unit)>& next_unit) override;
    void continue_run(const std::string& head, const std::vector<UnitRow>& units,
                      const std::vector<std::int64_t>& gone_jobs) override;
    void save_head(const std::string& head) override;
    void for_each_unit(const std::function<void(const UnitRow& unit)>& take) override;
    void save_unit(const UnitRow& unit, const GiveFindings& findings,
                   const std::optional<std::vector<UnitRow>>& spans) override;
    void save_units(const std::vector<UnitRow>& units) override;
    void for_each_finding(std::int64_t job, std::int64_t unit,
                          const std::function<void(const StoredFinding&)>& take) override;

  private:
    using Clock = std::chrono::steady_clock;
    explicit RunDatabase(StatePlace place) : place_(std::move(place)) {}

    void claim_name();
    void take_run();
    void require_there();
    void lock();
    void require_mark(StateSession& session);
    void require_row(const Result& result);
    void revive();
    void wait_after(const Error& error, std::chrono::milliseconds elapsed, Patience& patience);
    void write_units(const std::function<bool(UnitRow& unit)>& next_unit);
    void write_units(const std::vector<UnitRow>& units);
    void write_findings(const UnitRow& unit, const GiveFindings& findings);
    template <typename Work>
    void keep(Work work);
    template <typename Work>
    void read_from(Work work);
    template <typename Take>
    int take_rows(const Query& query, Take take);

    const StatePlace place_;
    std::mutex mutex_;
    std::optional<StateSession> session_;
    StateOwner owner_;  ///< no name: the run is only read
    std::function<void(const std::string&)> warn_;
    bool is_patient_ = true;        ///< the last unit was kept
    Clock::time_point not_before_;  ///< when a connection that could not be made is tried for again
    std::optional<Error> failure_;  ///< of the last attempt to keep something, since something was kept
    std::optional<Error> lost_;     ///< the run is somebody else's now, or gone
};

}  // namespace parity::driver
