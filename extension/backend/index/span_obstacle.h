#pragma once

#include "backend/pg.h"

#include "backend/task/task.h"

/// What keeps a relation from being read in spans of its key, by the blocks that an index lists.
namespace parity::backend {

/// Why that is not possible: a phrase for people, in the current context.
/// Returns: null where it is possible.
const char* why_not_by_blocks(const DigestTask& task);

/// Why it would take longer than its share of the whole: its rows are not in the order of its key, or nobody knows.
/// Requires: why_not_by_blocks() is null.
/// Returns: null where it is worth it.
const char* why_not_worth_blocks(const DigestTask& task);

/// Checks that a task may be read so.
/// Errors: 0A000 with the reason where it may not.
void require_by_blocks(const DigestTask& task);

/// Says that a task cannot be read so.
/// Errors: 0A000, always.
[[noreturn]] void refuse_by_blocks(const DigestTask& task, const char* why);

}  // namespace parity::backend
