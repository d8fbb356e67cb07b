#include "driver/commands/run_head.h"

#include <utility>

namespace parity::driver {

RunHead run_head(const RunReport& report, bool finished) {
    RunHead head;
    head.server = report.server;
    head.differences = report.plan.differences;
    head.not_compared = report.plan.not_compared;
    head.hints = report.plan.hints;
    head.skipped_tables = report.plan.skipped_tables;
    head.sequences = report.sequences;
    head.elapsed_seconds = report.elapsed_seconds;
    head.finished = finished;
    head.interrupted = report.interrupted;
    head.ended_by = run_end_name(report.ended_by);
    head.failovers = report.failovers;
    head.compared_twice = report.compared_again;
    head.continued = report.continued ? report.continued->times : 0;
    if (report.continued) {
        head.tables_kept = report.continued->kept;
        head.compared_again = report.continued->voided;
    }
    return head;
}

void set_run_head(RunReport& report, RunHead head) {
    report.server = std::move(head.server);
    report.plan.differences = std::move(head.differences);
    report.plan.not_compared = std::move(head.not_compared);
    report.plan.hints = std::move(head.hints);
    report.plan.skipped_tables = std::move(head.skipped_tables);
    report.sequences = std::move(head.sequences);
    report.elapsed_seconds = head.elapsed_seconds;
    report.interrupted = head.interrupted;
    report.ended_by = run_end_named(head.ended_by);
    report.failovers = std::move(head.failovers);
    report.compared_again = std::move(head.compared_twice);
    if (head.continued > 0)
        report.continued = ContinuedRun{head.continued, head.tables_kept, std::move(head.compared_again)};
}

}  // namespace parity::driver
