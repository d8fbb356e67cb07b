#include "backend/index/row_order.h"

#include <algorithm>
#include <cmath>

namespace parity::backend {

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

bool is_in_key_order(const DigestTask& task) {
    return std::all_of(task.leaves.begin(), task.leaves.end(),
                       [&](Oid leaf) { return std::abs(correlation_of(task, leaf).value_or(0)) >= kInOrder; });
}

}  // namespace parity::backend
