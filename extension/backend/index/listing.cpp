#include "backend/index/listing.h"

#include <algorithm>

#include "backend/index/btree_page.h"
#include "backend/index/search.h"
#include "backend/memory.h"
#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

constexpr std::size_t kFirstRoom = 4096;

/// 128 MB, with room for one more page. Parts of spans have far fewer, unless the key's first column does not tell
/// their ends apart.
constexpr std::size_t kMaxPlaces = 16 * 1024 * 1024;

/// The conditions under which an index finds the first columns of a row's key.
void set_conditions_of_row(Relation leaf, Relation index, HeapTupleHeader row, int columns, ScanKeyData* conditions) {
    HeapTupleData tuple{};
    tuple.t_data = row;
    tuple.t_tableOid = RelationGetRelid(leaf);
    for (int i = 0; i < columns; ++i) {
        bool null;
        Datum value = heap_getattr(&tuple, index->rd_index->indkey.values[i], RelationGetDescr(leaf), &null);
        const Oid type = index->rd_opcintype[i];
        const Oid equality =
            get_opfamily_member(index->rd_opfamily[i], type, type, static_cast<int16>(BTEqualStrategyNumber));
        if (null) {
            ScanKeyEntryInitialize(&conditions[i], SK_ISNULL | SK_SEARCHNULL, static_cast<AttrNumber>(i + 1),
                                   InvalidStrategy, InvalidOid, InvalidOid, InvalidOid, 0);
            continue;
        }
        if (!OidIsValid(equality)) elog(ERROR, "index \"%s\" cannot be searched", RelationGetRelationName(index));
        ScanKeyEntryInitialize(&conditions[i], 0, static_cast<AttrNumber>(i + 1), BTEqualStrategyNumber, type,
                               index->rd_indcollation[i], get_opcode(equality), value);
    }
}

core::u64 place_in(const ItemPointerData& tid) {
    return place_of(ItemPointerGetBlockNumber(&tid), ItemPointerGetOffsetNumber(&tid));
}

/// Whether items of a page, which may be broken, are on it.
bool are_on_page(Page page, OffsetNumber first, OffsetNumber last) {
    const auto* header = reinterpret_cast<const PageHeaderData*>(page);
    unsigned outside = header->pd_special > BLCKSZ;
    for (int at = first; at <= last; ++at) {
        const ItemIdData item = header->pd_linp[at - 1];
        outside |= item.lp_off + item.lp_len > header->pd_special || item.lp_len < sizeof(IndexTupleData);
    }
    return outside == 0;
}

/// Appends the places of a page's items, with what the loop needs at hand.
class PlaceWriter {
  public:
    PlaceWriter(core::u64* places, std::size_t count, std::size_t room, bool ascend)
        : places_(places),
          to_(places + count),
          end_(places + room),
          least_(count > 0 ? to_[-1] + 1 : 0),
          ascend_(ascend) {}

    /// A tuple has several places where rows share their key.
    void add(IndexTuple tuple) {
        if (!BTreeTupleIsPosting(tuple)) return add(tuple->t_tid);
        const std::size_t count = BTreeTupleGetNPosting(tuple);
        if (BTreeTupleGetPostingOffset(tuple) + count * sizeof(ItemPointerData) > IndexTupleSize(tuple)) to_ = end_;
        for (std::size_t i = 0; i < count; ++i) add(BTreeTupleGetPosting(tuple)[i]);
    }
    std::size_t count() const { return static_cast<std::size_t>(to_ - places_); }
    /// Whether the room did not suffice, or an item is broken.
    bool is_full() const { return to_ == end_; }
    bool ascend() const { return ascend_; }

  private:
    void add(const ItemPointerData& tid) {
        if (to_ == end_) return;
        const core::u64 place = place_in(tid);
        ascend_ &= place >= least_;
        least_ = place + 1;
        *to_++ = place;
    }

    core::u64* places_;
    core::u64* to_;
    core::u64* end_;
    core::u64 least_;  ///< that the next place may be, if places ascend
    bool ascend_;
};

}  // namespace

