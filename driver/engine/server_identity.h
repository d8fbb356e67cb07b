#pragma once

#include <mutex>
#include <string>

#include "driver/model/inventory.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// What is different about a server that answers where another one, or the same one earlier, answered before.
enum class ServerChange {
    kNone,
    kRestarted,       ///< it began later than the facts were read that it is compared with, and has the log of then
    kPromoted,        ///< the same process, which was a standby
    kOtherOfCluster,  ///< another server with the same data once: a standby, its primary, a copy
    kOtherServer,     ///< another system identifier or database
};

/// Compares what a connection meets with what is expected. A system identifier or a timeline that a role may not read
/// is no difference.
ServerChange server_change(const ServerIdentity& expected, const ServerIdentity& met);

/// Whether two connections lead to the same database of the same running server.
bool same_database(const ServerIdentity& a, const ServerIdentity& b);

/// What a message calls a server that is another one, and one that is another incarnation.
std::string describe_identity(const ServerIdentity& server);
std::string describe_incarnation(const ServerIdentity& server);

/// Checks that `met` is what is expected of the side.
/// Throws: Error{kOtherServer} or Error{kChangedServer} where it is not; the message names both.
void require_same_server(Side side, const ServerIdentity& expected, const ServerIdentity& met);

/// Checks that what a run is continued with is the database that it began with, whatever server has it now.
/// Throws: Error{kUsage} where it is not.
void require_same_data(Side side, const ServerIdentity& began_with, const ServerIdentity& met);

/// Checks that the same backend answers as before: only a pooler gives a session several.
/// Throws: Error{kOtherServer} for another backend than the one that answered the session before.
void require_same_backend(Side side, std::int32_t before, const ServerIdentity& met);

/// Refuses the same database of the same server on both sides.
/// Throws: Error{kUsage}.
[[noreturn]] void refuse_same_database(const std::string& database);

/// The servers that a run is about, as the connections that read the catalogs met them. All later connections are held
/// against them, or against what they were last restarted as. Thread-safe.
class NamedServers {
  public:
    NamedServers(const Both<ServerInfo>& servers, bool allow_same_server);

    /// Takes what a connection met when it was opened.
    /// Returns: how it differs from what is known of the server. After a restart, it is the known one.
    /// Throws: Error{kOtherServer} where the run cannot go on: the side has another identity now, or both sides have
    /// become the same database.
    ServerChange store_met(Side side, const ServerIdentity& met);

    /// Takes what a transaction that reads met.
    /// Throws: as store_met() does, and Error{kChangedServer} where it is another incarnation than the named server, or
    /// its last restart.
    void require(Side side, const ServerIdentity& met);

    /// How a server differs from what is known of the side's.
    ServerChange change_to(Side side, const ServerIdentity& met) const { return server_change(known(side), met); }

    /// From now on the side's server is this one of the same cluster (--allow-failover): what still answers from the
    /// server before it counts no more.
    /// Throws: Error{kOtherServer} where both sides have become the same database.
    void fail_over(Side side, const ServerIdentity& met);

    /// To where the log of a side was on disk when it answered last.
    std::uint64_t log_end(Side side) const { return known(side).log_end; }

  private:
    ServerIdentity known(Side side) const;
    ServerChange follow(Side side, const ServerIdentity& met);
    void require_two_databases(Side side) const;

    const Both<std::string> databases_;
    const bool allow_same_server_;
    mutable std::mutex mutex_;
    Both<ServerIdentity> known_;  ///< as it was named, or was restarted as last; with the time of its last answer
    Both<ServerIdentity> before_restart_;
    Both<ServerIdentity> met_;  ///< last
};

}  // namespace parity::driver
