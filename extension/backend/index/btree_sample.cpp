#include "backend/index/btree_sample.h"

#include <algorithm>

#include "backend/index/btree_page.h"
#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/values/value.h"
#include "core/bounds.h"
#include "core/order.h"

namespace parity::backend {
namespace {

/// Where a level begins, and its number: 0 for the leaves.
struct Level {
    BlockNumber block;
    uint32 number;
};

Level read_root(Relation index) {
    Buffer buffer = ReadBuffer(index, BTREE_METAPAGE);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    BTMetaPageData* meta = BTPageGetMeta(BufferGetPage(buffer));
    if (meta->btm_magic != BTREE_MAGIC)
        ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                        errmsg("index \"%s\" is not a btree", RelationGetRelationName(index))));
    Level root{meta->btm_fastroot, meta->btm_fastlevel};
    UnlockReleaseBuffer(buffer);
    return root;
}

/// Whether a page is looked at as it is, under its lock, or as a copy, so that no lock is held while catalogs are
/// looked up to read a value.
enum class Look { kLocked, kCopy };

/// Calls `visit(page, opaque, first_item)` for the pages of one level from its beginning to the right, until it gives
/// false. The first data item of an inner page has no key (minus infinity); `first_item` is the first that has one.
template <Look kLook, typename Visit>
void walk_level(Relation index, Level level, Visit visit) {
    BlockNumber block = level.block;
    Page copy = static_cast<Page>(palloc(BLCKSZ));
    bool go_on = true;
    while (go_on && block != P_NONE) {
        CHECK_FOR_INTERRUPTS();
        Buffer buffer = ReadBuffer(index, block);
        LockBuffer(buffer, BUFFER_LOCK_SHARE);
        Page page = BufferGetPage(buffer);
        if (kLook == Look::kCopy) {
            page = static_cast<Page>(memcpy(copy, page, BLCKSZ));
            UnlockReleaseBuffer(buffer);
        }
        check_btree_page(index, page, block, level.number);
        BTPageOpaque opaque = BTPageGetOpaque(page);
        block = opaque->btpo_next;
        if (!P_IGNORE(opaque)) {
            int first = P_FIRSTDATAKEY(opaque) + (P_ISLEAF(opaque) ? 0 : 1);
            go_on = visit(page, opaque, static_cast<OffsetNumber>(first));
        }
        if (kLook == Look::kLocked) UnlockReleaseBuffer(buffer);
    }
    pfree(copy);
}

/// The leftmost child of the first live page of a level.
BlockNumber leftmost_child(Relation index, Level level) {
    BlockNumber child = P_NONE;
    walk_level<Look::kLocked>(index, level, [&child](Page page, BTPageOpaque opaque, OffsetNumber) {
        child = BTreeTupleGetDownLink(index_tuple_at(page, P_FIRSTDATAKEY(opaque)));
        return false;
    });
    return child;
}

std::size_t count_items(Relation index, Level level) {
    std::size_t count = 0;
    walk_level<Look::kLocked>(index, level, [&](Page page, BTPageOpaque, OffsetNumber first) {
        int items = PageGetMaxOffsetNumber(page) - first + 1;
        count += static_cast<std::size_t>(std::max(items, 0));
        return true;
    });
    return count;
}

/// Turns the keys of index tuples into bounds.
class BoundMaker {
  public:
    BoundMaker(Relation index, std::span<const TaskColumn> key)
        : index_(index), key_(key), sink_(make_sink(CurrentMemoryContext)) {}

    /// The bound of one tuple; only its kind's byte where the tuple has no key.
    core::ByteView make(IndexTuple tuple) {
        std::size_t stored = BTreeTupleGetNAtts(tuple, index_);
        sink_.clear();
        sink_.append_u8(core::kKeyBound);
        for (std::size_t i = 0; i < std::min(stored, key_.size()); ++i) {
            bool null;
            Datum value = index_getattr(tuple, static_cast<int>(i + 1), RelationGetDescr(index_), &null);
            append_framed(key_[i].reader, value, null, sink_);
        }
        auto* copy = static_cast<std::uint8_t*>(palloc(sink_.size));
        memcpy(copy, sink_.data, sink_.size);
        return {copy, sink_.size};
    }

  private:
    Relation index_;
    std::span<const TaskColumn> key_;
    core::ByteSink sink_;
};

/// Takes samples.size() of the level's `items` keys (all, if there are fewer) at even distances: n keys stand between
/// n + 1 pages of about equal weight.
std::size_t sample_level(Relation index, Level level, std::size_t items, std::span<const TaskColumn> key,
                         std::span<core::ByteView> samples) {
    BoundMaker maker(index, key);
    std::size_t seen = 0;
    std::size_t made = 0;
    walk_level<Look::kCopy>(index, level, [&](Page page, BTPageOpaque, OffsetNumber first) {
        for (OffsetNumber at = first; at <= PageGetMaxOffsetNumber(page) && made < samples.size(); ++at, ++seen) {
            if (items > samples.size() && (seen + 2) * (samples.size() + 1) <= (made + 1) * (items + 1)) continue;
            core::ByteView bound = maker.make(index_tuple_at(page, at));
            if (bound.size() > 1) samples[made++] = bound;
        }
        return made < samples.size();
    });
    return made;
}

}  // namespace

std::size_t sample_btree(Oid index_id, std::span<const TaskColumn> key, std::span<core::ByteView> samples) {
    Relation index = index_open(index_id, AccessShareLock);
    std::size_t items = 0;
    std::size_t made = 0;
    Level level = read_root(index);
    for (; level.block != P_NONE; level = {leftmost_child(index, level), level.number - 1}) {
        items = count_items(index, level);
        if (level.number == 0 || items >= samples.size()) break;
    }
    if (items > 0) made = sample_level(index, level, items, key, samples);
    index_close(index, NoLock);
    return made;
}

}  // namespace parity::backend