LeafListing::LeafListing(const DigestTask& task, Relation leaf, Oid index)
    : context_(CurrentMemoryContext),
      leaf_(leaf),
      index_(index_open(index, AccessShareLock)),
      lookup_columns_(searchable_columns(task, index_)),
      compare_context_(AllocSetContextCreate(CurrentMemoryContext, "parity comparison", ALLOCSET_SMALL_SIZES)),
      page_(static_cast<Page>(palloc(BLCKSZ))),
      places_(allocate_array<core::u64>(CurrentMemoryContext, kFirstRoom)),
      room_(kFirstRoom) {}

/// Rows that the snapshot sees were in the index before it was taken, and none of their items can be removed while it
/// is there. Items only move to the right, when a page is split, so reading on to the right finds each at least once.
/// What others add meanwhile belongs to rows that the snapshot does not see.
std::span<const core::u64> LeafListing::list(const KeyInterval& interval) {
    ScanKeyData room[2];
    const std::span<ScanKeyData> conditions(room,
                                            static_cast<std::size_t>(interval_conditions(index_, interval, room)));
    count_ = 0;
    ascend_ = true;
    core::u64 pages = 0;
    for (BlockNumber block = first_page(conditions); block != P_NONE; block = take_page(block, conditions)) {
        CHECK_FOR_INTERRUPTS();
        if (count_ + MaxTIDsPerBTreePage >= kMaxPlaces) complain_of_length();
        if (++pages > all_pages_) check_page_count(pages);
    }
    if (!ascend_) {
        std::sort(places_, places_ + count_);
        count_ = static_cast<std::size_t>(std::unique(places_, places_ + count_) - places_);
    }
    if (count_ > 0 && block_of(places_[count_ - 1]) >= RelationGetNumberOfBlocks(leaf_)) complain_of_end();
    return {places_, count_};
}

/// The pages of a broken index may follow one another in a circle.
void LeafListing::check_page_count(core::u64 pages) {
    all_pages_ = RelationGetNumberOfBlocks(index_);
    if (pages > all_pages_) complain_of_page();
}

/// The leaf page with the first item that fulfils the conditions, as the access method finds it.
/// Returns: P_NONE where there is no such item.
BlockNumber LeafListing::first_page(std::span<ScanKeyData> conditions) {
    const int count = static_cast<int>(conditions.size());
    IndexScanDesc scan = begin_index_scan(leaf_, index_, GetActiveSnapshot(), count);
    index_rescan(scan, conditions.data(), count, nullptr, 0);
    const bool found = index_getnext_tid(scan, ForwardScanDirection) != nullptr;
    const BlockNumber block = found ? static_cast<BTScanOpaque>(scan->opaque)->currPos.currPage : P_NONE;
    index_endscan(scan);
    return block;
}

/// Lists the items of a page. It is copied, which takes less time than reading it where it is: its items are not in the
/// order of their addresses, and the processor fetches what is.
/// Returns: the page to go on with, P_NONE behind the last one.
BlockNumber LeafListing::take_page(BlockNumber block, std::span<ScanKeyData> conditions) {
    make_room();
    Buffer buffer = ReadBuffer(index_, block);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    memcpy(page_, BufferGetPage(buffer), BLCKSZ);
    UnlockReleaseBuffer(buffer);
    check_btree_page(index_, page_, block, 0);
    MemoryContext caller = MemoryContextSwitchTo(compare_context_);
    const BlockNumber next = take_items(page_, conditions);
    MemoryContextSwitchTo(caller);
    MemoryContextReset(compare_context_);
    return next;
}

/// Items are in the index's order: between two that fulfil the conditions are none that do not. Those that are marked
/// as dead are listed, too: on a standby, its snapshots may see their rows.
BlockNumber LeafListing::take_items(Page page, std::span<ScanKeyData> conditions) {
    BTPageOpaque opaque = BTPageGetOpaque(page);
    const OffsetNumber first = P_FIRSTDATAKEY(opaque);
    const OffsetNumber last = PageGetMaxOffsetNumber(page);
    if (P_IGNORE(opaque) || last < first) return opaque->btpo_next;
    if (!are_on_page(page, first, last)) complain_of_page();
    IndexTuple last_tuple = index_tuple_at(page, last);
    const bool all = hold(conditions, index_tuple_at(page, first)) && hold(conditions, last_tuple);
    PlaceWriter writer(places_, count_, room_, ascend_);
    for (OffsetNumber at = first; at <= last; ++at)
        if (IndexTuple tuple = index_tuple_at(page, at); all || hold(conditions, tuple)) writer.add(tuple);
    if (writer.is_full()) complain_of_page();
    count_ = writer.count();
    ascend_ = writer.ascend();
    return is_behind(conditions, last_tuple) ? P_NONE : opaque->btpo_next;
}

