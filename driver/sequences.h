#pragma once

#include "driver/model.h"

namespace parity::driver {

/// Compares a sequence by what it gives next and by its increment. (5, called) and (6, not called) are equal; a last
/// value at its limit is exhausted, or goes on at the other limit where the sequence cycles. A standby is equal to its
/// primary where its value is one that WAL can have: not behind what the primary had before the standby was read, and
/// not further than the primary's log_cnt values ahead of what it had afterwards. Two standbys are equal where what WAL
/// can have of them overlaps. kIncomplete where a side's value cannot be read, or where the target is behind because
/// logical replication, which feeds it, does not carry sequences. Pure; exact over the whole range of bigint.
SequenceResult compare_sequence(const Both<SequenceDesc>& sequence, const SequenceRules& rules);

/// What a sequence gives next, for people: "42", or nothing where it is exhausted. Its value must be known.
std::optional<std::string> next_value_text(const SequenceDesc& sequence);

/// Whether the sides are physical copies of one cluster of which one at least is in recovery; see SequenceRules.
Both<bool> standbys_of_one_primary(const Both<ServerInfo>& servers);

}  // namespace parity::driver
