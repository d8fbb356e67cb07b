#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/planning/later_tables.h"
#include "driver/state/findings.h"
#include "driver/state/run_store.h"

namespace parity::driver {

/// What an earlier part of the run knows of a table.
struct KnownTable {
    TableResult result;
    bool done = false;  ///< false: the table is compared again, and this is what was seen to differ before
    /// If it is compared again: what of it is not looked at any more, so that the difference stays; empty: nothing.
    std::string left_out{};
    std::vector<SpanUnit> spans{};  ///< if it is compared in spans; some may be done though the table is not
};

/// What of a run that is continued is there already.
struct Resumption {
    struct Voided {
        Both<QualifiedName> name;
        std::string reason;  ///< "span 3 of 40: …" where only that is compared again
    };
    std::vector<std::optional<KnownTable>> known;  ///< parallel to Plan::tables
    std::vector<std::int64_t> jobs;                ///< UnitRow::job; parallel to Plan::tables
    std::vector<Voided> voided;                    ///< compared before, and again now, with the reason
    std::size_t kept = 0;                          ///< compared before, and not again
    std::vector<UnitRow> changed;                  ///< units that are not what the state has, or new
    std::vector<std::int64_t> gone_jobs;           ///< of tables that are gone, and were not seen to differ
};

/// Goes on with a run. Of the plan, which was made from what both sides have now, the tables that the run began with
/// stay, `began_with`: one that came later is not compared, and neither is one that is gone. One that could not be
/// compared then, and can be now, is. A table that was seen to differ stays in the plan whatever became of it, until it
/// is compared again. Findings that count go into `findings`.
/// `only_dead`: tables of which something could not be read are compared again, and no other one; those that are not
/// done, or do not count any more, stay so.
/// Throws: Error{kUsage} where the state cannot be read.
Resumption resume_run(RunStore& store, const Both<ServerInfo>& servers, const ChosenTables& began_with, Plan& plan,
                      std::int64_t max_divergences, FindingStore& findings, bool only_dead);

/// A run that begins: nothing is known, and the tables' jobs are their positions in the plan.
Resumption begin_run(const Plan& plan);

}  // namespace parity::driver
