#include "driver/salvage/unread_ranges.h"

#include <cstddef>

#include "driver/digests/division.h"
#include "driver/model/error.h"

namespace parity::driver {
namespace {

/// Whether the index leads to nothing that cannot be read.
bool can_visit(HeapReader& heap, const std::string& lower, const std::string& upper, const Damage& damage) {
    try {
        return heap.visit_keys(lower, upper);
    } catch (const Error& error) {
        if (!damage.explains(error)) throw;
        return false;
    }
}

/// Halves the divergent ranges first … end − 1: neighbours are asked for together.
void find_among(HeapReader& heap, const std::vector<std::string>& bounds, const std::vector<DivergentRange>& divergent,
                std::size_t first, std::size_t end, Damage& damage) {
    const auto number = [&](std::size_t i) { return static_cast<std::size_t>(divergent[i].range_no); };
    const auto bound = [&](std::size_t at) { return at == 0 || at > bounds.size() ? std::string() : bounds[at - 1]; };
    const std::string lower = bound(number(first) - 1), upper = bound(number(end - 1));
    if (can_visit(heap, lower, upper, damage)) return;
    if (end - first == 1) return damage.unread().add_interval(lower, upper);
    const std::size_t middle = first + (end - first) / 2;
    find_among(heap, bounds, divergent, first, middle, damage);
    find_among(heap, bounds, divergent, middle, end, damage);
}

}  // namespace

void find_unread_ranges(HeapReader& heap, const TablePlan& table, const std::vector<std::string>& bounds,
                        const std::vector<DivergentRange>& divergent, Damage& damage) {
    if (damage.unindexed_rows() > 0) damage.unread().add_anywhere(damage.unindexed_rows());
    if (damage.unknown_rows() == 0) return;
    damage.unread().add_rows(damage.unknown_rows());
    const bool in_key_order = !table.key.empty() && !bounds.empty() && !are_hash_bounds(bounds);
    if (!in_key_order) return damage.unread().add_anywhere(0);
    if (!divergent.empty()) find_among(heap, bounds, divergent, 0, divergent.size(), damage);
}

}  // namespace parity::driver