void LeafListing::complain_of_length() const {
    ereport(ERROR,
            (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
             errmsg("too many rows of \"%s\" share a value of the key's first column", RelationGetRelationName(leaf_)),
             errdetail("Index \"%s\" lists more than %zu rows for a part of a span.", RelationGetRelationName(index_),
                       kMaxPlaces)));
    pg_unreachable();
}

/// A row's block is in the table before its place is in the index.
void LeafListing::complain_of_end() const {
    ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                    errmsg("index \"%s\" lists rows behind the end of \"%s\"", RelationGetRelationName(index_),
                           RelationGetRelationName(leaf_)),
                    errdetail("The table may have lost its last blocks.")));
    pg_unreachable();
}

void LeafListing::complain_of_page() const {
    ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
                    errmsg("index \"%s\" has broken pages", RelationGetRelationName(index_))));
    pg_unreachable();
}

/// For the items of a page.
void LeafListing::make_room() {
    if (room_ - count_ > static_cast<std::size_t>(MaxTIDsPerBTreePage)) return;
    room_ *= 2;
    places_ = static_cast<core::u64*>(repalloc_huge(places_, room_ * sizeof *places_));
}

bool LeafListing::holds(const ScanKeyData& condition, IndexTuple tuple) const {
    bool null;
    const Datum value = index_getattr(tuple, condition.sk_attno, RelationGetDescr(index_), &null);
    FmgrInfo* compare = const_cast<FmgrInfo*>(&condition.sk_func);
    return !null && DatumGetBool(FunctionCall2Coll(compare, condition.sk_collation, value, condition.sk_argument));
}

bool LeafListing::hold(std::span<ScanKeyData> conditions, IndexTuple tuple) const {
    return std::all_of(conditions.begin(), conditions.end(),
                       [&](const ScanKeyData& condition) { return holds(condition, tuple); });
}

/// Whether a tuple is behind the end of the interval: its upper one, unless the index descends.
bool LeafListing::is_behind(std::span<ScanKeyData> conditions, IndexTuple tuple) const {
    const bool descends = (index_->rd_indoption[0] & INDOPTION_DESC) != 0;
    const StrategyNumber end = descends ? BTGreaterEqualStrategyNumber : BTLessEqualStrategyNumber;
    return std::any_of(conditions.begin(), conditions.end(), [&](const ScanKeyData& condition) {
        return condition.sk_strategy == end && !holds(condition, tuple);
    });
}

void LeafListing::require_listed(HeapTupleHeader row, core::u64 place) {
    MemoryContext caller = MemoryContextSwitchTo(context_);
    if (!lookup_) lookup_ = begin_index_scan(leaf_, index_, GetActiveSnapshot(), lookup_columns_);
    MemoryContextSwitchTo(compare_context_);
    if (!finds(row, place)) complain(place);
    MemoryContextSwitchTo(caller);
    MemoryContextReset(compare_context_);
}

bool LeafListing::finds(HeapTupleHeader row, core::u64 place) {
    ScanKeyData conditions[INDEX_MAX_KEYS];
    set_conditions_of_row(leaf_, index_, row, lookup_columns_, conditions);
    index_rescan(lookup_, conditions, lookup_columns_, nullptr, 0);
    while (ItemPointer tid = index_getnext_tid(lookup_, ForwardScanDirection)) {
        CHECK_FOR_INTERRUPTS();
        if (place_in(*tid) == place) return true;
    }
    return false;
}

void LeafListing::complain(core::u64 place) const {
    ereport(ERROR, (errcode(kIndexLacksRows),
                    errmsg("index \"%s\" lacks rows of \"%s\"", RelationGetRelationName(index_),
                           RelationGetRelationName(leaf_)),
                    errdetail("One of them is at (%u,%u).", block_of(place), number_of(place)),
                    errhint("REINDEX INDEX makes the index anew. What reads through it misses these rows.")));
    pg_unreachable();
}

void LeafListing::close() {
    if (lookup_) index_endscan(lookup_);
    index_close(index_, AccessShareLock);
}

}  // namespace parity::backend
