#include "backend/rows/batch_hasher.h"

#include <algorithm>

#include "backend/memory.h"
#include "backend/sums/row_sums.h"
#include "core/leading_number.h"
#include "core/order.h"

namespace parity::backend {
namespace {

/// Steps of a batch that work on no column alone.
constexpr std::size_t kOtherSteps = 2;

TupleLayout layout_of(TupleDesc descriptor, std::span<const RowInput> inputs, MemoryContext context) {
    int* positions = allocate_array<int>(context, inputs.size() + 1);
    for (std::size_t i = 0; i < inputs.size(); ++i) positions[i] = inputs[i].position;
    return TupleLayout(descriptor, {positions, inputs.size()}, context);
}

std::span<const StoredColumn> stored_columns(TupleDesc descriptor, std::span<const RowInput> inputs,
                                             const TupleLayout& layout, MemoryContext context) {
    auto* columns = allocate_array<StoredColumn>(context, inputs.size() + 1);
    for (std::size_t i = 0; i < inputs.size(); ++i) columns[i] = stored_column(descriptor, inputs[i], layout);
    return {columns, inputs.size()};
}

}  // namespace

BatchHasher::BatchHasher(const DigestSpec& spec, const core::RangeFinder& finder, TupleDesc descriptor,
                         std::span<const RowInput> inputs, MemoryContext context, MemoryContext scratch_context,
                         bool keeps_most)
    : spec_(spec),
      scratch_context_(scratch_context),
      layout_(layout_of(descriptor, inputs, context)),
      chooses_rows_(!spec.kept.empty() && !spec.key_forms.empty() && !keeps_most),
      key_layout_(chooses_rows_ ? layout_of(descriptor, inputs.first(spec.key_forms.size()), context) : layout_),
      key_(stored_columns(descriptor, inputs, layout_, context)),
      columns_(key_.subspan(spec.key_forms.size())),
      finder_(finder),
      framed_(make_sink(context)),
      scratch_(make_scratch(context)),
      values_(allocate_array<StoredValue>(context, layout_.slots() * kBatchRows)),
      key_hashes_(allocate_array<core::u128>(context, kBatchRows)),
      cells_(allocate_array<core::u128>(context, columns_.size() * kBatchRows + 1)),
      handed_over_(allocate_array<core::u128>(context, columns_.size() + 1)),
      frames_(allocate_array<std::uint8_t>(context, kBatchRows * kFrameRoom)) {
    if (!keyless()) key_ = key_.first(spec.key_forms.size());
    std::fill_n(seeds_, kBatchRows, spec.seed);
}

/// Calls `work(batch, prefetch)` for one batch after the other.
template <typename Work>
void BatchHasher::for_each_batch(std::span<const HeapTupleHeader> tuples, const char* upcoming, Work work) {
    MemoryContext caller = MemoryContextSwitchTo(scratch_context_);
    const std::size_t batches = (tuples.size() + kBatchRows - 1) / kBatchRows;
    PagePrefetch prefetch(upcoming, batches * (columns_.size() + kOtherSteps));
    batches_end_ = 0;
    for (; !tuples.empty(); tuples = tuples.subspan(std::min(tuples.size(), kBatchRows)))
        work(tuples.first(std::min(tuples.size(), kBatchRows)), prefetch);
    MemoryContextSwitchTo(caller);
}

void BatchHasher::accumulate(std::span<const HeapTupleHeader> tuples, const char* upcoming,
                             const DigestMatrix& matrix) {
    for_each_batch(tuples, upcoming, [&](std::span<const HeapTupleHeader> batch, PagePrefetch& prefetch) {
        if (spec_.wide)
            accumulate_batch<core::u128>(batch, prefetch, matrix);
        else
            accumulate_batch<core::u64>(batch, prefetch, matrix);
    });
}

void BatchHasher::hand_over(std::span<const HeapTupleHeader> tuples, const char* upcoming,
                            const HashedRowConsumer& consumer) {
    for_each_batch(tuples, upcoming, [&](std::span<const HeapTupleHeader> batch, PagePrefetch& prefetch) {
        if (spec_.wide)
            pass_batch<core::u128>(batch, prefetch, consumer);
        else
            pass_batch<core::u64>(batch, prefetch, consumer);
    });
}

/// Hashes the keys, and of the rows whose ranges are kept gives how many they are. Where not all are, only the keys are
/// looked for at first.
template <typename H>
std::size_t BatchHasher::hash_batch(std::span<const HeapTupleHeader> tuples, PagePrefetch& prefetch) {
    find_values(key_layout_, tuples);
    prefetch.step();
    hash_keys<H>(tuples.size());
    prefetch.step();
    if (watcher_) watcher_->see(watcher_->state, batches_end_, {ranges_, tuples.size()});
    batches_end_ += tuples.size();
    return keeps_all(tuples.size()) ? tuples.size() : drop_rows<H>(tuples);
}

template <typename H>
void BatchHasher::accumulate_batch(std::span<const HeapTupleHeader> tuples, PagePrefetch& prefetch,
                                   const DigestMatrix& matrix) {
    const std::size_t rows = hash_batch<H>(tuples, prefetch);
    if (keyless() || columns_.empty())
        prefetch_sums<H>(matrix, 0, rows);
    else
        hash_columns<H>(rows, prefetch, &matrix);
    add_rows<H>(rows, matrix);
}

template <typename H>
void BatchHasher::pass_batch(std::span<const HeapTupleHeader> tuples, PagePrefetch& prefetch,
                             const HashedRowConsumer& consumer) {
    const std::size_t rows = hash_batch<H>(tuples, prefetch);
    if (!keyless()) hash_columns<H>(rows, prefetch, nullptr);
    for (std::size_t row = 0; row < rows; ++row) pass_row<H>(row, consumer);
}

/// The key's columns have the same slots in both layouts: they are the first ones.
void BatchHasher::find_values(const TupleLayout& layout, std::span<const HeapTupleHeader> tuples) {
    for (std::size_t row = 0; row < tuples.size(); ++row) layout.find(tuples[row], values_ + row);
}

template <typename H>
void BatchHasher::hash_keys(std::size_t rows) {
    H* hashes = key_hashes<H>();
    FixedKeys fixed{};
    if (spec_.key_forms.size() == 1)
        fixed = hash_fixed_keys(key_[0], values_of(key_[0]), rows, spec_.seed, frames_, hashes);
    if (fixed.frame_bytes == 0) {
        for (std::size_t row = 0; row < rows; ++row) hash_key<H>(row);
        return;
    }
    if (const std::optional<std::uint32_t> range = finder_.find_same(fixed.lowest, fixed.highest)) {
        std::fill_n(ranges_, rows, *range);
        return;
    }
    const core::FramedKeys keys{frames_, kFrameRoom, fixed.frame_bytes};
    std::int64_t numbers[kBatchRows];
    if (finder_.by_hash())
        std::transform(hashes, hashes + rows, numbers,
                       [](H hash) { return core::ordered_number(core::low_half(hash)); });
    else
        finder_.read_numbers(keys, {numbers, rows});
    finder_.find_all(keys, {numbers, rows}, ranges_);
}

void BatchHasher::frame_key(std::size_t row) {
    framed_.clear();
    for (const StoredColumn& column : key_) {
        append_stored_frame(column, values_of(column)[row], scratch_, framed_);
        release_value();
    }
}

/// A keyless row's cells are hashed at once, because its framed key holds all of their bytes.
template <typename H>
void BatchHasher::hash_key(std::size_t row) {
    CHECK_FOR_INTERRUPTS();
    frame_key(row);
    H& hash = key_hashes<H>()[row];
    hash = core::hash_bytes<H>(framed_.view(), spec_.seed);
    ranges_[row] = finder_.find(framed_.view(), core::low_half(hash));
    if (keyless() && spec_.keeps(ranges_[row])) hash_framed_row<H>(row);
}

template <typename H>
void BatchHasher::hash_framed_row(std::size_t row) {
    core::FrameReader frames(framed_.view());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::optional<core::FramedValue> value = frames.next(spec_.column_forms[i]);
        if (!value) elog(ERROR, "framed row is malformed");
        cells<H>(row)[i] =
            value->null ? core::null_cell_hash<H>(spec_.seed) : core::hash_bytes<H>(value->bytes, spec_.seed);
    }
}

