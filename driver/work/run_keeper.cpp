#include "driver/work/run_keeper.h"

#include <utility>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/model/version.h"
#include "driver/policy/disclosure.h"
#include "driver/waiting/wall_clock.h"

namespace parity::driver {

RunKeeper::RunKeeper(RunStore& store, const Resumption& resumed, FindingStore& findings, bool keep_values,
                     std::shared_ptr<spdlog::logger> log)
    : store_(store), resumed_(resumed), findings_(findings), keep_values_(keep_values), log_(std::move(log)) {
    for (const std::optional<KnownTable>& known : resumed.known) is_kept_.push_back(known && known->done);
}

template <typename Work>
void RunKeeper::guarded(Work work) {
    try {
        work();
    } catch (const std::exception& thrown) {
        const Error error = as_error(thrown);
        const std::lock_guard lock(mutex_);
        if (!failure_.empty()) return;
        failure_ = fmt::format("not all of the run is kept: {}", error.what());
        if (!error.hint().empty()) failure_ += fmt::format("; hint: {}", error.hint());
        log_->error("{}", failure_);
    }
}

void RunKeeper::finish_table(std::size_t table_no, const TableResult& result) {
    if (is_kept_[table_no]) {
        is_kept_[table_no] = false;  // the next time that it is finished, it has been compared again
        return;
    }
    guarded([&] {
        store_.save_unit(row_of(table_no, result), [&](const std::function<void(const StoredFinding&)>& take) {
            if (result.listed == 0) return;
            findings_.for_each_stored(static_cast<int>(table_no), [&](const StoredFinding& finding) {
                take(keep_values_ ? finding : without_values(result.plan, finding));
            });
        });
    });
}

UnitRow RunKeeper::row_of(std::size_t table_no, const TableResult& result) const {
    UnitRow row;
    row.job = resumed_.jobs[table_no];
    row.attempt = result.attempts;
    row.state = result.error.empty() ? UnitState::kDone : UnitState::kFailed;
    row.plan = encode_plan(result.plan);
    row.position = encode_position(result.position);
    row.result = encode_result(result);
    row.lsn = result.lsn;
    return row;
}

void RunKeeper::save_head(const RunHead& head) {
    guarded([&] { store_.save_head(encode_head(head)); });
}

std::string RunKeeper::failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
}

void keep_beginning(RunStore& store, const Plan& plan, const RunRequest& request, const RunHead& head) {
    RunRow run;
    run.program = kVersion;
    run.began_us = run.saved_us = wall_clock_us();
    run.request = encode_request(request);
    run.head = encode_head(head);
    std::size_t next = 0;
    store.begin_run(run, [&](UnitRow& unit) {
        if (next == plan.tables.size()) return false;
        unit = {};
        unit.job = static_cast<std::int64_t>(next);
        unit.plan = encode_plan(plan.tables[next++]);
        return true;
    });
}

void keep_continuation(RunStore& store, const Resumption& resumed, const RunHead& head) {
    store.continue_run(encode_head(head), resumed.changed, resumed.gone_jobs);
}

}  // namespace parity::driver
