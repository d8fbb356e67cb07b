#pragma once

#include <vector>

#include "driver/model/exit_codes.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// What parts of a run say, each by itself or several together. Whoever asks whether a run or a part of it is divergent
/// or incomplete asks here.
struct OutcomeFlags {
    bool compared = false;  ///< at least one of them has an answer
    bool divergent = false;
    bool failed = false;      ///< at least one of them has none, for an error
    bool incomplete = false;  ///< something of them was not compared, for an error or by a decision

    OutcomeFlags& operator|=(const OutcomeFlags& other);
};

OutcomeFlags flags_of(const TableResult& table);
OutcomeFlags flags_of(const SequenceResult& sequence);
/// A difference of the schemas; notes count under --strict-schema.
OutcomeFlags flags_of(const SchemaDifference& difference, const Options& options);
/// A table with the differences of its schema among these.
OutcomeFlags flags_of(const TableResult& table, const std::vector<SchemaDifference>& differences,
                      const Options& options);

/// Whether a difference is about a table, which it names as the source does, or about a column of it.
bool is_about(const SchemaDifference& difference, const QualifiedName& table);

/// The whole run's answer: what its parts add up to.
struct RunOutcome {
    Verdict result = Verdict::kError;  ///< kDivergent also where incomplete
    bool incomplete = false;
    int exit_status = kExitError;
};

/// Sums up a run. `tables` and `sequences` are everything that was tried; a run in which nothing was compared at all is
/// kError, never kIdentical, and so is one of whose tables each has failed, whatever its sequences say.
RunOutcome run_outcome(const Options& options, const Plan& plan, const std::vector<TableResult>& tables,
                       const std::vector<SequenceResult>& sequences);

/// What becomes of the outcome of a run that was interrupted: what it found stays found, and what it compared is not
/// all that was asked for.
RunOutcome interrupted_outcome(RunOutcome outcome);

/// What becomes of the outcome of a run that ended because too much failed: it says nothing, unless something differs.
RunOutcome failed_outcome(RunOutcome outcome);

/// What becomes of the outcome of a run whose record was asked for and is not there. That is no smaller matter than a
/// table that could not be compared. It takes nothing from what was found.
RunOutcome unrecorded_outcome(RunOutcome outcome);

}  // namespace parity::driver