/// Whether the rows of a batch are all of kept ranges, and all of their values are found.
bool BatchHasher::keeps_all(std::size_t rows) const {
    if (spec_.kept.empty()) return true;
    if (chooses_rows_ || !spec_.kept_buckets.empty()) return false;
    unsigned all = 1;
    for (std::size_t row = 0; row < rows; ++row) all &= spec_.kept[ranges_[row]];
    return all != 0;
}

/// Moves the rows whose ranges are kept together, and finds all of their values; gives how many they are.
template <typename H>
std::size_t BatchHasher::drop_rows(std::span<const HeapTupleHeader> tuples) {
    HeapTupleHeader kept[kBatchRows];
    std::size_t count = 0;
    for (std::size_t row = 0; row < tuples.size(); ++row) {
        if (!spec_.keeps(ranges_[row])) continue;
        if (!spec_.kept_buckets.empty()) {
            keys_read_.seen.add(key_hashes<H>()[row]);
            if (!spec_.keeps_bucket(ranges_[row], core::low_half(key_hashes<H>()[row]))) continue;
            keys_read_.chosen.add(key_hashes<H>()[row]);
        }
        kept[count] = tuples[row];
        ranges_[count] = ranges_[row];
        key_hashes<H>()[count] = key_hashes<H>()[row];
        if (keyless()) std::copy_n(cells<H>(row), columns_.size(), cells<H>(count));
        ++count;
    }
    find_values(layout_, {kept, count});
    return count;
}

