#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/postgres/connection/connection.h"

namespace parity::driver {

struct LockedRelation {
    std::uint32_t oid = 0;
    /// Who holds it or waits for it: "pid 4711 (user ada, psql), in a transaction of 480 s: LOCK TABLE orders". What
    /// the role may not see of another session is left out, and of its statement what follows the first constant.
    std::string locker;
};

/// Which of the relations another session keeps in ACCESS EXCLUSIVE mode, or waits to keep so, and which session that
/// is.
/// Throws: Error as Connection::query.
std::vector<LockedRelation> read_locked(Connection& connection, const std::vector<std::uint32_t>& oids);

/// The same for a relation with its partitions and children.
/// Throws: Error as Connection::query.
std::vector<LockedRelation> read_locked_below(Connection& connection, std::uint32_t oid);

/// Who holds the locks that a backend waits for, in the same words.
/// Throws: Error as Connection::query.
std::vector<std::string> read_blockers(Connection& connection, std::int32_t backend);

}  // namespace parity::driver
