#include "backend/index/other_blocks.h"

#include <new>
#include <span>

#include "backend/index/block_set.h"
#include "backend/index/listing.h"
#include "backend/memory.h"
#include "backend/scan/page_reader.h"
#include "backend/task/scan_guard.h"

namespace parity::backend {
namespace {

/// The blocks of a leaf that are not in a set.
struct BlocksLeft {
    const std::uint32_t* flags;
    core::u64 first;
    core::u64 next;
    core::u64 end;

    static BlockNumber next_block(void* blocks) {
        auto& self = *static_cast<BlocksLeft*>(blocks);
        while (self.next < self.end && has_block(self.flags, self.next)) ++self.next;
        return self.next < self.end ? static_cast<BlockNumber>(self.next++ - self.first) : InvalidBlockNumber;
    }
};

void check_blocks(const DigestTask& task, const LeafBlocks& leaf, BlocksLeft left, OtherBlocks& seen) {
    Relation relation = table_open(leaf.leaf, NoLock);
    LeafListing listing(task, relation, leaf.index);
    const BlockSupply blocks{BlocksLeft::next_block, &left};
    auto* pages =
        new (allocate_array<PageReader>(CurrentMemoryContext, 1)) PageReader(relation, GetActiveSnapshot(), blocks);
    while (pages->next()) {
        ++seen.blocks;
        for (std::size_t i = 0; i < pages->tuples().size(); ++i) {
            const core::u64 place = place_of(pages->block(), pages->root_of(i));
            if (pages->root_of(i) == InvalidOffsetNumber) listing.complain(place);
            listing.require_listed(pages->tuples()[i], place);
            ++seen.rows;
        }
    }
    pages->close();
    listing.close();
    table_close(relation, NoLock);
}

}  // namespace

OtherBlocks check_other_blocks(const DigestTask& task, core::ByteView read_before) {
    const std::span<const LeafBlocks> leaves = blocks_of_leaves(task);
    auto* flags = allocate_array<std::uint32_t>(CurrentMemoryContext, words_for_blocks(count_blocks(leaves)));
    set_flags(read_before, leaves, flags);
    OtherBlocks seen{};
    for (const LeafBlocks& leaf : leaves) {
        MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "parity leaf", ALLOCSET_DEFAULT_SIZES);
        MemoryContext caller = MemoryContextSwitchTo(context);
        check_blocks(task, leaf, {flags, leaf.first, leaf.first, leaf.end}, seen);
        MemoryContextSwitchTo(caller);
        MemoryContextDelete(context);
    }
    if (seen.rows == 0 && static_cast<core::u64>(seen.blocks) == count_blocks(leaves)) confirm_empty(task);
    return seen;
}

}  // namespace parity::backend
