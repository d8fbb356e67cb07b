#include "driver/commands/state_report.h"

#include <utility>

#include "driver/commands/run_head.h"
#include "driver/compare/table.h"
#include "driver/model/error.h"
#include "driver/options/option_table.h"
#include "driver/report/outcome.h"
#include "driver/report/report.h"
#include "driver/state/run_codec.h"
#include "driver/text/utc.h"

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
        if (!head.finished) report_.errors.push_back({{}, "the run has not ended: not all of it is here"});
        if (!head.finished || head.interrupted) report_.outcome = interrupted_outcome(report_.outcome);
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
        std::vector<UnitRow> units;
        store.for_each_unit([&](const UnitRow& unit) { units.push_back(unit); });
        for (const UnitRow& unit : units) {
            const int number = static_cast<int>(report_.tables.size());
            report_.tables.push_back(result_of(unit));
            report_.plan.tables.push_back(report_.tables.back().plan);
            const TableResult& result = report_.tables.back();
            if (!result.error.empty() && result.begun)
                report_.errors.push_back({exact_name(result.plan), result.error, result.sqlstate});
            store.for_each_finding(unit.job, unit.unit,
                                   [&](const StoredFinding& finding) { findings_.add(number, finding); });
            findings_.commit(number);
        }
    }

    static TableResult result_of(const UnitRow& unit) {
        TablePlan plan = decode_plan(unit.plan);
        if (unit.state != UnitState::kPending) return decode_result(unit.result, std::move(plan));
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
