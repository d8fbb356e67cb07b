#include "driver/digest_reader.h"

#include <fmt/format.h>

#include "driver/division.h"
#include "driver/error.h"
#include "driver/wire_array.h"

namespace parity::driver {
namespace {

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorKind::kInternal, message); }

// The columns of the query's result, see queries.h.
enum Column { kRangeNo, kRowCount, kKeyDigest, kRowDigest, kColumnDigests, kPath };

}  // namespace

core::Digest decode_digest(std::string_view wire) {
    const std::optional<core::Digest> digest = core::parse_digest_wire(core::as_bytes(wire));
    if (!digest) fail("a server sent a digest that is malformed or of another format version");
    return *digest;
}

void decode_digest_array(std::string_view wire, std::vector<core::Digest>& digests) {
    digests.clear();
    read_wire_array(wire, [&](std::optional<std::string_view> element) {
        if (!element) fail("a server sent an array of digests with a NULL");
        digests.push_back(decode_digest(*element));
    });
}

DigestReader::DigestReader(Side side, RowStream stream, const RangeList& ranges)
    : side_(side), stream_(std::move(stream)), expected_(requested_ranges(ranges)), totals_only_(ranges.totals_only) {}

bool DigestReader::next(RangeDigests& range) {
    const std::optional<Row> row = stream_.next();
    if (!row) {
        if (position_ < expected_.size())
            fail(fmt::format("{} sent no digest of range {}", side_name(side_), expected_[position_]));
        return false;
    }
    range.range_no = row->int32(kRangeNo);
    if (position_ == expected_.size() || range.range_no != expected_[position_])
        fail(fmt::format("{} sent an unexpected digest of range {}", side_name(side_), range.range_no));
    ++position_;
    const std::int64_t rows = row->int64(kRowCount);
    if (rows < 0) fail(fmt::format("{} sent a negative row count for range {}", side_name(side_), range.range_no));
    range.rows = static_cast<std::uint64_t>(rows);
    range.key = decode_digest(row->bytes(kKeyDigest));
    range.row = decode_digest(row->bytes(kRowDigest));
    range.columns.clear();
    if (!totals_only_) decode_digest_array(row->bytes(kColumnDigests), range.columns);
    path_ = row->bytes(kPath);
    return true;
}

}  // namespace parity::driver
