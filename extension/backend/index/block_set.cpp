#include "backend/index/block_set.h"

#include <algorithm>

#include "backend/index/search.h"
#include "backend/memory.h"
#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

constexpr core::u64 kWordBlocks = 32;
constexpr std::uint32_t kAllOfWord = ~std::uint32_t{0};

[[noreturn]] void complain_of_set() {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the set of blocks is malformed")));
    pg_unreachable();
}

void append_oid(core::ByteSink& sink, Oid id) {
    std::uint8_t bytes[sizeof id];
    core::store_le(bytes, std::uint32_t{id});
    sink.append(bytes, sizeof bytes);
}

Oid take_oid(core::ByteView& set) {
    if (set.size() < sizeof(Oid)) complain_of_set();
    const Oid id = core::load_le<std::uint32_t>(set.data());
    set = set.subspan(sizeof id);
    return id;
}

void append_number(core::ByteSink& sink, core::u64 number) {
    for (; number >= 0x80; number >>= 7) sink.append_u8(static_cast<std::uint8_t>(number | 0x80));
    sink.append_u8(static_cast<std::uint8_t>(number));
}

/// None of them has more than 32 bits.
core::u64 take_number(core::ByteView& set) {
    core::u64 number = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (set.empty()) break;
        const std::uint8_t byte = set.front();
        set = set.subspan(1);
        number |= core::u64{byte & 0x7FU} << shift;
        if (byte < 0x80) return number;
    }
    complain_of_set();
}

/// The flags of a word from a block on, and of one before a block.
std::uint32_t from_block(core::u64 block) { return kAllOfWord << block % kWordBlocks; }
std::uint32_t before_block(core::u64 block) { return ~from_block(block); }

void set_run(std::uint32_t* flags, core::u64 first, core::u64 end) {
    if (first >= end) return;
    const core::u64 first_word = first / kWordBlocks, last_word = (end - 1) / kWordBlocks;
    const std::uint32_t last_flags = end % kWordBlocks == 0 ? kAllOfWord : before_block(end);
    if (first_word == last_word) {
        flags[first_word] |= from_block(first) & last_flags;
        return;
    }
    flags[first_word] |= from_block(first);
    std::fill(flags + first_word + 1, flags + last_word, kAllOfWord);
    flags[last_word] |= last_flags;
}

/// The first block from one on whose flag is as wanted; `end` where there is none.
core::u64 find_flag(const std::uint32_t* flags, core::u64 block, core::u64 end, bool wanted) {
    const std::uint32_t others = wanted ? 0 : kAllOfWord;
    while (block < end) {
        if (flags[block / kWordBlocks] == others)
            block = (block / kWordBlocks + 1) * kWordBlocks;
        else if (has_block(flags, block) == wanted)
            return block;
        else
            ++block;
    }
    return end;
}

/// Calls `take(first, end)` for each run of set flags from one block to before another.
template <typename Take>
void for_each_run(const std::uint32_t* flags, core::u64 first, core::u64 end, Take take) {
    for (core::u64 block = find_flag(flags, first, end, true); block < end;) {
        CHECK_FOR_INTERRUPTS();
        const core::u64 run_end = find_flag(flags, block, end, false);
        take(block, run_end);
        block = find_flag(flags, run_end, end, true);
    }
}

/// The task's leaf of a set: mostly the one after the last one. Null where it is none.
const LeafBlocks* find_leaf(std::span<const LeafBlocks> leaves, std::size_t& next, Oid leaf) {
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        const std::size_t at = (next + i) % leaves.size();
        if (leaves[at].leaf != leaf) continue;
        next = at + 1;
        return &leaves[at];
    }
    return nullptr;
}

/// Rows that the other index lacked are in no span that was read through it, and this one may list them.
void require_same_index(const LeafBlocks& leaf, Oid index_file) {
    if (leaf.index_file == index_file) return;
    ereport(ERROR, (errcode(kIndexChanged),
                    errmsg("index \"%s\" is not the one through which other spans of \"%s\" were read",
                           get_rel_name(leaf.index), get_rel_name(leaf.leaf)),
                    errdetail("It was made anew, or another index was used then.")));
}

/// The index stays locked, so that it is the same one to the end of the transaction.
Relation lock_index(const DigestTask& task, Relation leaf, Oid type) {
    const Oid index = interval_index(task, leaf, type);
    if (!OidIsValid(index))
        ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                        errmsg("\"%s\" has no index on the key that this snapshot may be read through",
                               RelationGetRelationName(leaf))));
    return index_open(index, AccessShareLock);
}

}  // namespace

std::span<const LeafBlocks> blocks_of_leaves(const DigestTask& task) {
    auto* leaves = allocate_array<LeafBlocks>(CurrentMemoryContext, task.leaves.size() + 1);
    const Oid type = interval_type(task);
    core::u64 next = 0;
    for (std::size_t i = 0; i < task.leaves.size(); ++i) {
        Relation leaf = table_open(task.leaves[i], NoLock);
        Relation index = lock_index(task, leaf, type);
        const core::u64 first = next;
        next += RelationGetNumberOfBlocks(leaf);
        leaves[i] = {
            task.leaves[i], open_file_number(leaf), RelationGetRelid(index), open_file_number(index), first, next};
        index_close(index, NoLock);
        table_close(leaf, NoLock);
    }
    return {leaves, task.leaves.size()};
}

void set_flags(core::ByteView set, std::span<const LeafBlocks> leaves, std::uint32_t* flags) {
    for (std::size_t next = 0; !set.empty();) {
        const Oid id = take_oid(set), file = take_oid(set), index_file = take_oid(set);
        const LeafBlocks* leaf = find_leaf(leaves, next, id);
        if (leaf) require_same_index(*leaf, index_file);
        if (leaf && leaf->file != file) leaf = nullptr;
        core::u64 block = 0;
        for (core::u64 runs = take_number(set); runs > 0; --runs) {
            CHECK_FOR_INTERRUPTS();
            const core::u64 first = block + take_number(set);
            block = first + take_number(set);
            if (block > core::u64{MaxBlockNumber} + 1) complain_of_set();
            if (leaf) set_run(flags, leaf->first + first, std::min(leaf->first + block, leaf->end));
        }
    }
}

void append_blocks(const LeafBlocks& leaf, const std::uint32_t* flags, core::ByteSink& set) {
    core::u64 runs = 0;
    for_each_run(flags, leaf.first, leaf.end, [&](core::u64, core::u64) { ++runs; });
    append_oid(set, leaf.leaf);
    append_oid(set, leaf.file);
    append_oid(set, leaf.index_file);
    append_number(set, runs);
    core::u64 block = leaf.first;
    for_each_run(flags, leaf.first, leaf.end, [&](core::u64 first, core::u64 end) {
        append_number(set, first - block);
        append_number(set, end - first);
        block = end;
    });
}

}  // namespace parity::backend
