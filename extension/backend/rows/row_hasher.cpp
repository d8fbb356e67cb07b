#include "backend/rows/row_hasher.h"

#include "backend/memory.h"
#include "backend/sums/row_sums.h"
#include "core/order.h"

namespace parity::backend {
namespace {

std::span<const StoredColumn> given_columns(std::span<const RowInput> inputs, MemoryContext context) {
    auto* columns = allocate_array<StoredColumn>(context, inputs.size() + 1);
    for (std::size_t i = 0; i < inputs.size(); ++i) columns[i] = given_column(inputs[i]);
    return {columns, inputs.size()};
}

}  // namespace

RowHasher::RowHasher(const DigestSpec& spec, std::span<const RowInput> key, std::span<const RowInput> columns,
                     MemoryContext context)
    : spec_(spec),
      key_(given_columns(key, context)),
      columns_(given_columns(columns, context)),
      finder_(spec.bounds, spec.key_forms, allocate_array<std::int64_t>(context, spec.bounds.size() + 1)),
      framed_(make_sink(context)),
      scratch_(make_scratch(context)),
      cells_(allocate_array<core::u128>(context, columns.size() + 1)) {}

core::ByteView RowHasher::frame_key(const Datum* values, const bool* nulls) {
    framed_.clear();
    for (const StoredColumn& column : key_.empty() ? columns_ : key_)
        append_framed(column.reader, values[column.slot], nulls[column.slot], framed_);
    return key_frame_ = framed_.view();
}

std::uint32_t RowHasher::range_of_framed_key() {
    return finder_.find(key_frame_, finder_.by_hash() ? core::low_half(hash_of_framed_key()) : 0);
}

core::u128 RowHasher::hash_of_framed_key() const {
    return spec_.wide ? core::hash_bytes<core::u128>(key_frame_, spec_.seed)
                      : core::hash_bytes<core::u64>(key_frame_, spec_.seed);
}

/// Frames the key and hashes the frame; most keys are one column of fixed width.
template <typename H>
H RowHasher::hash_key(const Datum* values, const bool* nulls) {
    H hash;
    if (key_.size() == 1) {
        const StoredValue value = given_value(key_[0], values, nulls);
        if (const FixedKeys keys = hash_fixed_keys(key_[0], &value, 1, spec_.seed, fixed_frame_, &hash);
            keys.frame_bytes > 0) {
            key_frame_ = {fixed_frame_, keys.frame_bytes};
            return hash;
        }
    }
    return core::hash_bytes<H>(frame_key(values, nulls), spec_.seed);
}

template <typename H>
void RowHasher::hash_cells_as(const Datum* values, const bool* nulls, H key_hash) {
    if (key_.empty()) return hash_framed_cells<H>();
    hash_given_cells(columns_, values, nulls, core::low_half(key_hash), scratch_, cells<H>());
}

/// A keyless row's framed key holds every column's canonical bytes already.
template <typename H>
void RowHasher::hash_framed_cells() {
    core::FrameReader frames(key_frame_);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::optional<core::FramedValue> value = frames.next(spec_.column_forms[i]);
        if (!value) elog(ERROR, "framed row is malformed");
        cells<H>()[i] =
            value->null ? core::null_cell_hash<H>(spec_.seed) : core::hash_bytes<H>(value->bytes, spec_.seed);
    }
}

template <typename H>
void RowHasher::accumulate_as(const Datum* values, const bool* nulls, const DigestMatrix& matrix) {
    const H key_hash = hash_key<H>(values, nulls);
    const std::uint32_t range = finder_.find(key_frame_, core::low_half(key_hash));
    if (!spec_.keeps(range)) return;
    hash_cells_as<H>(values, nulls, key_hash);
    add_row<H>(matrix, range, key_hash, cells<H>(), columns_.size());
}

template void RowHasher::accumulate_as<core::u64>(const Datum*, const bool*, const DigestMatrix&);
template void RowHasher::accumulate_as<core::u128>(const Datum*, const bool*, const DigestMatrix&);

core::u128 RowHasher::hash_cells(const Datum* values, const bool* nulls, core::u128* cells) {
    auto hash_as = [&](auto key_hash) -> core::u128 {
        using H = decltype(key_hash);
        hash_cells_as<H>(values, nulls, key_hash);
        core::RowFold<H> fold(key_hash);
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            fold.add(this->cells<H>()[i]);
            cells[i] = this->cells<H>()[i];
        }
        return fold.result();
    };
    return spec_.wide ? hash_as(core::hash_bytes<core::u128>(key_frame_, spec_.seed))
                      : hash_as(core::hash_bytes<core::u64>(key_frame_, spec_.seed));
}

}  // namespace parity::backend
