#include "driver/digests/partial_row.h"

#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/digest.h"
#include "core/hash.h"
#include "driver/digests/hash_bytes.h"

namespace parity::driver {
namespace {

using core::u128;
using core::u64;

template <typename H>
RowDigest completed(const RowDigest& row, const std::vector<int>& read, std::size_t columns, u64 seed) {
    const H key_hash = core::hash_bytes<H>(core::as_bytes(row.key), seed);
    core::RowFold<H> fold(key_hash);
    RowDigest whole{row.range_no, row.key, {}, {}};
    std::size_t next = 0;
    for (std::size_t column = 0; column < columns; ++column) {
        const bool known = next < read.size() && read[next] == static_cast<int>(column);
        const H cell = known ? load_hash<H>(std::string_view(row.cell_hashes).substr(next++ * sizeof(H)))
                             : core::null_cell_hash<H>(core::low_half(key_hash));
        fold.add(cell);
        append_hash(whole.cell_hashes, cell);
    }
    append_hash(whole.row_hash, fold.result());
    return whole;
}

template <typename H>
void add_hash(core::Digest& digest, H hash) {
    u64 sum[2] = {digest.sum_low, digest.sum_high};
    core::add_to_sum(sum, hash);
    digest.sum_low = sum[0];
    digest.sum_high = sum[1];
    ++digest.count;
}

template <typename H>
void add_hashes(RangeDigests& range, const RowDigest& row, u64 seed) {
    ++range.rows;
    add_hash(range.key, core::hash_bytes<H>(core::as_bytes(row.key), seed));
    add_hash(range.row, load_hash<H>(row.row_hash));
    for (std::size_t column = 0; column < range.columns.size(); ++column)
        add_hash(range.columns[column], load_hash<H>(std::string_view(row.cell_hashes).substr(column * sizeof(H))));
}

}  // namespace

RowDigest complete_row(const RowDigest& row, const std::vector<int>& read, std::size_t columns,
                       const DigestSettings& settings) {
    return settings.width == 128 ? completed<u128>(row, read, columns, settings.seed)
                                 : completed<u64>(row, read, columns, settings.seed);
}

void add_row(RangeDigests& range, const RowDigest& row, const DigestSettings& settings) {
    if (settings.width == 128)
        add_hashes<u128>(range, row, settings.seed);
    else
        add_hashes<u64>(range, row, settings.seed);
}

}  // namespace parity::driver
