#pragma once

#include "backend/pg.h"

#include <span>
#include <type_traits>

#include "backend/pg_compat.h"

/// Reading a heap's pages directly, without the executor and its slots.
namespace parity::backend {

/// Reads pages of one heap. A page's visible tuples are found under its share lock; they are used with the page pinned
/// but unlocked, which keeps them where they are.
/// Requires: the transaction is not SERIALIZABLE, as nobody would notice its conflicts.
class PageReader {
  public:
    /// `blocks` tells which pages are read. Memory lives in the current context.
    /// Requires: `snapshot` is an MVCC snapshot, `blocks` outlives the reader, and the reader stays where it was made.
    PageReader(Relation relation, Snapshot snapshot, const BlockSupply& blocks);

    /// Goes to the next page.
    /// Returns: false where there is none.
    bool next();

    /// The tuples of the page that the snapshot sees, until next() or close(). They are in the order of their
    /// addresses: that of their line pointers in reverse, which the processor's prefetcher likes.
    std::span<const HeapTupleHeader> tuples() const { return {tuples_, count_}; }

    /// The page that they are on.
    BlockNumber block() const { return BufferGetBlockNumber(current_); }

    /// Their line pointers.
    std::span<const OffsetNumber> numbers() const { return {numbers_, count_}; }

    /// The line pointer of the first tuple of one's HOT chain, which is the one that indexes list.
    /// Returns: InvalidOffsetNumber where the chain has no first one.
    OffsetNumber root_of(std::size_t tuple) {
        return HeapTupleHeaderIsHeapOnly(tuples_[tuple]) ? root_of_chain(numbers_[tuple]) : numbers_[tuple];
    }

    /// The page that comes next. It may change: it is good for prefetching only.
    /// Returns: null where it is not known yet.
    const char* upcoming() const { return BufferIsValid(ahead_) ? BufferGetPage(ahead_) : nullptr; }

    /// Gives back what the constructor took.
    void close();

  private:
    void collect(Page page);
    void collect_all(Page page, OffsetNumber last);
    void collect_visible(Page page, OffsetNumber last);
    void add(HeapTupleHeader header, OffsetNumber number);
    OffsetNumber root_of_chain(OffsetNumber number);
    bool is_visible(HeapTupleHeader header, ItemId item, OffsetNumber number);

    Relation relation_;
    Snapshot snapshot_;
    BufferAccessStrategy strategy_;
    BlockStream stream_;
    Buffer current_ = InvalidBuffer;
    Buffer ahead_ = InvalidBuffer;  ///< the page after it, pinned already
    bool pin_ahead_;
    TransactionId committed_ = InvalidTransactionId;  ///< seen to be committed before the snapshot
    bool knows_roots_ = false;                        ///< of the current page
    std::size_t count_ = 0;
    HeapTupleHeader tuples_[MaxHeapTuplesPerPage];
    OffsetNumber numbers_[MaxHeapTuplesPerPage];  ///< parallel to tuples_
    OffsetNumber roots_[MaxHeapTuplesPerPage];    ///< by line pointer, from the first one on
};
static_assert(std::is_trivially_destructible_v<PageReader>);

}  // namespace parity::backend
