#include "backend/index/block_set.h"

namespace parity::backend {
namespace {

void append_number(core::ByteSink& sink, std::uint32_t number) {
    std::uint8_t bytes[sizeof number];
    core::store_le(bytes, number);
    sink.append(bytes, sizeof bytes);
}

std::uint32_t take_number(core::ByteView& set) {
    if (set.size() < sizeof(std::uint32_t))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the set of blocks is malformed")));
    const auto number = core::load_le<std::uint32_t>(set.data());
    set = set.subspan(sizeof number);
    return number;
}

/// Calls `take(first, length)` for each run of set flags.
template <typename Take>
void for_each_run_of(const std::uint32_t* flags, core::u64 first, core::u64 end, Take take) {
    for (core::u64 block = first; block < end; ++block) {
        if (flags[block / 32] == 0) block |= 31;  // the last block of the word
        if (!has_block(flags, block)) continue;
        const core::u64 begin = block;
        while (block < end && has_block(flags, block)) ++block;
        take(static_cast<std::uint32_t>(begin - first), static_cast<std::uint32_t>(block - begin));
    }
}

}  // namespace

void for_each_run(core::ByteView set, void (*take)(void* state, Oid leaf, core::u64 first, core::u64 length),
                  void* state) {
    while (!set.empty()) {
        const Oid leaf = take_number(set);
        for (std::uint32_t runs = take_number(set); runs > 0; --runs) {
            const core::u64 first = take_number(set);
            take(state, leaf, first, take_number(set));
        }
    }
}

void append_blocks(Oid leaf, const std::uint32_t* flags, core::u64 first, core::u64 end, core::ByteSink& set) {
    std::uint32_t runs = 0;
    for_each_run_of(flags, first, end, [&](std::uint32_t, std::uint32_t) { ++runs; });
    if (runs == 0) return;
    append_number(set, leaf);
    append_number(set, runs);
    for_each_run_of(flags, first, end, [&](std::uint32_t block, std::uint32_t length) {
        append_number(set, block);
        append_number(set, length);
    });
}

}  // namespace parity::backend
