#pragma once

#include "backend/pg.h"

#include <span>
#include <type_traits>

#include "backend/query/key_condition.h"
#include "backend/task/task.h"
#include "core/bytes.h"
#include "core/hash.h"

/// What an index lists: where rows are, without looking at them.
namespace parity::backend {

/// SQLSTATE of "index X lacks rows".
inline constexpr int kIndexLacksRows = MAKE_SQLSTATE('P', 'P', '0', '0', '4');

/// A row's place in one leaf as a number, in the order of places.
inline core::u64 place_of(BlockNumber block, OffsetNumber number) { return core::u64{block} << 16 | number; }
inline BlockNumber block_of(core::u64 place) { return static_cast<BlockNumber>(place >> 16); }
inline OffsetNumber number_of(core::u64 place) { return static_cast<OffsetNumber>(place & 0xFFFF); }

/// A leaf's B-tree on the task's key.
class LeafListing {
  public:
    /// `index` is one of the leaf's that interval_index() gives. Memory is in the current context.
    LeafListing(const DigestTask& task, Relation leaf, Oid index);

    /// The places that the index lists for an interval, ascending, each once: those of rows that the active snapshot
    /// sees, and perhaps others. They live until the next call. The index's leaf pages are read directly, because the
    /// access method takes longer to tell of a row than its digest takes.
    /// Errors: 54000 where they are too many, XX002 where the index is broken or the leaf ends before one of them.
    std::span<const core::u64> list(const KeyInterval& interval);

    /// Checks that the index lists the place of a row of the leaf under the row's own key.
    /// Errors: PP004 ("index X lacks rows") if it does not.
    void require_listed(HeapTupleHeader row, core::u64 place);

    /// Says that the index lacks the row at a place.
    /// Errors: PP004, always.
    [[noreturn]] void complain(core::u64 place) const;

    void close();

  private:
    BlockNumber first_page(std::span<ScanKeyData> conditions);
    BlockNumber take_page(BlockNumber block, std::span<ScanKeyData> conditions);
    BlockNumber take_items(Page page, std::span<ScanKeyData> conditions);
    void make_room();
    [[noreturn]] void complain_of_length() const;
    void check_page_count(core::u64 pages);
    [[noreturn]] void complain_of_end() const;
    [[noreturn]] void complain_of_page() const;
    bool finds(HeapTupleHeader row, core::u64 place);
    bool holds(const ScanKeyData& condition, IndexTuple tuple) const;
    bool hold(std::span<ScanKeyData> conditions, IndexTuple tuple) const;
    bool is_behind(std::span<ScanKeyData> conditions, IndexTuple tuple) const;

    MemoryContext context_;
    Relation leaf_;
    Relation index_;
    IndexScanDesc lookup_ = nullptr;  ///< of keys
    int lookup_columns_;              ///< how many columns of a key it searches for
    MemoryContext compare_context_;   ///< of what one page, or one key, needs
    Page page_;                       ///< a copy of the one that is read
    core::u64* places_;
    std::size_t count_ = 0;
    std::size_t room_;
    core::u64 all_pages_ = 0;  ///< of the index, when they were counted last
    bool ascend_ = true;       ///< the places, each above the one before
};
static_assert(std::is_trivially_destructible_v<LeafListing>);

}  // namespace parity::backend
