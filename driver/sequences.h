#pragma once

#include "driver/model.h"

namespace parity::driver {

/// Compares a sequence by its last value and by whether it was called; kIncomplete where a side's value cannot be read.
/// Pure.
SequenceResult compare_sequence(const Both<SequenceDesc>& sequence);

/// A sequence's value for people: "41", or "1 (not called yet)".
std::string show_sequence_value(const SequenceDesc& sequence);

}  // namespace parity::driver
