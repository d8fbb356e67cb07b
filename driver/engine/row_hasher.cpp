#include "driver/engine/row_hasher.h"

#include <algorithm>

#include "core/digest.h"
#include "core/order.h"
#include "driver/digests/hash_bytes.h"
#include "driver/model/error.h"
#include "driver/model/sqlstates.h"

namespace parity::driver {
namespace {

using core::u128;
using core::u64;

/// Buffers do not keep more than this for the rows to come.
constexpr std::size_t kKeptBuffer = 1024 * 1024;

}  // namespace

// ---- rows ----------------------------------------------------------------------------------------------------

RowHasher::RowHasher(const StreamSpec& spec)
    : spec_(spec), numbers_(spec.bounds.size() + 1), finder_(spec.bounds, spec.key_forms, numbers_.data()) {}

core::ByteView RowHasher::read(const ValueReader& reader, std::string_view sent, std::size_t column) {
    try {
        return reader.read(sent, scratch_);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::kServer || column >= spec_.columns.labels.size()) throw;
        const StreamColumns::Label& label = spec_.columns.labels[column];
        throw Error(error.kind(), label.message + ": " + error.what(), error.hint().empty() ? label.hint : error.hint(),
                    error.server(), error.sqlstate());
    }
}

core::ByteView RowHasher::frame_key(std::span<const ValueField> fields) {
    const auto& readers = keyless() ? spec_.columns.columns : spec_.columns.key;
    framed_.shrink(kKeptBuffer);
    framed_.clear();
    scratch_.shrink(kKeptBuffer);
    for (std::size_t i = 0; i < readers.size(); ++i) {
        if (!fields[i]) {
            core::append_null_frame(framed_.sink());
        } else if (const core::ByteView value = read(*readers[i], *fields[i], i);
                   !core::append_frame(framed_.sink(), readers[i]->form(), value)) {
            throw Error(ErrorKind::kServer, "a value is too long to be digested", {}, {},
                        std::string(kProgramLimitExceeded));
        }
    }
    if (framed_.sink().failed) throw std::bad_alloc();
    return framed_.view();
}

template <typename H, typename Consume>
H RowHasher::hash_cells(std::span<const ValueField> fields, H key_hash, Consume consume) {
    const u64 cell_seed = core::low_half(key_hash);
    core::RowFold<H> fold(key_hash);
    const auto& readers = spec_.columns.columns;
    const ValueField* field = fields.data() + spec_.columns.key.size();
    for (std::size_t i = 0; i < readers.size(); ++i, ++field) {
        const H cell = *field ? core::hash_bytes<H>(read(*readers[i], **field, spec_.columns.key.size() + i), cell_seed)
                              : core::null_cell_hash<H>(cell_seed);
        fold.add(cell);
        consume(i, cell);
    }
    return fold.result();
}

/// A keyless row's framed key holds every column's canonical bytes already.
template <typename H, typename Consume>
H RowHasher::hash_framed_cells(H key_hash, Consume consume) {
    core::RowFold<H> fold(key_hash);
    core::FrameReader frames(framed_.view());
    for (std::size_t i = 0; i < spec_.columns.columns.size(); ++i) {
        const std::optional<core::FramedValue> value = frames.next(spec_.columns.columns[i]->form());
        if (!value) throw Error(ErrorKind::kInternal, "a framed row is malformed");
        const H cell =
            value->null ? core::null_cell_hash<H>(spec_.seed) : core::hash_bytes<H>(value->bytes, spec_.seed);
        fold.add(cell);
        consume(i, cell);
    }
    return fold.result();
}

template <typename H>
void RowHasher::accumulate_as(std::span<const ValueField> fields, SumMatrix& sums) {
    const core::ByteView framed = frame_key(fields);
    const H key_hash = core::hash_bytes<H>(framed, spec_.seed);
    const std::uint32_t range = finder_.find(framed, core::low_half(key_hash));
    if (!spec_.keeps(range)) return;
    constexpr std::size_t kWords = sizeof(H) / sizeof(u64);
    u64* words = sums.range(range);
    u64* column_sums = words + 1 + 2 * kWords;
    const auto consume = [column_sums, this](std::size_t column, H cell) {
        if (!spec_.totals_only) core::add_to_sum(column_sums + column * kWords, cell);
    };
    const H row_hash = keyless() ? hash_framed_cells<H>(key_hash, consume) : hash_cells<H>(fields, key_hash, consume);
    ++words[0];
    core::add_to_sum(words + 1, key_hash);
    core::add_to_sum(words + 1 + kWords, row_hash);
}

template <typename H>
bool RowHasher::hash_as(std::span<const ValueField> fields, RowDigest& row) {
    const core::ByteView framed = frame_key(fields);
    const H key_hash = core::hash_bytes<H>(framed, spec_.seed);
    const std::uint32_t range = finder_.find(framed, core::low_half(key_hash));
    if (!spec_.keeps(range)) return false;
    row.range_no = static_cast<int>(range) + 1;
    row.key = core::as_text(framed);
    row.row_hash.clear();
    row.cell_hashes.clear();
    const auto consume = [&row](std::size_t, H cell) { append_hash(row.cell_hashes, cell); };
    append_hash(row.row_hash,
                keyless() ? hash_framed_cells<H>(key_hash, consume) : hash_cells<H>(fields, key_hash, consume));
    return true;
}

template void RowHasher::accumulate_as<u64>(std::span<const ValueField>, SumMatrix&);
template void RowHasher::accumulate_as<u128>(std::span<const ValueField>, SumMatrix&);
template bool RowHasher::hash_as<u64>(std::span<const ValueField>, RowDigest&);
template bool RowHasher::hash_as<u128>(std::span<const ValueField>, RowDigest&);

}  // namespace parity::driver
