#include "driver/monitor/run_meter.h"

#include <algorithm>

#include "driver/text/lsn.h"
#include "driver/waiting/wall_clock.h"

namespace parity::driver {
namespace {

double seconds_of(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

RunMeter::RunMeter(std::function<Time()> now) : now_(std::move(now)) { hear(); }

RunFigures RunMeter::figures() const {
    const std::lock_guard lock(mutex_);
    RunFigures now = figures_;
    for (Side side : kSides) {
        RunFigures::OfSide& of_side = now.side[side];
        of_side.seconds = state_[side].busy.seconds();
        if (const std::optional<Time> taken = oldest_snapshot(side)) of_side.snapshot_age = seconds_of(now_() - *taken);
        of_side.longest_snapshot = std::max(of_side.longest_snapshot, of_side.snapshot_age);
    }
    return now;
}

void RunMeter::hear() { figures_.heard_us = wall_clock_us(); }

void RunMeter::begin_run(const Plan& plan) {
    const std::lock_guard lock(mutex_);
    figures_.units = plan.tables.size();
    hear();
}

void RunMeter::begin_table(std::size_t /*table*/) {
    const std::lock_guard lock(mutex_);
    hear();
}

// ---- snapshots -----------------------------------------------------------------------------------------------

std::optional<RunMeter::Time> RunMeter::oldest_snapshot(Side side) const {
    std::optional<Time> oldest;
    for (const auto& [table, taken] : state_[side].snapshots) oldest = std::min(oldest.value_or(taken), taken);
    return oldest;
}

void RunMeter::take_snapshot(std::size_t table, Side side) {
    const std::lock_guard lock(mutex_);
    state_[side].snapshots[table] = now_();
    hear();
}

/// No reading begins before the snapshot that it reads under.
void RunMeter::drop_snapshots(std::size_t table) {
    const std::lock_guard lock(mutex_);
    for (Side side : kSides) {
        const auto held = state_[side].snapshots.find(table);
        if (held == state_[side].snapshots.end()) continue;
        double& longest = figures_.side[side].longest_snapshot;
        longest = std::max(longest, seconds_of(now_() - held->second));
        state_[side].snapshots.erase(held);
        state_[side].busy.settle(oldest_snapshot(side).value_or(Time::max()));
    }
    hear();
}

// ---- reading -------------------------------------------------------------------------------------------------

void RunMeter::begin_phase(std::size_t /*table*/, Phase /*phase*/) {
    const std::lock_guard lock(mutex_);
    hear();
}

void RunMeter::progress(std::size_t /*table*/, Side /*side*/, std::uint64_t /*done*/, std::uint64_t /*total*/) {
    const std::lock_guard lock(mutex_);
    hear();
}

void RunMeter::read(std::size_t /*table*/, Side side, const Reading& reading) {
    const std::lock_guard lock(mutex_);
    RunFigures::OfSide& of_side = figures_.side[side];
    of_side.rows += reading.rows;
    if (reading.bytes) of_side.bytes = of_side.bytes.value_or(0) + *reading.bytes;
    state_[side].busy.add(reading.began, reading.ended);
    hear();
}

void RunMeter::found(std::size_t /*table*/, std::uint64_t /*differing*/) {
    const std::lock_guard lock(mutex_);
    hear();
}

void RunMeter::fetched(std::size_t /*table*/, std::uint64_t /*fetched*/, std::uint64_t /*wanted*/) {
    const std::lock_guard lock(mutex_);
    hear();
}

// ---- units ---------------------------------------------------------------------------------------------------

void RunMeter::postpone_table(std::size_t /*table*/, const Error& /*why*/, std::chrono::milliseconds /*pause*/) {
    const std::lock_guard lock(mutex_);
    ++figures_.retries;
    hear();
}

namespace {

std::size_t count_done(const std::vector<SpanUnit>& spans) {
    return static_cast<std::size_t>(
        std::count_if(spans.begin(), spans.end(), [](const SpanUnit& span) { return span.done; }));
}

}  // namespace

void RunMeter::begin_spans(std::size_t /*table*/, const std::vector<SpanUnit>& spans, const TableResult* /*before*/) {
    const std::lock_guard lock(mutex_);
    figures_.units += spans.size() - 1;
    figures_.in_spans = true;
    for (const SpanUnit& span : spans)
        if (span.done) count_done_unit(span.result->lsn);
    hear();
}

void RunMeter::finish_span(std::size_t /*table*/, std::size_t /*span*/, const SpanUnit& unit) {
    const std::lock_guard lock(mutex_);
    if (unit.done) count_done_unit(unit.result->lsn);
    hear();
}

void RunMeter::halve_spans(std::size_t /*table*/, const std::vector<SpanUnit>& /*halves*/, std::size_t added) {
    const std::lock_guard lock(mutex_);
    figures_.units += added;
    hear();
}

void RunMeter::leave_spans(std::size_t /*table*/, const std::vector<SpanUnit>& spans, const TableResult& /*before*/) {
    const std::lock_guard lock(mutex_);
    figures_.units -= spans.size() - 1;
    figures_.done -= count_done(spans);
    hear();
}

/// The lowest position stays: it is lower than it need be, and not higher.
void RunMeter::reopen_table(std::size_t /*table*/, const TableResult& before) {
    const std::lock_guard lock(mutex_);
    ++figures_.retries;
    figures_.done -= before.spans_planned > 0 ? before.spans_planned - before.spans.size() : 1;
    figures_.dead -= !before.dead_letters.empty();
    figures_.findings.mismatch -= before.counts.mismatch;
    figures_.findings.missing_on_source -= before.counts.missing_on_source;
    figures_.findings.missing_on_target -= before.counts.missing_on_target;
    hear();
}

void RunMeter::finish_table(std::size_t /*table*/, const TableResult& result) {
    const std::lock_guard lock(mutex_);
    hear();
    figures_.findings.mismatch += result.counts.mismatch;
    figures_.findings.missing_on_source += result.counts.missing_on_source;
    figures_.findings.missing_on_target += result.counts.missing_on_target;
    if (!result.error.empty()) {
        figures_.failed += result.spans_planned > 0 ? result.spans_planned - result.spans.size() : 1;
        return;
    }
    figures_.dead += !result.dead_letters.empty();
    if (result.spans_planned == 0) count_done_unit(result.lsn);
}

void RunMeter::count_done_unit(const Both<std::string>& lsns) {
    ++figures_.done;
    for (Side side : kSides) {
        std::optional<std::uint64_t>& lowest = figures_.side[side].verified_lsn;
        if (const std::optional<std::uint64_t> lsn = parse_lsn(lsns[side]))
            lowest = std::min(lowest.value_or(*lsn), *lsn);
    }
}

}  // namespace parity::driver
