#pragma once

#include "backend/pg.h"

#include <span>

#include "backend/task/task.h"

namespace parity::backend {

/// Most ranges of one division.
inline constexpr int kMaxRanges = 1000000;

/// Checks a number of ranges.
/// Errors: 22023 unless 1 ≤ ranges ≤ kMaxRanges.
void check_range_count(int ranges);

/// At most `ranges` − 1 ascending bounds for the task: from the B-trees on its key, else even hash bounds (also under
/// row security, because inner pages hold keys of invisible rows). In the current context.
std::span<const core::ByteView> split(const DigestTask& task, int ranges);

}  // namespace parity::backend
