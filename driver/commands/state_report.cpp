#include "driver/commands/state_report.h"

#include <utility>

#include <fmt/format.h>

#include "driver/commands/run_head.h"
#include "driver/compare/table.h"
#include "driver/model/error.h"
#include "driver/options/option_table.h"
#include "driver/report/outcome.h"
#include "driver/report/report.h"
#include "driver/state/run_codec.h"
#include "driver/text/utc.h"
#include "driver/work/kept_spans.h"

namespace parity::driver {
namespace {

class StateDocument : public ReportDocument {
  public:
    explicit StateDocument(RunStore& store) {
        const std::optional<RunRow> run = store.read_run();
        if (!run) throw Error(ErrorKind::kUsage, "the state holds no run");
        const RunHead head = decode_head(run->head);
        set_options(decode_request(run->request));
        report_.started_at = show_utc(run->began_us);
        set_run_head(report_, head);
        read_tables(store);
        report_.outcome = run_outcome(options_, report_.plan, report_.tables, report_.sequences);
        if (!head.finished)
            report_.errors.push_back(
                {{},
                 fmt::format("the run has not ended, and was kept last at {}: not all of it is here",
                             show_utc(run->saved_us))});
        if (head.interrupted) report_.errors.push_back({{}, std::string(run_end_words(report_.ended_by))});
        if (report_.ended_by == RunEnd::kFailures)
            report_.outcome = failed_outcome(report_.outcome);
        else if (!head.finished || head.interrupted)
            report_.outcome = interrupted_outcome(report_.outcome);
        document_.emplace(report_, findings_);
    }

    const Json& head() const override { return document_->head(); }
    void for_each_divergence(std::optional<std::size_t> table,
                             const std::function<void(const Json&)>& take) const override {
        document_->for_each_divergence(table, take);
    }

  private:
    void set_options(const RunRequest& request) {
        for (const OptionSpec& spec : compare_options()) {
            const auto given = request.given.find(spec.name);
            if (given == request.given.end()) continue;
            spec.apply(options_, given->second);
            options_.given.insert(*given);
        }
        options_.state = "kept";
        report_.options = &options_;
        report_.seed = request.seed;
    }

    void read_tables(RunStore& store) {
        for (const KeptTable& kept : read_kept_tables(store)) {
            const int number = static_cast<int>(report_.tables.size());
            report_.tables.push_back(result_of(kept));
            report_.plan.tables.push_back(report_.tables.back().plan);
            const TableResult& result = report_.tables.back();
            if (!result.error.empty() && result.begun)
                report_.errors.push_back({exact_name(result.plan), result.error, result.sqlstate});
            load_listed_findings(store, kept, result, findings_, number);
        }
    }

    TableResult result_of(const KeptTable& kept) const {
        TablePlan plan = decode_plan(kept.unit.plan);
        if (!kept.spans.empty() && kept.unit.state != UnitState::kDone)
            return evidence_of(kept, decode_plan(kept.spans.front().plan), options_.max_divergences);
        if (!kept.spans.empty() && !all_done(spans_of(kept, plan)))
            return evidence_of(kept, decode_plan(kept.spans.front().plan), options_.max_divergences);
        if (kept.unit.state != UnitState::kPending) return decode_result(kept.unit.result, std::move(plan));
        TableResult result = failed_table(plan, "not compared yet");
        result.begun = false;
        return result;
    }

    Options options_;
    RunReport report_;
    mutable FindingStore findings_;
    std::optional<RunDocument> document_;
};

}  // namespace

std::unique_ptr<ReportDocument> read_state_report(RunStore& store) { return std::make_unique<StateDocument>(store); }

}  // namespace parity::driver
