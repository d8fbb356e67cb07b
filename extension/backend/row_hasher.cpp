#include "backend/row_hasher.h"

#include "backend/memory.h"

namespace parity::backend {
namespace {

template <typename H>
void add_to_sum(core::u64* sum, H hash) {
    if constexpr (sizeof(H) == 8) {
        *sum += hash;
    } else {
        core::u128 total = core::join_halves(sum[0], sum[1]) + hash;
        sum[0] = core::low_half(total);
        sum[1] = core::high_half(total);
    }
}

}  // namespace

RowHasher::RowHasher(const DigestSpec& spec, std::span<const RowInput> key, std::span<const RowInput> columns,
                     MemoryContext context)
    : spec_(spec),
      key_(key),
      columns_(columns),
      finder_(spec.bounds, spec.key_forms, allocate_array<std::int64_t>(context, spec.bounds.size() + 1)),
      framed_(make_sink(context)),
      scratch_(make_scratch(context)) {}

core::ByteView RowHasher::frame_key(const Datum* values, const bool* nulls) {
    framed_.clear();
    for (const RowInput& input : key_.empty() ? columns_ : key_)
        append_framed(input.reader, values[input.position], nulls[input.position], framed_);
    return framed_.view();
}

std::uint32_t RowHasher::range_of_framed_key() {
    core::u64 hash = 0;
    if (finder_.by_hash())
        hash = spec_.wide ? core::low_half(core::hash_bytes<core::u128>(framed_.view(), spec_.seed))
                          : core::hash_bytes<core::u64>(framed_.view(), spec_.seed);
    return finder_.find(framed_.view(), hash);
}

template <typename H, typename Consume>
H RowHasher::hash_cells_as(const Datum* values, const bool* nulls, H key_hash, Consume consume) {
    core::u64 cell_seed = core::low_half(key_hash);
    core::RowFold<H> fold(key_hash);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const RowInput& input = columns_[i];
        H cell = nulls[input.position]
                     ? core::null_cell_hash<H>(cell_seed)
                     : core::hash_bytes<H>(canonical_bytes(input.reader, values[input.position], scratch_), cell_seed);
        fold.add(cell);
        consume(i, cell);
    }
    return fold.result();
}

/// A keyless row's framed key holds every column's canonical bytes already.
template <typename H, typename Consume>
H RowHasher::hash_framed_cells_as(H key_hash, Consume consume) {
    core::RowFold<H> fold(key_hash);
    core::FrameReader frames(framed_.view());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::optional<core::FramedValue> value = frames.next(spec_.column_forms[i]);
        if (!value) elog(ERROR, "framed row is malformed");
        H cell = value->null ? core::null_cell_hash<H>(spec_.seed) : core::hash_bytes<H>(value->bytes, spec_.seed);
        fold.add(cell);
        consume(i, cell);
    }
    return fold.result();
}

template <typename H>
void RowHasher::accumulate_as(const Datum* values, const bool* nulls, const DigestMatrix& matrix) {
    core::ByteView framed = frame_key(values, nulls);
    H key_hash = core::hash_bytes<H>(framed, spec_.seed);
    std::uint32_t range = finder_.find(framed, core::low_half(key_hash));
    if (!spec_.keeps(range)) return;
    constexpr std::size_t kWords = sizeof(H) / sizeof(core::u64);
    core::u64* sums = matrix.range(range);
    core::u64* column_sums = matrix.column_sums(range);
    auto consume = [column_sums](std::size_t column, H cell) { add_to_sum(column_sums + column * kWords, cell); };
    H row_hash =
        key_.empty() ? hash_framed_cells_as<H>(key_hash, consume) : hash_cells_as<H>(values, nulls, key_hash, consume);
    sums[0]++;
    add_to_sum(sums + key_sum_at(matrix), key_hash);
    add_to_sum(sums + row_sum_at(matrix), row_hash);
}

template void RowHasher::accumulate_as<core::u64>(const Datum*, const bool*, const DigestMatrix&);
template void RowHasher::accumulate_as<core::u128>(const Datum*, const bool*, const DigestMatrix&);

core::u128 RowHasher::hash_cells(const Datum* values, const bool* nulls, core::u128* cells) {
    auto consume = [cells](std::size_t column, auto cell) { cells[column] = cell; };
    auto hash_as = [&](auto key_hash) -> core::u128 {
        return key_.empty() ? hash_framed_cells_as(key_hash, consume) : hash_cells_as(values, nulls, key_hash, consume);
    };
    return spec_.wide ? hash_as(core::hash_bytes<core::u128>(framed_.view(), spec_.seed))
                      : hash_as(core::hash_bytes<core::u64>(framed_.view(), spec_.seed));
}

}  // namespace parity::backend
