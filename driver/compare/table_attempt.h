#pragma once

#include "driver/compare/context.h"
#include "driver/compare/finding_sink.h"
#include "driver/digests/concentration.h"
#include "driver/digests/division.h"
#include "driver/engine/server.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/model/span.h"
#include "driver/salvage/salvage.h"

namespace parity::driver {

/// A part of a table that is compared under snapshots of its own.
struct SpanPart {
    Span span;
    std::size_t number = 0;                ///< among the table's spans, from 0
    std::size_t spans = 1;                 ///< how many the table has
    KeyDivision ranges;                    ///< of this part alone
    int findings_no = 0;                   ///< under which its findings are stored
    Both<std::string> blocks_read_before;  ///< of the table's other parts that are done
};

/// Compares a table under both sides' snapshots: digests, narrows divergent ranges down, merges their rows into `sink`.
/// Fills `result`.
/// Requires: the snapshots are open, and `result` is fresh.
/// Throws: Error.
void compare_rows(const RunContext& context, const TablePlan& table, std::size_t table_no,
                  const Both<ServerSession*>& sessions, FindingSink& sink, TableResult& result);

/// The same, with findings in the store, as many as --max-divergences, and the values of the mismatches among them.
/// A side with a `salvage` is read around what cannot be read of it.
/// Returns: the keys to ask a side's partitions for; none where that would tell nothing.
DifferingKeys compare_rows_and_values(const RunContext& context, const TablePlan& table, std::size_t table_no,
                                      const Both<ServerSession*>& sessions, TableResult& result,
                                      const Both<Salvage*>& salvage = {nullptr, nullptr});

/// The same of a part.
/// Requires: the key is proven.
/// Returns: the blocks that were read for it.
Both<std::string> compare_part(const RunContext& context, const TablePlan& table, std::size_t table_no,
                               const SpanPart& part, const Both<ServerSession*>& sessions, TableResult& result);

}  // namespace parity::driver
