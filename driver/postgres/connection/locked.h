#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/error.h"
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

/// Who holds the locks that a backend waits for, in the same words.
/// Throws: Error as Connection::query.
std::vector<std::string> read_blockers(Connection& connection, std::int32_t backend);

/// The processes that the detail of a deadlock names, of which one is ours. Its words may be in any language.
std::vector<std::int32_t> deadlocked_processes(std::string_view detail);

/// Whether the failure came of locks of others (40P01, 55P03), and its message does not tell yet whose these are.
bool may_name_lockers(const Error& error);

/// The failure with who they are, in the same words: of a lock that could not be had, who has or awaits locks that keep
/// all others from the relation, its partitions, children and indexes, or from what a view reads; of a deadlock, the
/// other processes in it, as long as the server still knows them.
/// Requires: no transaction of the connection has failed.
/// Returns: the failure as it is where may_name_lockers() is false, or nobody is found.
/// Throws: Error as Connection::query.
Error name_lockers(Connection& connection, std::uint32_t oid, const Error& error);

}  // namespace parity::driver
