#pragma once

#include "backend/pg.h"

#include <span>

#include "backend/task/task.h"
#include "core/bytes.h"
#include "core/hash.h"

/// Sets of blocks of leaves, as they travel. For each leaf: its OID, the number of its file and that of the file of the
/// index that listed the blocks, all as 4 bytes, little endian; how many runs of blocks follow, perhaps none; of each
/// run how many blocks are between it and the run before, or the leaf's beginning, and its length. These are numbers of
/// 7 bits a byte, the lowest first; all bytes but the last have the highest bit set. Sets that follow one another are
/// one set, in which a leaf may come several times.
namespace parity::backend {

/// SQLSTATE of "index X is not the one through which other spans were read".
inline constexpr int kIndexChanged = MAKE_SQLSTATE('P', 'P', '0', '0', '5');

/// A task's leaf and its blocks, when those of all leaves are counted through.
struct LeafBlocks {
    Oid leaf;
    Oid file;        ///< where it is: one that was rewritten is in another, and nothing is known of its blocks
    Oid index;       ///< on the key; it cannot go before the transaction ends
    Oid index_file;  ///< what one index lists says nothing about another one
    core::u64 first;
    core::u64 end;  ///< as they were when this was made: leaves grow
};

/// Those of the task's leaves, in the current context.
/// Errors: 40001 where a leaf has no index on the key (any more).
std::span<const LeafBlocks> blocks_of_leaves(const DigestTask& task);

/// How many blocks all of them have.
inline core::u64 count_blocks(std::span<const LeafBlocks> leaves) { return leaves.empty() ? 0 : leaves.back().end; }

/// Flags of blocks that are counted through.
inline bool has_block(const std::uint32_t* flags, core::u64 block) {
    return (flags[block / 32] >> block % 32 & 1) != 0;
}
inline std::size_t words_for_blocks(core::u64 blocks) { return static_cast<std::size_t>(blocks / 32 + 1); }

/// Sets the flags of the blocks of a set, but for those of other leaves, of files that leaves were in before, and
/// behind a leaf's end.
/// Errors: 22023 for bytes that are no such set; PP005 where another index than the leaf's listed blocks of it.
void set_flags(core::ByteView set, std::span<const LeafBlocks> leaves, std::uint32_t* flags);

/// Appends the blocks of one leaf that have their flag.
void append_blocks(const LeafBlocks& leaf, const std::uint32_t* flags, core::ByteSink& set);

}  // namespace parity::backend
