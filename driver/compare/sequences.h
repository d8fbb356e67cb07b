#pragma once

#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Compares a sequence by what it gives next and by its increment. (5, called) and (6, not called) are equal; a last
/// value at its limit is exhausted, or goes on at the other limit where the sequence cycles. A standby is equal to its
/// primary where its value is one that WAL can have: not behind what the primary had before the standby was read, and
/// not further than the primary's log_cnt values ahead of what it had afterwards. Two standbys are equal where what WAL
/// can have of them overlaps. kIncomplete where a side's value cannot be read, where all depends on whether a side is a
/// standby of the other and that cannot be told, or where the target is behind because
/// logical replication, which feeds it, does not carry sequences. Pure; exact over the whole range of bigint.
SequenceResult compare_sequence(const Both<SequenceDesc>& sequence, const SequenceRules& rules);

}  // namespace parity::driver
