#pragma once

#include "backend/pg.h"

#include <optional>

#include "backend/task/task.h"

/// In which order the rows of a task's leaves stand, as far as statistics tell.
namespace parity::backend {

/// pg_stats.correlation of the key's first column in a leaf.
/// Returns: nothing where it was never analyzed.
std::optional<float4> correlation_of(const DigestTask& task, Oid leaf);

/// Whether the rows of a leaf stand in the order of the key's first column, or in reverse.
bool is_in_order(const DigestTask& task, Oid leaf);

/// Whether the rows of all leaves do.
bool is_in_key_order(const DigestTask& task);

}  // namespace parity::backend
