#include "driver/postgres/catalog/key_choice.h"

#include <algorithm>

namespace parity::driver {
namespace {

/// Whether an index is a better proof than the best so far.
bool is_better(const UniqueIndex& candidate, const UniqueIndex& best) {
    if (best.primary || candidate.primary) return candidate.primary && !best.primary;
    return candidate.columns.size() < best.columns.size();
}

}  // namespace

KeyDesc choose_key(const std::vector<UniqueIndex>& indexes, bool has_plain_children,
                   const std::function<bool(const std::string&)>& comparable) {
    KeyDesc key;
    const UniqueIndex* best = nullptr;
    for (const UniqueIndex& index : indexes) {
        if (!std::all_of(index.columns.begin(), index.columns.end(), comparable)) continue;
        const bool proves = !has_plain_children && index.immediate;
        if (!proves && (!index.primary || key.proven)) continue;
        if (proves && key.proven && !is_better(index, *best)) continue;
        key = {index.columns, proves};
        best = &index;
    }
    return key;
}

}  // namespace parity::driver
