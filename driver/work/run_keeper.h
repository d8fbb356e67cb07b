#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/monitor/observer.h"
#include "driver/state/findings.h"
#include "driver/state/run_codec.h"
#include "driver/state/run_store.h"
#include "driver/work/resumption.h"

namespace parity::driver {

/// Keeps what is known of each unit of a run as soon as it is known (--state), so that the run can be continued however
/// it ends. A unit is kept with its findings, at once or not at all.
///
/// Keeping takes nothing from the comparison. What cannot be kept is logged once, and the unit counts as not compared
/// when the run is continued; the units after it are kept if they can. Thread-safe.
class RunKeeper : public Observer {
  public:
    /// Requires: everything outlives it. `resumed` says which units need not be kept again.
    RunKeeper(RunStore& store, const Resumption& resumed, FindingStore& findings, bool keep_values,
              std::shared_ptr<spdlog::logger> log);

    void begin_run(const Plan& plan) override { plan_ = &plan; }
    void begin_spans(std::size_t table_no, const std::vector<SpanUnit>& spans, const TableResult* before) override;
    void finish_span(std::size_t table_no, std::size_t span, const SpanUnit& unit) override;
    void halve_spans(std::size_t table_no, const std::vector<SpanUnit>& halves, std::size_t added) override;
    void leave_spans(std::size_t table_no, const std::vector<SpanUnit>& spans, const TableResult& before) override;
    void reopen_table(std::size_t table_no, const TableResult& before) override;
    void finish_table(std::size_t table_no, const TableResult& result) override;

    /// Keeps what the report says of the run as a whole.
    void save_head(const RunHead& head);

    /// Why something is not kept; empty: everything is.
    std::string failure() const;

  private:
    template <typename Work>
    void guarded(Work work);
    UnitRow row_of(std::size_t table_no, const TableResult& result) const;
    GiveFindings findings_of(const TablePlan& plan, int number, bool any) const;
    UnitRow row_of_span(std::size_t table_no, const SpanUnit& unit) const;
    void keep_evidence(std::size_t table_no, const TableResult* before, const std::vector<UnitRow>& spans);

    RunStore& store_;
    const Resumption& resumed_;
    FindingStore& findings_;
    const bool keep_values_;
    const Plan* plan_ = nullptr;
    const std::shared_ptr<spdlog::logger> log_;
    std::vector<char> is_kept_;   ///< parallel to the plan's tables: the state has it already
    std::vector<char> in_spans_;  ///< parallel to them: the state has spans of it
    mutable std::mutex mutex_;
    std::string failure_;
};

/// The units of a run that begins.
/// Throws: Error{kOutput} where they cannot be kept.
void keep_beginning(RunStore& store, const Plan& plan, const RunRequest& request, const RunHead& head);

/// What is known of a run that is continued, before anything is compared: units that count no more, and why.
/// Throws: Error{kOutput} where it cannot be kept.
void keep_continuation(RunStore& store, const Resumption& resumed, const RunHead& head);

}  // namespace parity::driver
