#include "driver/postgres/extension/digest_reader.h"

#include <fmt/format.h>

#include "driver/digests/division.h"
#include "driver/model/error.h"
#include "driver/postgres/values/array.h"

namespace parity::driver {
namespace {

// The columns of the queries' results, see postgres/queries/digests.h.
enum DigestColumn { kRangeNo, kRowCount, kKeyDigest, kRowDigest, kColumnDigests, kPath };
enum TotalsColumn { kRangeNumbers, kRowCounts, kKeyDigests, kRowDigests, kPathTaken };

}  // namespace

core::Digest decode_digest(std::string_view wire) {
    const std::optional<core::Digest> digest = core::parse_digest_wire(core::as_bytes(wire));
    if (!digest) throw_contradiction("a server sent a digest that is malformed or of another format version");
    return *digest;
}

void decode_digest_array(std::string_view wire, std::vector<core::Digest>& digests) {
    digests.clear();
    read_wire_array(wire, [&](std::optional<std::string_view> element) {
        if (!element) throw_contradiction("a server sent an array of digests with a NULL");
        digests.push_back(decode_digest(*element));
    });
}

void decode_integer_array(std::string_view wire, std::vector<std::int64_t>& numbers) {
    numbers.clear();
    read_wire_array(wire, [&](std::optional<std::string_view> element) {
        const std::size_t bytes = element ? element->size() : 0;
        if (bytes == sizeof(std::int32_t))
            numbers.push_back(core::load_be<std::int32_t>(core::as_bytes(*element).data()));
        else if (bytes == sizeof(std::int64_t))
            numbers.push_back(core::load_be<std::int64_t>(core::as_bytes(*element).data()));
        else
            throw_contradiction("a server sent something else than an array of integers");
    });
}

// ---- RangeCheck ----------------------------------------------------------------------------------------------

RangeCheck::RangeCheck(Side side, const RangeList& asked) : side_(side), expected_(requested_ranges(asked)) {}

void RangeCheck::take(int range_no, std::int64_t rows, RangeDigests& range) {
    if (position_ == expected_.size() || range_no != expected_[position_])
        throw_contradiction(fmt::format("{} sent an unexpected digest of range {}", side_name(side_), range_no));
    ++position_;
    if (rows < 0)
        throw_contradiction(fmt::format("{} sent a negative row count for range {}", side_name(side_), range_no));
    range.range_no = range_no;
    range.rows = static_cast<std::uint64_t>(rows);
}

void RangeCheck::finish() const {
    if (position_ < expected_.size())
        throw_contradiction(fmt::format("{} sent no digest of range {}", side_name(side_), expected_[position_]));
}

// ---- DigestReader --------------------------------------------------------------------------------------------

DigestReader::DigestReader(Side side, RowStream stream, const RangeList& ranges)
    : stream_(std::move(stream)), check_(side, ranges) {}

bool DigestReader::next(RangeDigests& range) {
    const std::optional<Row> row = stream_.next();
    if (!row) {
        check_.finish();
        return false;
    }
    check_.take(row->int32(kRangeNo), row->int64(kRowCount), range);
    range.key = decode_digest(row->bytes(kKeyDigest));
    range.row = decode_digest(row->bytes(kRowDigest));
    decode_digest_array(row->bytes(kColumnDigests), range.columns);
    path_ = row->bytes(kPath);
    return true;
}

// ---- TotalsReader --------------------------------------------------------------------------------------------

TotalsReader::TotalsReader(Side side, RowStream stream, const RangeList& ranges)
    : stream_(std::move(stream)), check_(side, ranges) {}

bool TotalsReader::next(RangeDigests& range) {
    while (at_ == numbers_.size()) {
        if (next_bundle()) continue;
        check_.finish();
        return false;
    }
    check_.take(static_cast<int>(numbers_[at_]), rows_[at_], range);
    range.key = keys_[at_];
    range.row = hashes_[at_];
    range.columns.clear();
    ++at_;
    return true;
}

bool TotalsReader::next_bundle() {
    const std::optional<Row> bundle = stream_.next();
    if (!bundle) return false;
    decode_integer_array(bundle->bytes(kRangeNumbers), numbers_);
    decode_integer_array(bundle->bytes(kRowCounts), rows_);
    decode_digest_array(bundle->bytes(kKeyDigests), keys_);
    decode_digest_array(bundle->bytes(kRowDigests), hashes_);
    if (rows_.size() != numbers_.size() || keys_.size() != numbers_.size() || hashes_.size() != numbers_.size())
        throw_contradiction("a server sent totals of ranges in arrays of different lengths");
    path_ = bundle->bytes(kPathTaken);
    at_ = 0;
    return true;
}

}  // namespace parity::driver
