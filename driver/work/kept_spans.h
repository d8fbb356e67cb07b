#pragma once

#include <cstdint>
#include <vector>

#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/state/findings.h"
#include "driver/state/run_store.h"

/// What a state has of tables that are compared in spans.
namespace parity::driver {

/// What is kept of a table: its own unit, and its spans, if it is compared in them.
struct KeptTable {
    UnitRow unit;
    std::vector<UnitRow> spans;  ///< in the order of keys
};

/// What is kept of all tables, in their order.
std::vector<KeptTable> read_kept_tables(RunStore& store);

/// The spans of a table as they were kept.
/// Throws: Error{kUsage} where they are not all keys from the first to the last, each once.
std::vector<SpanUnit> spans_of(const KeptTable& kept, const TablePlan& table);

/// Whether none of them is to be compared (again).
bool all_done(const std::vector<SpanUnit>& spans);

/// What an unfinished table in spans has shown to differ: before it was divided, or since.
TableResult evidence_of(const KeptTable& kept, const TablePlan& compared, std::int64_t max_divergences);

/// Reads the findings that a table's result lists into `findings`, as those of the table with that number there.
void load_listed_findings(RunStore& store, const KeptTable& kept, const TableResult& result, FindingStore& findings,
                          int number);

}  // namespace parity::driver
