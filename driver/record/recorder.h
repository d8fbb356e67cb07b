#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/logger.h>

#include "driver/model/error.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/monitor/observer.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/query.h"
#include "driver/record/facts.h"
#include "driver/report/report.h"
#include "driver/state/findings.h"

namespace parity::driver {

/// How long the recording database has for one statement, and a little more before its connection is given up.
inline constexpr int kRecordSeconds = 30;
inline constexpr std::chrono::seconds kRecordAnswerTime{kRecordSeconds + 5};
/// About as many bytes of findings are recorded by one statement.
inline constexpr std::size_t kRecordBatchBytes = 256 * 1024;

/// Writes the course of a run into the tables of a database (--record), through the functions of the extension there.
///
/// One session stays open for the whole run: that it exists is what marks the run as going on. Where it is lost, the
/// record cannot be continued; the next run marks it as died. A signal does not end it, so that a cancelled run is
/// recorded as such.
///
/// Recording takes nothing from the comparison. What goes wrong with it is logged once, ends the recording, and stands
/// in failure(). Thread-safe: the threads that compare use it one at a time.
class Recorder : public Observer {
  public:
    /// Records nothing unless options.record names a database. Otherwise connects, and begins the record of the run.
    /// Throws: Error{kUsage} for a connection string that cannot be read; Error{kCancelled} when a signal came.
    Recorder(const Options& options, std::uint64_t seed, std::shared_ptr<spdlog::logger> log);

    /// Where the findings are that finish_table() records.
    /// Requires: `store` outlives the recording.
    void set_findings(FindingStore& findings) { findings_ = &findings; }

    void begin_run(const Plan& plan) override;
    void begin_table(std::size_t table_no) override;
    void begin_phase(std::size_t table_no, Phase phase) override;
    /// Records the result and what the store holds of it.
    void reopen_table(std::size_t table_no, const TableResult& before) override;
    void finish_table(std::size_t table_no, const TableResult& result) override;

    /// Records what was not begun, sequences and what only one side has, and ends the record.
    void finish(const RunReport& report);
    /// Ends the record of a run that ended with an error.
    void fail(const Error& error);

    /// The number of the run in the records.
    /// Returns: nothing where none was begun.
    const std::optional<std::string>& run() const { return run_; }
    /// Why the record is not complete; empty: it is, or was not asked for.
    std::string failure() const;

  private:
    struct Table {
        std::string id;  ///< empty before it is begun
        std::optional<Phase> phase;
        bool finished = false;
    };

    void open(std::uint64_t seed);
    void require_extension();
    void give_up(const Error& error) noexcept;
    std::string start(const std::string& relation, const std::string& target, const Json& scope);
    void write(std::size_t table_no, const TableResult& result);
    void write_findings(const std::string& id, std::size_t table_no, const TableResult& result);
    void write(const TableRecord& record);
    Result call(const Query& query) { return connection_->query(query.sql, query.parameters); }

    /// Runs `work` under the lock unless the recording has ended; whatever `work` throws ends it.
    template <typename Work>
    void guarded(Work work);

    const Options& options_;
    const std::shared_ptr<spdlog::logger> log_;
    const Plan* plan_ = nullptr;
    FindingStore* findings_ = nullptr;
    mutable std::mutex mutex_;
    std::optional<Connection> connection_;  ///< none: nothing is recorded (any more)
    std::optional<std::string> run_;
    std::vector<Table> tables_;
    std::string failure_;
};

}  // namespace parity::driver
