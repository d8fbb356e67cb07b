#include "backend/index/span_obstacle.h"

#include <algorithm>

#include "backend/index/row_order.h"
#include "backend/index/search.h"
#include "backend/query/key_condition.h"
#include "core/hash.h"

namespace parity::backend {
namespace {

/// Blocks that every span may read again: 8 MB, or a small share of the table.
constexpr core::u64 kFewBlocks = 1024;
constexpr core::u64 kSmallShare = 20;

const char* why_not_through_index(const DigestTask& task, Oid id) {
    Relation leaf = table_open(id, NoLock);
    const bool found = OidIsValid(interval_index(task, leaf, interval_type(task)));
    const char* why = found ? nullptr
                            : psprintf("\"%s\" has no usable B-tree that begins with the key's columns in their order",
                                       RelationGetRelationName(leaf));
    table_close(leaf, NoLock);
    return why;
}

/// What is wrong with the order of most rows that are in no order.
const char* describe_disorder(const DigestTask& task, Oid leaf) {
    const std::optional<float4> correlation = correlation_of(task, leaf);
    if (!correlation)
        return psprintf("whether the rows of \"%s\" are in the order of its key is unknown: ANALYZE tells",
                        get_rel_name(leaf));
    return psprintf("the rows of \"%s\" are not in the order of its key: pg_stats.correlation of \"%s\" is %.2f",
                    get_rel_name(leaf), NameStr(task.key[0].name), static_cast<double>(*correlation));
}

core::u64 blocks_of(Oid id) {
    Relation leaf = table_open(id, NoLock);
    const core::u64 blocks = RelationGetNumberOfBlocks(leaf);
    table_close(leaf, NoLock);
    return blocks;
}

}  // namespace

const char* why_not_by_blocks(const DigestTask& task) {
    if (const char* obstacle = describe_obstacle(task)) return obstacle;
    if (task.key.empty()) return "it has no key";
    if (!enable_indexscan && !enable_bitmapscan) return "the session avoids indexes";
    if (!OidIsValid(interval_type(task)))
        return psprintf("an index does not have the order of the form of \"%s\", or that column may be NULL",
                        NameStr(task.key[0].name));
    if (!has_ordered_index(task)) return "no B-tree of it begins with the key's columns in their order";
    for (Oid leaf : task.leaves)
        if (const char* why = why_not_through_index(task, leaf)) return why;
    return nullptr;
}

const char* why_not_worth_blocks(const DigestTask& task) {
    core::u64 all = 0, disordered = 0, most = 0;
    Oid worst = InvalidOid;
    for (Oid leaf : task.leaves) {
        const core::u64 blocks = blocks_of(leaf);
        all += blocks;
        if (is_in_order(task, leaf)) continue;
        disordered += blocks;
        if (blocks <= most) continue;
        most = blocks;
        worst = leaf;
    }
    return disordered > std::max(kFewBlocks, all / kSmallShare) ? describe_disorder(task, worst) : nullptr;
}

void require_by_blocks(const DigestTask& task) {
    if (const char* why = why_not_by_blocks(task)) refuse_by_blocks(task, why);
}

void refuse_by_blocks(const DigestTask& task, const char* why) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("relation \"%s\" cannot be read by the blocks that an index lists: %s",
                           RelationGetRelationName(task.relation), why)));
    pg_unreachable();
}

}  // namespace parity::backend
