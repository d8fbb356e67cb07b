#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "driver/model/options.h"
#include "driver/model/results.h"
#include "driver/monitor/observer.h"
#include "driver/monitor/terminal.h"
#include "driver/report/document.h"
#include "driver/report/formats.h"
#include "driver/report/output.h"
#include "driver/report/parts.h"
#include "driver/state/findings.h"

namespace parity::driver {

/// The report on standard output while the run goes on: each table as soon as it is finished, where the format can do
/// that (report/parts.h). Any other report, and one for a file, is written whole at the end.
///
/// A thread of its own writes, so that who reads the report slowly does not hold up the comparison. What waits to be
/// written is of the tables' size, not of the findings'. Where the report cannot be written any more, the run goes on
/// if it is kept or recorded, and is ended else: nobody would hear of it.
class LiveReport : public Observer {
  public:
    /// Requires: everything outlives it.
    LiveReport(const Options& options, Output& output, Terminal& terminal, FindingStore& findings);
    /// Writes what is finished, unless nobody takes it.
    ~LiveReport() override;
    LiveReport(const LiveReport&) = delete;
    LiveReport& operator=(const LiveReport&) = delete;

    /// The run begins.
    void begin(const RunReport& report);

    void reopen_table(std::size_t table_no, const TableResult& before) override;
    void finish_table(std::size_t table_no, const TableResult& result) override;

    /// Writes the rest, or the whole where nothing is written yet.
    /// Throws: Error{kOutput}.
    void end(const RunDocument& document);

  private:
    void write_finished_tables() noexcept;
    void write_table(std::size_t table_no, const TableResult& result);
    void write_aside(const std::function<void()>& write);
    void stop_thread(Output::Waits waits) noexcept;
    WrittenParts written(const RunDocument& document) const;

    const Options& options_;
    Output& output_;
    Terminal& terminal_;
    FindingStore& findings_;
    const ReportChoices choices_;
    const std::unique_ptr<ReportParts> parts_;  ///< none: the report is written at the end
    bool begun_ = false;
    std::size_t differences_written_ = 0;
    std::set<std::size_t> tables_written_;
    std::exception_ptr failure_;
    std::mutex mutex_;  ///< guards what follows
    std::condition_variable changed_;
    std::deque<std::pair<std::size_t, TableResult>> finished_;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace parity::driver
