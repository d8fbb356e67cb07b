#include "backend/index/bounds.h"

#include <algorithm>

#include "backend/index/btree_sample.h"
#include "backend/memory.h"
#include "backend/task/key_choice.h"
#include "core/bounds.h"

namespace parity::backend {
namespace {

/// More samples than bounds, so that bounds drawn from several leaves stay even.
constexpr std::size_t kSamplesPerBound = 4;

std::span<const core::ByteView> hash_bounds(int ranges) {
    std::size_t count = static_cast<std::size_t>(ranges) - 1;
    auto* bounds = allocate_array<core::ByteView>(CurrentMemoryContext, count + 1);
    auto* bytes = allocate_array<std::uint8_t>(CurrentMemoryContext, (count + 1) * core::kHashBoundBytes);
    for (std::size_t i = 0; i < count; ++i) {
        std::uint8_t* bound = bytes + i * core::kHashBoundBytes;
        core::write_hash_bound(static_cast<std::uint32_t>(i + 1), static_cast<std::uint32_t>(ranges),
                               std::span<std::uint8_t, core::kHashBoundBytes>(bound, core::kHashBoundBytes));
        bounds[i] = {bound, core::kHashBoundBytes};
    }
    return {bounds, count};
}

struct LeafIndex {
    Oid index;
    core::u64 pages;
};

/// The B-trees on the key, one a leaf, and their pages; false where a leaf with rows has none.
bool find_indexes(const DigestTask& task, LeafIndex* indexes, core::u64* total_pages) {
    AttrNumber* columns = allocate_array<AttrNumber>(CurrentMemoryContext, task.key.size());
    *total_pages = 0;
    for (std::size_t i = 0; i < task.leaves.size(); ++i) {
        Relation leaf = relation_open(task.leaves[i], NoLock);
        for (std::size_t k = 0; k < task.key.size(); ++k)
            columns[k] = get_attnum(task.leaves[i], NameStr(task.key[k].name));
        bool readable = leaf->rd_rel->relkind == RELKIND_RELATION || leaf->rd_rel->relkind == RELKIND_MATVIEW;
        Oid index = readable ? find_btree(leaf, {columns, task.key.size()}) : InvalidOid;
        core::u64 pages = readable ? RelationGetNumberOfBlocks(leaf) : 1;
        relation_close(leaf, NoLock);
        if (!OidIsValid(index) && pages > 0) return false;
        indexes[i] = {index, pages};
        *total_pages += pages;
    }
    return true;
}

/// Sorts samples into the form's order, drops repetitions and takes `count` of what is left evenly.
std::span<const core::ByteView> pick_evenly(core::ByteView* samples, std::size_t sampled, std::size_t count,
                                            std::span<const core::Form> forms) {
    auto is_less = [forms](core::ByteView a, core::ByteView b) { return core::compare_bounds(a, b, forms) < 0; };
    if (!std::is_sorted(samples, samples + sampled, is_less)) std::sort(samples, samples + sampled, is_less);
    core::ByteView* end = std::unique(samples, samples + sampled, [forms](core::ByteView a, core::ByteView b) {
        return core::compare_bounds(a, b, forms) == 0;
    });
    std::size_t distinct = static_cast<std::size_t>(end - samples);
    if (distinct <= count) return {samples, distinct};
    for (std::size_t i = 0; i < count; ++i) samples[i] = samples[(i + 1) * (distinct + 1) / (count + 1) - 1];
    return {samples, count};
}

std::span<const core::ByteView> btree_bounds(const DigestTask& task, const LeafIndex* indexes, core::u64 total_pages,
                                             std::size_t count) {
    std::size_t wanted = task.leaves.size() == 1 ? count : count * kSamplesPerBound;
    std::size_t room = wanted + task.leaves.size();
    auto* samples = allocate_array<core::ByteView>(CurrentMemoryContext, room + 1);
    std::size_t sampled = 0;
    for (std::size_t i = 0; i < task.leaves.size(); ++i) {
        if (indexes[i].pages == 0) continue;
        std::size_t share = static_cast<std::size_t>(static_cast<core::u128>(wanted) * indexes[i].pages / total_pages);
        sampled += sample_btree(indexes[i].index, task.key, {samples + sampled, std::max<std::size_t>(share, 1)});
    }
    return pick_evenly(samples, sampled, count, task.spec.key_forms);
}

}  // namespace

void check_range_count(int ranges) {
    if (ranges < 1 || ranges > kMaxRanges)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("ranges must be between 1 and %d, not %d", kMaxRanges, ranges)));
}

std::span<const core::ByteView> split(const DigestTask& task, int ranges) {
    if (ranges == 1) return {};
    if (task.key.empty() || !task.in_heap) return hash_bounds(ranges);
    auto* indexes = allocate_array<LeafIndex>(CurrentMemoryContext, task.leaves.size() + 1);
    core::u64 total_pages;
    if (!find_indexes(task, indexes, &total_pages)) return hash_bounds(ranges);
    if (total_pages == 0) return {};
    return btree_bounds(task, indexes, total_pages, static_cast<std::size_t>(ranges) - 1);
}

}  // namespace parity::backend
