#pragma once

#include "backend/pg.h"

#include <span>

#include "backend/index/block_set.h"
#include "backend/index/rows.h"
#include "backend/task/task.h"
#include "core/bytes.h"

/// What a transaction's passes by blocks know of each other, to its end.
namespace parity::backend {

/// From now on to the end of the transaction, passes over chosen ranges read by blocks, where a scan of the whole
/// relation would be the alternative. `read_before` is the set (block_set.h) of blocks that were read for other spans.
void begin_reading_by_blocks(core::ByteView read_before);

/// Whether that is so, for this user.
bool is_reading_by_blocks();

/// The blocks that the transaction's passes have read so, as a set; empty where there was none.
core::ByteView blocks_read();

/// Sets the flags of the blocks that were read, for other spans and by the transaction's passes.
/// Requires: is_reading_by_blocks().
void set_read_flags(std::span<const LeafBlocks> leaves, std::uint32_t* flags);

/// Adds the blocks and the ranges that a pass has digested. `windows` are the ranges, ascending.
/// Requires: is_reading_by_blocks().
/// Errors: 54000 where the blocks are too scattered to be told.
void remember_pass(const DigestTask& task, std::span<const RangeWindow> windows, std::span<const LeafBlocks> leaves,
                   const std::uint32_t* flags);

/// Whether the keys of a task's kept ranges were digested by blocks in this transaction, so that all that can be seen
/// of an index that lacks rows of them has been seen.
bool has_read_ranges(const DigestTask& task);

}  // namespace parity::backend
