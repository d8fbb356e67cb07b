#include "backend/scan/page_reader.h"

namespace parity::backend {
namespace {

/// Tables beyond a quarter of shared buffers use a ring of a few buffers, as the server's own sequential scans do.
constexpr BlockNumber kRingShare = 4;

BufferAccessStrategy choose_strategy(Relation relation) {
    bool large = !RelationUsesLocalBuffers(relation) &&
                 RelationGetNumberOfBlocks(relation) > static_cast<BlockNumber>(NBuffers) / kRingShare;
    return large ? GetAccessStrategy(BAS_BULKREAD) : nullptr;
}

HeapTupleHeader tuple_of(Page page, ItemId item) { return reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item)); }

}  // namespace

/// On a standby only the page in use is pinned: a value that is fetched from elsewhere may wait for a lock of the
/// startup process, which would wait for the pins. (Since PostgreSQL 17 the server's stream pins some pages ahead,
/// there as in its own scans.)
PageReader::PageReader(Relation relation, Snapshot snapshot, const BlockSupply& blocks)
    : relation_(relation),
      snapshot_(snapshot),
      strategy_(choose_strategy(relation)),
      stream_(begin_blocks(relation, strategy_, blocks)),
      pin_ahead_(!RecoveryInProgress()) {
    if (pin_ahead_) ahead_ = next_block(stream_);
}

void PageReader::close() {
    if (BufferIsValid(current_)) ReleaseBuffer(current_);
    if (BufferIsValid(ahead_)) ReleaseBuffer(ahead_);
    end_blocks(stream_);
    if (strategy_) FreeAccessStrategy(strategy_);
}

bool PageReader::next() {
    CHECK_FOR_INTERRUPTS();
    if (BufferIsValid(current_)) ReleaseBuffer(current_);
    current_ = pin_ahead_ ? ahead_ : next_block(stream_);
    if (!BufferIsValid(current_)) return false;
    if (pin_ahead_) ahead_ = next_block(stream_);
    LockBuffer(current_, BUFFER_LOCK_SHARE);
    collect(BufferGetPage(current_));
    LockBuffer(current_, BUFFER_LOCK_UNLOCK);
    return true;
}

void PageReader::collect(Page page) {
    check_old_snapshot(snapshot_, relation_, page);
    const OffsetNumber last = PageGetMaxOffsetNumber(page);
    if (last > MaxHeapTuplesPerPage)
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                        errmsg("page %u of relation \"%s\" has %u line pointers", BufferGetBlockNumber(current_),
                               RelationGetRelationName(relation_), last)));
    count_ = 0;
    knows_roots_ = false;
    // Of a page that became all-visible on the primary, a snapshot taken in recovery need not see everything.
    if (PageIsAllVisible(page) && !snapshot_->takenDuringRecovery)
        collect_all(page, last);
    else
        collect_visible(page, last);
}

void PageReader::collect_all(Page page, OffsetNumber last) {
    for (OffsetNumber number = last; number >= FirstOffsetNumber; --number) {
        ItemId item = PageGetItemId(page, number);
        if (ItemIdIsNormal(item)) add(tuple_of(page, item), number);
    }
}

void PageReader::collect_visible(Page page, OffsetNumber last) {
    for (OffsetNumber number = last; number >= FirstOffsetNumber; --number) {
        ItemId item = PageGetItemId(page, number);
        if (!ItemIdIsNormal(item)) continue;
        HeapTupleHeader header = tuple_of(page, item);
        if (is_visible(header, item, number)) add(header, number);
    }
}

void PageReader::add(HeapTupleHeader header, OffsetNumber number) {
    tuples_[count_] = header;
    numbers_[count_++] = number;
}

/// The pin keeps chains from being pruned; the lock keeps others from making line pointers meanwhile.
OffsetNumber PageReader::root_of_chain(OffsetNumber number) {
    if (!knows_roots_) {
        LockBuffer(current_, BUFFER_LOCK_SHARE);
        heap_get_root_tuples(BufferGetPage(current_), roots_);
        LockBuffer(current_, BUFFER_LOCK_UNLOCK);
        knows_roots_ = true;
    }
    return roots_[number - FirstOffsetNumber];
}

/// Most tuples were inserted by a transaction that is known to have committed before the snapshot, and are not deleted.
/// As many have the same inserter, the question is not asked anew for each of them.
bool PageReader::is_visible(HeapTupleHeader header, ItemId item, OffsetNumber number) {
    constexpr uint16 kUnchanged = HEAP_XMIN_COMMITTED | HEAP_XMAX_INVALID;
    const bool unchanged = (header->t_infomask & kUnchanged) == kUnchanged;
    if (unchanged && HeapTupleHeaderGetRawXmin(header) == committed_) return true;
    HeapTupleData tuple;
    tuple.t_tableOid = RelationGetRelid(relation_);
    tuple.t_data = header;
    tuple.t_len = ItemIdGetLength(item);
    ItemPointerSet(&tuple.t_self, BufferGetBlockNumber(current_), number);
    if (!HeapTupleSatisfiesVisibility(&tuple, snapshot_, current_)) return false;
    if (unchanged && TransactionIdPrecedes(HeapTupleHeaderGetRawXmin(header), snapshot_->xmin))
        committed_ = HeapTupleHeaderGetRawXmin(header);
    return true;
}

}  // namespace parity::backend
