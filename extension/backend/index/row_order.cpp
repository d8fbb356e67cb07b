#include "backend/index/row_order.h"

#include <algorithm>
#include <cmath>

namespace parity::backend {
namespace {

/// pg_stats.correlation from which on rows that follow one another in the index do so in the table, or in reverse.
constexpr float4 kInOrder = 0.95F;

}  // namespace

std::optional<float4> correlation_of(const DigestTask& task, Oid leaf) {
    const AttrNumber column = get_attnum(leaf, NameStr(task.key[0].name));
    HeapTuple tuple =
        SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(leaf), Int16GetDatum(column), BoolGetDatum(false));
    if (!HeapTupleIsValid(tuple)) return std::nullopt;
    AttStatsSlot slot;
    std::optional<float4> correlation;
    if (get_attstatsslot(&slot, tuple, STATISTIC_KIND_CORRELATION, InvalidOid, ATTSTATSSLOT_NUMBERS)) {
        if (slot.nnumbers == 1) correlation = slot.numbers[0];
        free_attstatsslot(&slot);
    }
    ReleaseSysCache(tuple);
    return correlation;
}

bool is_in_order(const DigestTask& task, Oid leaf) {
    return std::abs(correlation_of(task, leaf).value_or(0)) >= kInOrder;
}

bool is_in_key_order(const DigestTask& task) {
    return std::all_of(task.leaves.begin(), task.leaves.end(), [&](Oid leaf) { return is_in_order(task, leaf); });
}

}  // namespace parity::backend
