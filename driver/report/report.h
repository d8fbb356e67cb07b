#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/report/outcome.h"
#include "driver/report/output.h"
#include "driver/state/findings.h"
#include "driver/waiting/interrupt.h"

namespace parity::driver {

/// What went wrong besides single tables; those carry their own errors.
struct RunError {
    std::string object;  ///< empty: the run as a whole
    std::string message;
    std::string sqlstate{};  ///< where a server raised it
};

/// What a run that was continued has from its earlier parts.
struct ContinuedRun {
    int times = 0;         ///< how often it was continued
    std::size_t kept = 0;  ///< tables that were not compared again
    /// Tables that were compared earlier and had to be compared again, with the reason.
    std::vector<std::pair<Both<QualifiedName>, std::string>> voided{};
};

/// A whole run, as the reports show it. Findings are read from the store by the tables' position in `tables`.
struct RunReport {
    const Options* options = nullptr;
    Both<ServerInfo> server;
    Plan plan;
    std::vector<TableResult> tables;  ///< parallel to plan.tables
    std::vector<SequenceResult> sequences;
    std::vector<RunError> errors;
    RunOutcome outcome;
    bool interrupted = false;  ///< it was ended before everything was compared
    RunEnd ended_by = RunEnd::kNone;
    /// Other servers that the run went on with (--allow-failover), and the tables that it compared again within this
    /// part of it, with the reason.
    std::vector<ServerFailover> failovers;
    std::vector<std::pair<Both<QualifiedName>, std::string>> compared_again;
    std::optional<ContinuedRun> continued;  ///< nothing: the run had one part
    std::string state_failure;              ///< why it cannot be continued as it should be; empty: it can, or need not
    std::optional<std::string> recorded_run;  ///< its number in the records of --record
    std::string record_failure;  ///< why it is not recorded as it should be; empty: it is, or was not asked for
    std::uint64_t seed = 0;
    std::string started_at;  ///< ISO 8601, UTC
    double elapsed_seconds = 0;
};

/// The order in which reports show tables: by source name, then by target name. Positions in report.tables.
std::vector<std::size_t> report_order(const RunReport& report);

}  // namespace parity::driver
