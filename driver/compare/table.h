#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <spdlog/logger.h>

#include "driver/compare/context.h"
#include "driver/compare/table_attempt.h"
#include "driver/engine/server.h"
#include "driver/model/error.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// What came of one attempt to compare a table.
struct TableAttemptResult {
    TableResult result;
    std::optional<Error> failure;     ///< why the attempt failed, which `result.error` tells people
    Both<ServerIdentity> seen{};      ///< the servers when both were read, if the attempt came so far
    Both<std::string> blocks_read{};  ///< of a span, if it did not fail
};

/// Makes one attempt to compare a table, or a span of it: takes both sides' snapshots, digests, descends, merges rows,
/// and leaves the findings in the store under `table_no`, the table's position in the plan. Sessions' connections may
/// be broken afterwards.
/// Requires: each session is used by the calling thread alone.
/// Returns: the result. A failure after divergent ranges were seen leaves the verdict at "divergent", with what was
/// found until then where that is complete in itself.
/// Throws: Error{kOtherServer} alone, with which the run ends.
TableAttemptResult compare_table(const RunContext& context, const TablePlan& table, std::size_t table_no,
                                 const Both<ServerSession*>& sessions, const SpanPart* part = nullptr);

/// A result that shows nothing yet.
TableResult fresh_result(const TablePlan& table);

/// The result's verdict, and whether it is complete, by what it has.
void set_verdict(TableResult& result);

/// Puts why a table failed into its result.
void set_error(TableResult& result, const Error& error);

/// Whether it was seen that something differs.
bool has_evidence(const TableResult& result);

/// Whether a failed attempt showed less of what differs than an earlier one that failed, too. What was seen to differ
/// stays seen until an attempt that does not fail shows otherwise.
bool is_milder(const TableResult& attempt, const TableResult& earlier);

/// Whether an attempt that did not fail shows nothing of what an earlier one has seen to differ, but did not look at
/// everything: it left out what `left_out` names (empty: nothing), or could not read something.
bool was_not_cleared(const TableResult& earlier, const TableResult& attempt, const std::string& left_out);

/// The earlier result stays, with the reason, and with what the attempt could not read.
void keep_uncleared(TableResult& earlier, const TableResult& attempt, const std::string& left_out);

/// The result of a table that was not even tried.
TableResult failed_table(const TablePlan& table, const std::string& error);

}  // namespace parity::driver
