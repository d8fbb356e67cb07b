#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/report/finding_json.h"
#include "driver/waiting/interrupt.h"

/// What is recorded of a run (--record), made from its results. Nothing here runs anything.
namespace parity::driver {

/// Values of more bytes are recorded cut, as {"beginning": …, "length": …}.
inline constexpr std::size_t kMostRecordedBytes = 16 * 1024;

/// One row of parity.run_table.
struct TableRecord {
    std::string relation;
    std::string target_relation;
    std::string status;  ///< parity.run_status
    Json facts = Json::object();
    Json scope = Json::object();
};

/// What of a table a run compares: what options make of it that is not the whole of it with its namesake. Empty: the
/// whole.
Json scope_of(const TablePlan& table);

/// Of a table that was compared, or could not be. `differences` are the plan's; those of this table make it divergent
/// as the exit status has it. `cancelled`: the run was interrupted, so that an error is none of the table's.
TableRecord record_of(const TableResult& result, const std::vector<SchemaDifference>& differences,
                      const Options& options, bool cancelled);
/// Of a table that was asked for and could not be compared at all.
TableRecord record_of_skipped(const Both<QualifiedName>& names, const std::string& reason);
TableRecord record_of(const SequenceResult& result);
/// Of what only one side has: the differences that count and belong to none of the tables.
std::vector<TableRecord> records_of_lone_objects(const std::vector<SchemaDifference>& differences,
                                                 const std::vector<TablePlan>& tables, const Options& options);

/// One row of parity.divergence: kind, state, key, columns, occurrences and, if asked for, values. The key of a table
/// without one would be all of its values: it is recorded only with them.
Json divergence_record(const FindingWriter& writer, const Finding& finding, bool with_values);

/// What was asked for: what was given, without connection strings, and the seed.
Json options_record(const Options& options, std::uint64_t seed);

/// The whole run's parity.run_status.
std::string_view run_status(Verdict verdict, bool interrupted);

}  // namespace parity::driver
