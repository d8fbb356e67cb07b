#include "driver/sequences.h"

#include <fmt/format.h>

namespace parity::driver {

SequenceResult compare_sequence(const Both<SequenceDesc>& sequence) {
    SequenceResult result{sequence, Verdict::kIdentical, {}};
    for (Side side : {Side::kSource, Side::kTarget}) {
        if (sequence[side].last_value) continue;
        result.verdict = Verdict::kIncomplete;
        result.reason = fmt::format("its value cannot be read on {}", side_name(side));
        return result;
    }
    if (sequence.source.last_value != sequence.target.last_value ||
        sequence.source.is_called != sequence.target.is_called) {
        result.verdict = Verdict::kDivergent;
        result.reason = fmt::format("{} on source, {} on target", show_sequence_value(sequence.source),
                                    show_sequence_value(sequence.target));
    }
    return result;
}

std::string show_sequence_value(const SequenceDesc& sequence) {
    if (!sequence.last_value) return "not readable";
    return sequence.is_called ? *sequence.last_value : *sequence.last_value + " (not called yet)";
}

}  // namespace parity::driver
