#include "driver/policy/disclosure.h"

#include "core/bytes.h"
#include "core/hash.h"

namespace parity::driver {
namespace {

/// The same for equal rows of all runs.
std::string hash_of_row(std::string_view framed) {
    std::uint8_t bytes[sizeof(core::u128)];
    const auto hash = core::hash_bytes<core::u128>(core::as_bytes(framed), 0);
    core::store_be(bytes, core::high_half(hash));
    core::store_be(bytes + sizeof(core::u64), core::low_half(hash));
    return {reinterpret_cast<const char*>(bytes), sizeof bytes};
}

}  // namespace

StoredFinding without_values(const TablePlan& table, StoredFinding stored) {
    Finding& finding = stored.finding;
    if (table.large_objects) return stored;
    finding.values = {};
    if (!table.key.empty() || !finding.hash_bytes.empty()) return stored;
    finding.hash_bytes = hash_of_row(finding.key_bytes);
    finding.key_bytes.clear();
    stored.place.key = static_cast<char>(finding.kind) + finding.hash_bytes;
    return stored;
}

}  // namespace parity::driver
