#include "driver/engine/row_hasher.h"

#include <algorithm>

#include "core/digest.h"
#include "core/order.h"
#include "driver/digests/division.h"
#include "driver/model/error.h"

namespace parity::driver {
namespace {

using core::u128;
using core::u64;

/// Buffers do not keep more than this for the rows to come.
constexpr std::size_t kKeptBuffer = 1024 * 1024;

constexpr std::size_t words_per_sum(bool wide) { return wide ? 2 : 1; }

template <typename H>
void add_to_sum(u64* sum, H hash) {
    if constexpr (sizeof(H) == 8) {
        *sum += hash;
    } else {
        const u128 total = core::join_halves(sum[0], sum[1]) + hash;
        sum[0] = core::low_half(total);
        sum[1] = core::high_half(total);
    }
}

void append_hash(std::string& to, u64 hash) {
    std::uint8_t bytes[sizeof hash];
    core::store_be(bytes, hash);
    to.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

void append_hash(std::string& to, u128 hash) {
    append_hash(to, core::high_half(hash));
    append_hash(to, core::low_half(hash));
}

std::vector<core::Form> forms_of_readers(const std::vector<std::shared_ptr<const WireReader>>& readers) {
    std::vector<core::Form> forms;
    for (const auto& reader : readers) forms.push_back(reader->form());
    return forms;
}

std::vector<std::string_view> names_of_readers(const std::vector<std::shared_ptr<const WireReader>>& readers) {
    std::vector<std::string_view> names;
    for (const auto& reader : readers) names.push_back(reader->form_name());
    return names;
}

}  // namespace

// ---- what is wanted ------------------------------------------------------------------------------------------

std::vector<core::Form> StreamColumns::key_forms() const { return forms_of_readers(key); }

StreamSpec::StreamSpec(const StreamColumns& table_columns, const DigestSettings& settings, const RangeList& ranges)
    : columns(table_columns),
      seed(settings.seed),
      wide(settings.width == 128),
      totals_only(ranges.totals_only),
      key_forms(table_columns.key_forms()) {
    check_bounds(ranges.bounds, key_forms);
    for (const std::string& bound : ranges.bounds) bounds.push_back(core::as_bytes(bound));
    if (ranges.only.empty()) return;
    kept.assign(ranges.bounds.size() + 1, 0);
    for (std::int32_t range : ranges.only) kept.at(static_cast<std::size_t>(range - 1)) = 1;
}

// ---- sums ----------------------------------------------------------------------------------------------------

std::size_t SumMatrix::bytes(std::size_t ranges, std::size_t columns, bool wide) {
    return ranges * (1 + (columns + 2) * words_per_sum(wide)) * sizeof(u64);
}

SumMatrix::SumMatrix(std::size_t ranges, std::size_t columns, bool wide)
    : words_(bytes(ranges, columns, wide) / sizeof(u64)),
      stride_(1 + (columns + 2) * words_per_sum(wide)),
      wide_(wide) {}

std::uint64_t SumMatrix::rows() const {
    std::uint64_t rows = 0;
    for (std::size_t at = 0; at < words_.size(); at += stride_) rows += words_[at];
    return rows;
}

void SumMatrix::add(const SumMatrix& other) {
    for (std::size_t at = 0; at < words_.size(); at += stride_) {
        words_[at] += other.words_[at];
        for (std::size_t sum = at + 1; sum < at + stride_; sum += words_per_sum(wide_)) {
            if (wide_)
                add_to_sum(&words_[sum], core::join_halves(other.words_[sum], other.words_[sum + 1]));
            else
                add_to_sum(&words_[sum], other.words_[sum]);
        }
    }
}

std::vector<std::uint32_t> slice_tags(const StreamSpec& spec) {
    const std::vector<std::string_view> key = names_of_readers(spec.columns.key);
    const std::vector<std::string_view> columns = names_of_readers(spec.columns.columns);
    ByteBuffer scratch;
    const auto tag = [&](core::SliceKind kind, std::string_view column) {
        scratch.clear();
        return core::slice_tag(kind, key, columns, column, spec.seed, scratch.sink());
    };
    std::vector<std::uint32_t> tags{tag(core::SliceKind::kKey, {}), tag(core::SliceKind::kRow, {})};
    for (std::string_view column : columns) tags.push_back(tag(core::SliceKind::kColumn, column));
    if (scratch.sink().failed) throw std::bad_alloc();
    return tags;
}

RangeDigests digests_of_range(SumMatrix& sums, std::size_t range, const StreamSpec& spec,
                              const std::vector<std::uint32_t>& tags) {
    const u64* words = sums.range(range);
    const u64* sum = words + 1;
    std::size_t slice = 0;
    const auto next = [&](core::Form form) {
        const core::Digest digest{core::kFormatVersion,
                                  static_cast<std::uint8_t>(spec.wide ? 128 : 64),
                                  form,
                                  core::kFormRevision,
                                  tags[slice++],
                                  words[0],
                                  sum[0],
                                  spec.wide ? sum[1] : 0};
        sum += words_per_sum(spec.wide);
        return digest;
    };
    RangeDigests digests;
    digests.range_no = static_cast<int>(range) + 1;
    digests.rows = words[0];
    digests.key = next(core::Form::kKey);
    digests.row = next(core::Form::kRow);
    for (std::size_t i = 0; i < spec.summed_columns(); ++i)
        digests.columns.push_back(next(spec.columns.columns[i]->form()));
    return digests;
}

// ---- rows ----------------------------------------------------------------------------------------------------

StreamHasher::StreamHasher(const StreamSpec& spec)
    : spec_(spec), numbers_(spec.bounds.size() + 1), finder_(spec.bounds, spec.key_forms, numbers_.data()) {}

core::ByteView StreamHasher::read(const WireReader& reader, std::string_view wire, std::size_t column) {
    try {
        return reader.read(wire, spec_.columns.names, scratch_);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::kServer || column >= spec_.columns.labels.size()) throw;
        const StreamColumns::Label& label = spec_.columns.labels[column];
        throw Error(error.kind(), label.message + ": " + error.what(), error.hint().empty() ? label.hint : error.hint(),
                    error.server(), error.sqlstate());
    }
}

core::ByteView StreamHasher::frame_key(std::span<const WireField> fields) {
    const auto& readers = keyless() ? spec_.columns.columns : spec_.columns.key;
    framed_.shrink(kKeptBuffer);
    framed_.clear();
    scratch_.shrink(kKeptBuffer);
    for (std::size_t i = 0; i < readers.size(); ++i) {
        if (!fields[i]) {
            core::append_null_frame(framed_.sink());
        } else if (const core::ByteView value = read(*readers[i], *fields[i], i);
                   !core::append_frame(framed_.sink(), readers[i]->form(), value)) {
            throw Error(ErrorKind::kServer, "a value is too long to be digested", {}, {}, "54000");
        }
    }
    if (framed_.sink().failed) throw std::bad_alloc();
    return framed_.view();
}

template <typename H, typename Consume>
H StreamHasher::hash_cells(std::span<const WireField> fields, H key_hash, Consume consume) {
    const u64 cell_seed = core::low_half(key_hash);
    core::RowFold<H> fold(key_hash);
    const auto& readers = spec_.columns.columns;
    const WireField* field = fields.data() + spec_.columns.key.size();
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
H StreamHasher::hash_framed_cells(H key_hash, Consume consume) {
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
void StreamHasher::accumulate_as(std::span<const WireField> fields, SumMatrix& sums) {
    const core::ByteView framed = frame_key(fields);
    const H key_hash = core::hash_bytes<H>(framed, spec_.seed);
    const std::uint32_t range = finder_.find(framed, core::low_half(key_hash));
    if (!spec_.keeps(range)) return;
    constexpr std::size_t kWords = sizeof(H) / sizeof(u64);
    u64* words = sums.range(range);
    u64* column_sums = words + 1 + 2 * kWords;
    const auto consume = [column_sums, this](std::size_t column, H cell) {
        if (!spec_.totals_only) add_to_sum(column_sums + column * kWords, cell);
    };
    const H row_hash = keyless() ? hash_framed_cells<H>(key_hash, consume) : hash_cells<H>(fields, key_hash, consume);
    ++words[0];
    add_to_sum(words + 1, key_hash);
    add_to_sum(words + 1 + kWords, row_hash);
}

template <typename H>
bool StreamHasher::hash_as(std::span<const WireField> fields, RowDigest& row) {
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

template void StreamHasher::accumulate_as<u64>(std::span<const WireField>, SumMatrix&);
template void StreamHasher::accumulate_as<u128>(std::span<const WireField>, SumMatrix&);
template bool StreamHasher::hash_as<u64>(std::span<const WireField>, RowDigest&);
template bool StreamHasher::hash_as<u128>(std::span<const WireField>, RowDigest&);

}  // namespace parity::driver
