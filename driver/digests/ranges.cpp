#include "driver/digests/ranges.h"

#include <fmt/format.h>

#include "core/bytes.h"
#include "driver/model/error.h"

namespace parity::driver {

using core::u128;
using core::u64;

namespace {

void add_digest(core::Digest& to, const core::Digest& more) {
    const core::DigestStatus status = core::add(to, more);
    if (status != core::DigestStatus::kOk)
        throw_contradiction(fmt::format("digests of two parts of a table cannot be added: {}", core::describe(status)));
}

void take_out_rows(core::Digest& digest) { digest.count = digest.sum_low = digest.sum_high = 0; }

}  // namespace

u128 truncated_to(u128 sum, int width) { return width == 64 ? static_cast<u64>(sum) : sum; }

void HashTotal::add(std::string_view row_hash) {
    const core::ByteView bytes = core::as_bytes(row_hash);
    ++rows;
    if (bytes.size() == 8) {
        sum = static_cast<u64>(sum) + core::load_be<u64>(bytes.data());
        sum = static_cast<u64>(sum);
    } else {
        sum += core::join_halves(core::load_be<u64>(bytes.data() + 8), core::load_be<u64>(bytes.data()));
    }
}

void HashTotal::add(const HashTotal& other, int width) {
    rows += other.rows;
    sum = truncated_to(sum + other.sum, width);
}

void add_digests(std::vector<RangeDigests>& whole, const std::vector<RangeDigests>& part) {
    if (whole.size() != part.size()) throw_contradiction("parts of a table have different numbers of ranges");
    for (std::size_t i = 0; i < whole.size(); ++i) {
        if (whole[i].range_no != part[i].range_no || whole[i].columns.size() != part[i].columns.size())
            throw_contradiction("parts of a table have different ranges");
        whole[i].rows += part[i].rows;
        add_digest(whole[i].key, part[i].key);
        add_digest(whole[i].row, part[i].row);
        for (std::size_t column = 0; column < whole[i].columns.size(); ++column)
            add_digest(whole[i].columns[column], part[i].columns[column]);
    }
}

RangeDigests emptied(RangeDigests range) {
    range.rows = 0;
    take_out_rows(range.key);
    take_out_rows(range.row);
    for (core::Digest& column : range.columns) take_out_rows(column);
    return range;
}

}  // namespace parity::driver
