#pragma once

#include <string_view>

#include "driver/model/plan.h"
#include "driver/model/results.h"

/// The words of reports and records.
namespace parity::driver {

/// "identical", "divergent", "incomplete" or "error".
std::string_view verdict_name(Verdict verdict);

/// "mismatch", "missing_on_target" or "missing_on_source".
std::string_view finding_name(FindingKind kind);

/// "equal", "wal", "behind", "ahead" or "apart".
/// Returns: an empty text where a value is not known.
std::string_view position_name(SequencePosition position);

/// "note", "divergence" or "skipped".
std::string_view severity_name(SchemaDifference::Severity severity);

}  // namespace parity::driver
