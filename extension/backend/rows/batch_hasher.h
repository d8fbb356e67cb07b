#pragma once

#include "backend/pg.h"

#include <span>
#include <type_traits>

#include "backend/rows/prefetch.h"
#include "backend/rows/stored_column.h"
#include "backend/rows/tuple_layout.h"
#include "backend/sums/hash_total.h"
#include "backend/sums/matrix.h"
#include "backend/task/spec.h"
#include "core/bounds.h"

/// Stored tuples to sums, many rows at a time: what RowHasher does with the values of one row.
namespace parity::backend {

/// What is told of a row.
struct HashedRow {
    std::uint32_t bucket;     ///< bucket_index(); the range, from 0, where there is one bucket
    core::ByteView key;       ///< framed
    core::u128 hash;          ///< under a width of 64 the high halves are 0
    const core::u128* cells;  ///< one a column
};

/// Receives the rows of kept ranges, in a context that is reset after each.
struct HashedRowConsumer {
    void (*take)(void* state, const HashedRow& row);
    void* state;
};

/// Sees tuples and their ranges, kept or not, before they are hashed.
struct RangeWatcher {
    /// `first` is the position of the first of these tuples among those that were handed to the hasher.
    void (*see)(void* state, std::size_t first, std::span<const std::uint32_t> ranges);
    void* state;
};

/// Hashes the tuples of one relation under one spec. Each process has its own.
///
/// A batch of rows is worked on column by column, so that the loops within know what they hash, and do not wait for one
/// row's hash before they begin the next one's.
class BatchHasher {
  public:
    /// `inputs` are the key's and then the columns', parallel to the spec's, with positions in the tuple. The hasher's
    /// memory comes from `context`. Values that need memory take it from `scratch_context`, which is reset after each
    /// of them. `keeps_most`: although not all ranges are kept, most of the rows to come are of kept ones.
    /// Requires: the spec, and what the finder of its ranges points to, outlive the hasher.
    BatchHasher(const DigestSpec& spec, const core::RangeFinder& finder, TupleDesc descriptor,
                std::span<const RowInput> inputs, MemoryContext context, MemoryContext scratch_context,
                bool keeps_most = false);

    /// Adds tuples to the sums of their ranges. Meanwhile, `upcoming` is fetched: the page whose tuples come next, or
    /// null.
    void accumulate(std::span<const HeapTupleHeader> tuples, const char* upcoming, const DigestMatrix& matrix);

    /// Hands the tuples of kept ranges, or buckets, to a consumer instead.
    void hand_over(std::span<const HeapTupleHeader> tuples, const char* upcoming, const HashedRowConsumer& consumer);

    /// Has the ranges of all tuples seen from now on.
    /// Requires: the watcher outlives the hasher.
    void watch(const RangeWatcher& watcher) { watcher_ = &watcher; }

    /// The keys so far.
    /// Requires: buckets are chosen.
    const KeysRead& keys_read() const { return keys_read_; }

  private:
    template <typename Work>
    void for_each_batch(std::span<const HeapTupleHeader> tuples, const char* upcoming, Work work);
    template <typename H>
    std::size_t hash_batch(std::span<const HeapTupleHeader> tuples, PagePrefetch& prefetch);
    template <typename H>
    void accumulate_batch(std::span<const HeapTupleHeader> tuples, PagePrefetch& prefetch, const DigestMatrix& matrix);
    template <typename H>
    void pass_batch(std::span<const HeapTupleHeader> tuples, PagePrefetch& prefetch, const HashedRowConsumer& consumer);
    void find_values(const TupleLayout& layout, std::span<const HeapTupleHeader> tuples);
    template <typename H>
    void hash_keys(std::size_t rows);
    void frame_key(std::size_t row);
    template <typename H>
    void hash_key(std::size_t row);
    bool keeps_all(std::size_t rows) const;
    template <typename H>
    std::size_t drop_rows(std::span<const HeapTupleHeader> tuples);
    template <typename H>
    void prefetch_sums(const DigestMatrix& matrix, std::size_t from, std::size_t to) const;
    template <typename H>
    void hash_columns(std::size_t rows, PagePrefetch& prefetch, const DigestMatrix* matrix);
    template <typename H>
    void hash_framed_row(std::size_t row);
    template <typename H>
    void add_rows(std::size_t rows, const DigestMatrix& matrix) const;
    template <typename H>
    void pass_row(std::size_t row, const HashedRowConsumer& consumer);

    bool keyless() const { return spec_.key_forms.empty(); }
    const StoredValue* values_of(const StoredColumn& column) const { return values_ + column.slot * kBatchRows; }
    template <typename H>
    H* key_hashes() const {
        return static_cast<H*>(key_hashes_);
    }
    /// The cells of a row, one a column.
    template <typename H>
    H* cells(std::size_t row) const {
        return static_cast<H*>(cells_) + row * columns_.size();
    }

    const DigestSpec& spec_;
    MemoryContext scratch_context_;
    TupleLayout layout_;
    const bool chooses_rows_;            ///< by their keys, before their other values are looked for
    TupleLayout key_layout_;             ///< of the key alone, if so
    std::span<const StoredColumn> key_;  ///< keyless: all columns
    std::span<const StoredColumn> columns_;
    core::RangeFinder finder_;
    core::ByteSink framed_;
    Scratch scratch_;
    StoredValue* values_;      ///< a batch's values of one slot after those of the other
    void* key_hashes_;         ///< one a row, of the spec's width
    void* cells_;              ///< a row's cells after the other's
    core::u128* handed_over_;  ///< the cells of the row that is handed over
    std::uint8_t* frames_;
    KeysRead keys_read_;
    const RangeWatcher* watcher_ = nullptr;
    std::size_t batches_end_ = 0;  ///< how many of the tuples that were handed to it were begun
    core::u64 seeds_[kBatchRows];
    std::uint32_t ranges_[kBatchRows];
};
static_assert(std::is_trivially_destructible_v<BatchHasher>);

}  // namespace parity::backend
