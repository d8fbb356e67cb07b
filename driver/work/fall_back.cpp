#include "driver/work/fall_back.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace parity::driver {
namespace {

/// Half as many as the server or the stream would most often choose by itself.
constexpr int kFewerWorkers = 1, kFewerConnections = 2;

/// One of so many ranges stays.
constexpr int kRangesTogether = 8;

/// What plans queries with the role's rights must not run what others wrote.
void read_as_caller(TablePlan& plan, const Both<ReadingManner>& manner, bool run_owners_code) {
    for (Side side : kSides)
        if ((manner[side].by_aggregate || manner[side].by_stream) && !run_owners_code)
            plan.must_run_no_code[side] = true;
}

bool streams(const TablePlan& table, const ReadingManner& manner, Side side) {
    return manner.by_stream || table.path[side] == "stream";
}

std::string path_of(const TablePlan& adapted, Side side) {
    if (adapted.manner[side].by_stream) return "stream";
    return adapted.manner[side].by_aggregate ? "aggregate" : adapted.path[side];
}

std::string workers_words(bool streamed, int number) {
    if (streamed) return number == 1 ? "one connection reads" : fmt::format("at most {} connections read", number);
    if (number == 0) return "no parallel workers";
    return fmt::format("at most {} parallel {}", number, number == 1 ? "worker" : "workers");
}

}  // namespace

std::optional<std::string> FallBack::take_step(const Options& options, const TablePlan& table, const Error& failure,
                                               const HalveSpans& halve) {
    const FailureRule* rule = rule_for(failure);
    if (!rule || rule->remedy != Remedy::kFallBack) return std::nullopt;
    for (Side side : kSides) {
        if (failure.server() != side_name(side)) continue;
        for (FallBackStep step : kFallBackSteps) {
            if (!rule->steps.contains(step) || sides_[side].taken.contains(step)) continue;
            sides_[side].taken.add(step);
            const std::optional<std::string> difference = apply(step, options, table, side, halve);
            if (!difference) continue;
            std::string words = fmt::format("falls back on the {}: {}", side_name(side), *difference);
            notes_.push_back(
                fmt::format("fell back on the {}: {}; before that: {}", side_name(side), *difference, failure.what()));
            return words;
        }
    }
    return std::nullopt;
}

/// Returns: nothing where that is how the table is read already, or must not be read.
std::optional<std::string> FallBack::apply(FallBackStep step, const Options& options, const TablePlan& table, Side side,
                                           const HalveSpans& halve) {
    ReadingManner& manner = sides_[side].manner;
    switch (step) {
        case FallBackStep::kFewerWorkers:
            return take_workers(false, options, table, side);
        case FallBackStep::kSpans:
            return halve ? halve() : std::nullopt;
        case FallBackStep::kFewerRanges:
            return take_fewer_ranges(table);
        case FallBackStep::kOneConnection:
            return take_workers(true, options, table, side);
        case FallBackStep::kAggregate:
            if (manner.by_stream || table.path[side] != "scan") return std::nullopt;
            manner.by_aggregate = true;
            return "the server's executor reads, without the extension's scan (aggregate)";
        case FallBackStep::kStream:
            break;
    }
    if (!options.fall_back_to_stream || streams(table, manner, side)) return std::nullopt;
    const bool alone = sides_[side].taken.contains(FallBackStep::kOneConnection);
    manner = {.workers = alone ? std::optional(1) : std::nullopt, .by_stream = true};
    return "rows are streamed (--fall-back-to-stream)";
}

std::optional<std::string> FallBack::take_workers(bool none, const Options& options, const TablePlan& table,
                                                  Side side) {
    ReadingManner& manner = sides_[side].manner;
    const bool streamed = streams(table, manner, side);
    const int least = streamed ? 1 : 0;
    const std::optional<int> now = manner.workers ? manner.workers : options.workers;
    int wanted = least;
    if (!none) wanted = now ? std::max(*now / 2, least) : streamed ? kFewerConnections : kFewerWorkers;
    if (now && *now <= wanted) return std::nullopt;
    manner.workers = wanted;
    return workers_words(streamed, wanted);
}

/// Where a table or its spans cannot be divided further, or that did not help: the sums of ranges are what takes
/// memory.
std::optional<std::string> FallBack::take_fewer_ranges(const TablePlan& table) {
    if (ranges_ || table.ranges < 2 || table.large_objects) return std::nullopt;
    ranges_ = std::max(1, table.ranges / kRangesTogether);
    return fmt::format("{} instead of {} ranges on both sides", *ranges_, table.ranges);
}

TablePlan FallBack::adapted(const TablePlan& table, bool run_owners_code) const {
    TablePlan plan = table;
    const Both<ReadingManner> manner{sides_.source.manner, sides_.target.manner};
    plan.manner = manner;
    if (ranges_) plan.ranges = *ranges_;
    read_as_caller(plan, manner, run_owners_code);
    if (manner.source.by_stream || manner.target.by_stream)
        for (ColumnPlan& column : plan.columns) column.prefilter.clear();
    if (plan.large_objects && plan.large_objects->pages) {
        TablePlan pages = *plan.large_objects->pages;
        pages.manner = manner;
        read_as_caller(pages, manner, run_owners_code);
        plan.large_objects->pages = std::make_shared<const TablePlan>(std::move(pages));
    }
    return plan;
}

void FallBack::add_paths(const TablePlan& adapted, const Both<std::string>& taken) {
    for (Side side : kSides) {
        std::vector<std::string>& paths = sides_[side].paths;
        std::string path = taken[side].empty() ? path_of(adapted, side) : taken[side];
        if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(std::move(path));
    }
}

void FallBack::tell(TableResult& result) const {
    if (notes_.empty()) return;
    result.notes.insert(result.notes.end(), notes_.begin(), notes_.end());
    for (Side side : kSides)
        if (!result.path[side].empty()) result.path[side] = fmt::format("{}", fmt::join(sides_[side].paths, ", "));
}

}  // namespace parity::driver
