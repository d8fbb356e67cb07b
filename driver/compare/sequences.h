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

/// What a sequence gives next, for people: "42", or nothing where it is exhausted. Its value must be known.
std::optional<std::string> next_value_text(const SequenceDesc& sequence);

/// Which sides are standbys of one primary, or perhaps are: physical copies of one cluster of which one at least is in
/// recovery. A standby of a fork, a copy that was promoted, follows a later timeline than the primary writes: it is
/// none of that primary. One that follows an earlier timeline may be on its way to the primary's, or belong to another
/// one. Where a role may not read the system identifier, that these are copies cannot be told.
SequenceRules standby_rules(const Both<ServerInfo>& servers);

}  // namespace parity::driver
