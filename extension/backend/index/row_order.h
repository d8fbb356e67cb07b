#pragma once

#include "backend/pg.h"

#include <optional>

#include "backend/task/task.h"

/// In which order the rows of a task's leaves stand, as far as statistics tell.
namespace parity::backend {

/// pg_stats.correlation from which on rows that follow one another in the index do so in the table, or in reverse.
inline constexpr float4 kInOrder = 0.95F;

/// pg_stats.correlation of the key's first column in a leaf.
/// Returns: nothing where it was never analyzed.
std::optional<float4> correlation_of(const DigestTask& task, Oid leaf);

/// Whether the rows of all leaves stand in the order of the key's first column, or in reverse.
bool is_in_key_order(const DigestTask& task);

}  // namespace parity::backend
