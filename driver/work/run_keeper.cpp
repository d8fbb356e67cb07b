#include "driver/work/run_keeper.h"

#include <utility>

#include <fmt/format.h>

#include "driver/compare/spans.h"
#include "driver/compare/table.h"
#include "driver/model/error.h"
#include "driver/model/version.h"
#include "driver/policy/disclosure.h"
#include "driver/waiting/wall_clock.h"

namespace parity::driver {

RunKeeper::RunKeeper(RunStore& store, const Resumption& resumed, FindingStore& findings, bool keep_values,
                     std::shared_ptr<spdlog::logger> log)
    : store_(store), resumed_(resumed), findings_(findings), keep_values_(keep_values), log_(std::move(log)) {
    for (const std::optional<KnownTable>& known : resumed.known) {
        is_kept_.push_back(known && known->done);
        in_spans_.push_back(known && !known->spans.empty());
    }
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
        const UnitRow row = row_of(table_no, result);
        const bool of_spans = in_spans_[table_no] && result.spans_planned > 0;
        const GiveFindings findings =
            findings_of(result.plan, static_cast<int>(table_no), !of_spans && result.listed > 0);
        if (in_spans_[table_no])
            store_.save_unit(row, findings, std::nullopt);
        else
            store_.save_unit(row, findings, std::vector<UnitRow>{});
    });
}

/// It may be lost with what a server has lost, and a later part of the run need not see that.
void RunKeeper::reopen_table(std::size_t table_no, const TableResult& before) { finish_table(table_no, before); }

GiveFindings RunKeeper::findings_of(const TablePlan& plan, int number, bool any) const {
    return [this, &plan, number, any](const std::function<void(const StoredFinding&)>& take) {
        if (!any) return;
        findings_.for_each_stored(number, [&](const StoredFinding& finding) {
            take(keep_values_ ? finding : without_values(plan, finding));
        });
    };
}

// ---- spans ---------------------------------------------------------------------------------------------------

/// Of a table in spans, these are units of their own; what was seen of it before, however it was read, is the table's.
void RunKeeper::keep_evidence(std::size_t table_no, const TableResult* before, const std::vector<UnitRow>& spans) {
    UnitRow row;
    row.job = resumed_.jobs[table_no];
    row.plan = encode_plan(plan_->tables[table_no]);
    if (!before || !has_evidence(*before))
        return store_.save_unit(
            row, [](const auto&) {}, spans);
    TableResult kept = *before;
    kept.spans.clear();
    kept.spans_planned = 0;
    if (kept.error.empty()) kept.error = "it is compared again";
    store_.save_unit(row_of(table_no, kept), findings_of(kept.plan, static_cast<int>(table_no), kept.listed > 0),
                     spans);
}

/// Spans of an earlier part of the run are kept already.
void RunKeeper::begin_spans(std::size_t table_no, const std::vector<SpanUnit>& spans, const TableResult* before) {
    if (std::exchange(in_spans_[table_no], true)) return;
    guarded([&] {
        std::vector<UnitRow> rows;
        for (const SpanUnit& unit : spans) rows.push_back(row_of_span(table_no, unit));
        keep_evidence(table_no, before, rows);
    });
}

UnitRow RunKeeper::row_of_span(std::size_t table_no, const SpanUnit& unit) const {
    UnitRow row;
    row.job = resumed_.jobs[table_no];
    row.unit = static_cast<std::int64_t>(unit.number) + 1;
    row.span = unit.span;
    row.plan = encode_plan(plan_->tables[table_no]);
    return row;
}

/// All at once: in a state, spans follow one another without a hole.
void RunKeeper::halve_spans(std::size_t table_no, const std::vector<SpanUnit>& halves, std::size_t /*added*/) {
    guarded([&] {
        std::vector<UnitRow> rows;
        for (const SpanUnit& unit : halves) rows.push_back(row_of_span(table_no, unit));
        store_.save_units(rows);
    });
}

void RunKeeper::finish_span(std::size_t table_no, std::size_t /*span*/, const SpanUnit& unit) {
    guarded([&] {
        UnitRow row = row_of(table_no, *unit.result);
        row.unit = static_cast<std::int64_t>(unit.number) + 1;
        row.span = unit.span;
        row.plan = encode_plan(plan_->tables[table_no]);
        row.position = encode_span_position(unit.result->position, unit.blocks_read);
        store_.save_unit(
            row, findings_of(unit.result->plan, span_findings_no(table_no, unit.number), unit.result->listed > 0),
            std::nullopt);
    });
}

void RunKeeper::leave_spans(std::size_t table_no, const std::vector<SpanUnit>&, const TableResult& before) {
    in_spans_[table_no] = false;
    guarded([&] { keep_evidence(table_no, &before, {}); });
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
