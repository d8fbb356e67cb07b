#include "driver/digests/ranges.h"

#include "core/bytes.h"

namespace parity::driver {

using core::u128;
using core::u64;

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

}  // namespace parity::driver