/// Sums that were not in use lately come from memory while cells are hashed. The processor takes few requests at a
/// time, so that they are made a few rows after each column.
template <typename H>
void BatchHasher::prefetch_sums(const DigestMatrix& matrix, std::size_t from, std::size_t to) const {
    for (std::size_t row = from; row < to; ++row) {
        if (row == 0 || ranges_[row] != ranges_[row - 1])
            prefetch_for_change(matrix.range(ranges_[row]), matrix.stride * sizeof(core::u64));
        if (matrix.buckets > 1)
            prefetch_for_change(
                matrix.bucket(bucket_index(ranges_[row], core::low_half(key_hashes<H>()[row]), matrix.buckets)), 1);
    }
}

template <typename H>
void BatchHasher::hash_columns(std::size_t rows, PagePrefetch& prefetch, const DigestMatrix* matrix) {
    for (std::size_t row = 0; row < rows; ++row) seeds_[row] = core::low_half(key_hashes<H>()[row]);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        hash_cells(columns_[i], values_of(columns_[i]), rows, seeds_, scratch_, cells<H>(0) + i, columns_.size());
        prefetch.step();
        if (matrix) prefetch_sums<H>(*matrix, rows * i / columns_.size(), rows * (i + 1) / columns_.size());
    }
}

template <typename H>
void BatchHasher::add_rows(std::size_t rows, const DigestMatrix& matrix) const {
    for (std::size_t row = 0; row < rows; ++row)
        add_row<H>(matrix, ranges_[row], key_hashes<H>()[row], cells<H>(row), columns_.size());
}

/// The key is framed once more: the frame that was hashed was overwritten by that of the next row.
template <typename H>
void BatchHasher::pass_row(std::size_t row, const HashedRowConsumer& consumer) {
    frame_key(row);
    core::RowFold<H> fold(key_hashes<H>()[row]);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const H cell = cells<H>(row)[i];
        fold.add(cell);
        handed_over_[i] = cell;
    }
    const std::size_t bucket = bucket_index(ranges_[row], core::low_half(key_hashes<H>()[row]), spec_.buckets);
    consumer.take(consumer.state, {static_cast<std::uint32_t>(bucket), framed_.view(), fold.result(), handed_over_});
    release_value();
}

}  // namespace parity::backend
