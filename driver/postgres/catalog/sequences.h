#pragma once

#include <functional>
#include <string>
#include <vector>

#include "driver/model/error.h"
#include "driver/model/inventory.h"
#include "driver/options/name_map.h"
#include "driver/options/name_pattern.h"
#include "driver/postgres/connection/session.h"

namespace parity::driver {

/// The sequences of a side without their values, in the order of their names: what the selection reaches, which tables
/// use them, and whether logical replication feeds these.
/// Requires: the inventory's transaction is open.
std::vector<SequenceDesc> list_sequences(Session& session, const Selection& selection, const NameMap& maps);

/// Reads the values of all that can be read; of the others, sets why not.
/// Requires: the inventory's transaction is open.
/// Throws: what `check` throws for the error that reading a sequence met.
void read_sequence_values(Session& session, std::vector<SequenceDesc>& sequences,
                          const std::function<void(const Error&)>& check);

/// The end of WAL now, on a primary.
std::string wal_end(Session& session);

/// Waits until a standby has replayed what its primary had written up to `lsn`, but kReplayTime at most. No snapshot is
/// held meanwhile, as replay may have to wait for it; the inventory's transaction is a new one then.
/// Returns: whether the standby has replayed that.
bool await_replay(Session& session, const std::string& lsn);

}  // namespace parity::driver
