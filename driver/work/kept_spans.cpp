#include "driver/work/kept_spans.h"

#include <algorithm>
#include <map>
#include <utility>

#include "driver/compare/spans.h"
#include "driver/compare/table.h"
#include "driver/model/error.h"
#include "driver/state/run_codec.h"

namespace parity::driver {

namespace {

/// Spans that were halved later have numbers behind those of others. Where spans do not follow one another, they stay
/// as they are.
void order_by_keys(std::vector<UnitRow>& spans) {
    std::map<std::string, std::size_t> by_lower;
    for (std::size_t i = 0; i < spans.size(); ++i) by_lower.emplace(spans[i].span.lower, i);
    std::vector<UnitRow> ordered;
    std::string lower;
    for (auto next = by_lower.find(lower); next != by_lower.end(); next = by_lower.find(lower)) {
        ordered.push_back(spans[next->second]);
        by_lower.erase(next);
        lower = ordered.back().span.upper;
    }
    if (ordered.size() == spans.size()) spans = std::move(ordered);
}

}  // namespace

std::vector<KeptTable> read_kept_tables(RunStore& store) {
    std::vector<KeptTable> tables;
    store.for_each_unit([&](const UnitRow& unit) {
        if (unit.unit == 0)
            tables.push_back({unit, {}});
        else if (!tables.empty() && tables.back().unit.job == unit.job)
            tables.back().spans.push_back(unit);
    });
    for (KeptTable& table : tables) order_by_keys(table.spans);
    return tables;
}

std::vector<SpanUnit> spans_of(const KeptTable& kept, const TablePlan& table) {
    std::vector<SpanUnit> units;
    std::vector<Span> spans;
    for (const UnitRow& row : kept.spans) {
        SpanUnit& unit = units.emplace_back();
        unit.span = row.span;
        unit.number = static_cast<std::size_t>(row.unit - 1);
        spans.push_back(row.span);
        if (row.state == UnitState::kPending) continue;
        unit.result = decode_result(row.result, table);
        if (row.state != UnitState::kDone) continue;
        unit.done = true;
        unit.result->position = decode_position(row.position);
        unit.blocks_read = decode_blocks_read(row.position);
        // A pause may be long: a stream counts anew what the index has.
        for (Side side : kSides)
            if (unit.result->path[side] == "stream") unit.blocks_read[side].clear();
    }
    if (!cover_all_keys(spans))
        throw Error(ErrorKind::kUsage, "the state of the run is damaged: spans of a table do not follow one another",
                    "begin the run anew with another state");
    return units;
}

TableResult evidence_of(const KeptTable& kept, const TablePlan& compared, std::int64_t max_divergences) {
    if (kept.unit.state == UnitState::kFailed) {
        TableResult result = decode_result(kept.unit.result, decode_plan(kept.unit.plan));
        if (result.spans_planned == 0 && has_evidence(result)) return result;
    }
    TableResult joined = join_spans(compared, spans_of(kept, compared), max_divergences);
    if (joined.error.empty()) {
        joined.error = "the rest of the table was not held against its index yet";
        set_verdict(joined);
    }
    return joined;
}

bool all_done(const std::vector<SpanUnit>& spans) {
    return std::all_of(spans.begin(), spans.end(), [](const SpanUnit& span) { return span.done; });
}

/// Those of a table in spans are the spans', as long as there are any.
void load_listed_findings(RunStore& store, const KeptTable& kept, const TableResult& result, FindingStore& findings,
                          int number) {
    if (result.spans_planned == 0 || kept.spans.empty()) {
        store.for_each_finding(kept.unit.job, 0, [&](const StoredFinding& stored) { findings.add(number, stored); });
    } else {
        std::uint64_t left = result.listed;
        for (const UnitRow& span : kept.spans)
            store.for_each_finding(span.job, span.unit, [&](const StoredFinding& stored) {
                if (left > 0) findings.add(number, stored);
                left -= std::min(left, stored.finding.occurrences);
            });
    }
    findings.commit(number);
}

}  // namespace parity::driver
