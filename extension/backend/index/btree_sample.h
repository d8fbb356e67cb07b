#pragma once

#include "backend/pg.h"

#include <span>

#include "backend/task/task.h"

namespace parity::backend {

/// Reads keys at even distances from a B-tree whose first columns are `key`: from the highest level that has as many as
/// `samples` has room for, which for large tables is an inner one, so that no more than some pages are read whatever
/// the table's size. Each sample is a key bound ('k' and the framed leading columns; columns that an inner page left
/// out are left out here). The samples are not sorted and may repeat. Their bytes are in the current context.
/// Returns: how many samples were written.
std::size_t sample_btree(Oid index, std::span<const TaskColumn> key, std::span<core::ByteView> samples);

}  // namespace parity::backend
