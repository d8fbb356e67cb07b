#include "driver/text/words.h"

namespace parity::driver {

std::string_view verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::kIdentical:
            return "identical";
        case Verdict::kDivergent:
            return "divergent";
        case Verdict::kIncomplete:
            return "incomplete";
        case Verdict::kError:
            return "error";
    }
    return "error";
}

std::string_view finding_name(FindingKind kind) {
    switch (kind) {
        case FindingKind::kMismatch:
            return "mismatch";
        case FindingKind::kMissingOnTarget:
            return "missing_on_target";
        case FindingKind::kMissingOnSource:
            return "missing_on_source";
        case FindingKind::kUnresolvedOnTarget:
            return "unresolved_on_target";
        case FindingKind::kUnresolvedOnSource:
            return "unresolved_on_source";
    }
    return "mismatch";
}

std::string_view position_name(SequencePosition position) {
    switch (position) {
        case SequencePosition::kUnknown:
            return "";
        case SequencePosition::kEqual:
            return "equal";
        case SequencePosition::kWal:
            return "wal";
        case SequencePosition::kBehind:
            return "behind";
        case SequencePosition::kAhead:
            return "ahead";
        case SequencePosition::kApart:
            return "apart";
    }
    return "";
}

std::string_view severity_name(SchemaDifference::Severity severity) {
    switch (severity) {
        case SchemaDifference::Severity::kNote:
            return "note";
        case SchemaDifference::Severity::kDivergence:
            return "divergence";
        case SchemaDifference::Severity::kSkipped:
            return "skipped";
    }
    return "note";
}

}  // namespace parity::driver
