#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/planning/inventories.h"

namespace parity::driver {

/// Why a table of Plan::skipped_tables is there that was not, or is no more, what it was when the run began.
inline constexpr const char* kCreatedLater = "created after the run began";
inline constexpr const char* kCreatedAnew = "dropped and created anew after the run began";
inline constexpr const char* kGone = "dropped, renamed or no longer chosen after the run began";

/// A table's names on both sides, as something to look for.
struct ChosenNames : Both<QualifiedName> {
    bool operator<(const ChosenNames& other) const {
        return std::tie(source, target) < std::tie(other.source, other.target);
    }
};

/// The tables that a run is about, by their names on both sides, with their oids. What only one side has has an empty
/// name and 0 on the other.
using ChosenTables = std::map<ChosenNames, Both<std::uint32_t>>;

ChosenTables chosen_tables(const Inventories& inventories);

/// Puts what came, went or was created anew while the run went on into Plan::skipped_tables, where it is not there yet.
/// What came on one side alone is no difference of the run.
void note_later_changes(const ChosenTables& began_with, const ChosenTables& now, Plan& plan);

}  // namespace parity::driver
