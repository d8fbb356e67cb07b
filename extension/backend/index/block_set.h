#pragma once

#include "backend/pg.h"

#include "core/bytes.h"
#include "core/hash.h"

/// Sets of blocks of leaves, as they travel: for each leaf its OID, how many runs of blocks follow, and of each run its
/// first block and its length, all as 4 bytes, little endian. Sets that follow one another are one set, in which a
/// leaf may come several times.
namespace parity::backend {

/// A block of a task's leaves when the blocks of all leaves are counted through.
inline void set_block(std::uint32_t* flags, core::u64 block) { flags[block / 32] |= std::uint32_t{1} << block % 32; }
inline bool has_block(const std::uint32_t* flags, core::u64 block) {
    return (flags[block / 32] >> block % 32 & 1) != 0;
}
inline std::size_t words_for_blocks(core::u64 blocks) { return static_cast<std::size_t>(blocks / 32 + 1); }

/// Reads a set: calls `take(state, leaf, first, length)` for each run.
/// Errors: 22023 for bytes that are no such set.
void for_each_run(core::ByteView set, void (*take)(void* state, Oid leaf, core::u64 first, core::u64 length),
                  void* state);

/// Appends the blocks of one leaf: those of `flags` from `first` to before `end`.
void append_blocks(Oid leaf, const std::uint32_t* flags, core::u64 first, core::u64 end, core::ByteSink& set);

}  // namespace parity::backend
