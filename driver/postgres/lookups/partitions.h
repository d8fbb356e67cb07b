#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/postgres/connection/session.h"

namespace parity::driver {

/// What a reader of the report should know about rows of a partitioned table that stand in partitions whose bounds
/// exclude them: queries with a condition on the partition key do not see them. Of large partitions only some blocks
/// are looked at, so that it takes a table no more than a moment.
///
/// It works in transactions of its own: the conditions of the bounds call functions of owners, which are looked for
/// anew, and a failure of the server is no more than that here.
/// Returns: nothing where there are no such rows, or the server may not be asked.
/// Throws: Error{kCancelled} and Error{kOtherServer}.
std::optional<std::string> note_misplaced_rows(Session& session, const TablePlan& table, const Options& options);

/// As ServerSession::fullest_partition(), with the same care.
std::optional<PartitionRows> find_fullest_partition(Session& session, const TablePlan& table,
                                                    const std::vector<std::string>& keys, const Options& options);

}  // namespace parity::driver
