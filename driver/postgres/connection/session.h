#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/engine/server.h"
#include "driver/engine/server_identity.h"
#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/stall.h"
#include "driver/postgres/queries/session.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {

/// A connection whose transactions are pinned: REPEATABLE READ, READ ONLY, search_path = pg_catalog, row_security = off
/// unless enabled, every setting that changes output, timeouts. Serves one thread, table after table.
///
/// The first and the last statement of every transaction ask which server answers, and from which backend. The first
/// transaction of a session without `named` sets what the later ones are held against.
/// Throws: as require_same_server(), require_same_backend() and NamedServers (engine/server_identity.h) do where another
/// server or backend answers.
class Session {
  public:
    /// Connects. `purpose` shows in application_name ("pgparity: " + purpose). What raises `failure` meanwhile ends
    /// that. `named`: the servers that the run is about, where they are known already. `stalls`: that of
    /// the session whose snapshot is shared; none: the session is one of its own.
    static Session open(Side side, const Options& options, const std::string& purpose, NamedServers* named,
                        const SharedFailure* failure = nullptr, std::shared_ptr<StallWatch> stalls = nullptr);

    /// Connects anew where the connection broke.
    /// Throws: as open() does.
    void revive();

    Connection& connection() { return connection_; }
    const Connection& connection() const { return connection_; }
    Side side() const { return side_; }

    /// Opens a transaction for reading catalogs.
    /// Returns: the server that answers.
    ServerIdentity begin_inventory();

    /// The same for a query that is to be planned over a relation, which is locked before the snapshot is taken: who
    /// has others wait for a lock changes nothing meanwhile that the snapshot does not show.
    /// Returns: whether the name stands for the relation.
    bool begin_inventory(const QualifiedName& name, std::uint32_t oid, char relkind);

    /// Checks which server and which backend answer. What a transaction read counts only if this returned at its end.
    /// Throws: Error where the open transaction is answered by another server, or from another backend, than expected.
    ServerIdentity require_named_server();

    /// Opens a transaction for reading one table: pins the settings, locks the table before the snapshot is taken, then
    /// checks under the snapshot that the name still stands for the planned relation and that no part of it was
    /// rewritten meanwhile. It makes one attempt. The transaction is open only if it returns.
    /// Throws: Error with sqlstate 40001 (stale) or 55P03 (lock timeout) where a new transaction may succeed, any other
    /// Error where it cannot.
    TableSnapshot begin_table(const TablePlan& table);

    /// Exports the open transaction's snapshot and opens transactions on `table` under it on `count` further
    /// connections to the same server, each for a thread of its own; on fewer, but one at least, where the server
    /// refuses more. This session's checks and lock count for them too. They stay connected for the next table; their
    /// transactions end with this session's.
    std::vector<Session*> share_snapshot(const TablePlan& table, std::size_t count);

    /// Opens the first of the connections that share_snapshot needs, so that it is there whoever else connects later.
    void reserve_shared(const SharedFailure* failure) { connect_shared(1, failure); }

    /// As Connection's; a session that was found stalled is ended on the server, too.
    void close() noexcept;

    /// Closes the further connections, and with them the memory that large rows took.
    void close_shared();

    /// Who hears of this session, and of those that share its snapshot, where the server is silent and works.
    void set_stall_notices(NoticeHandler on_notice) { stalls_->set_notice_handler(std::move(on_notice)); }

    /// Checks that no part of the table was rewritten since the snapshot was taken. What was read without a lock until
    /// now counts only if this returns.
    /// Throws: as begin_table() does where a part was rewritten.
    void require_not_rewritten(const TablePlan& table);

    /// A failure to read the table, with the sessions whose locks it came of (locked.h). The transaction is ended.
    /// Requires: the connection is alive.
    Error name_lockers(const TablePlan& table, const Error& error);

    /// Rolls back, here and on the further connections. Does nothing where no transaction is open or the connection
    /// broke; never throws.
    void end() noexcept;

  private:
    Session(Side side, Connection connection, const Options& options, std::string purpose, NamedServers* named);
    TransactionSettings pinned_settings(const std::string& purpose) const;
    TransactionSettings table_settings(const TablePlan& table) const;
    void begin(const TransactionSettings& settings);
    void watch_for_stalls(const ServerIdentity& met);
    void connect_shared(std::size_t count, const SharedFailure* failure = nullptr);
    void begin_shared(const TablePlan& table, const std::string& snapshot);
    void lock(const TablePlan& table);
    void lock_if_allowed(const QualifiedName& name, bool without_children);
    void require_no_owners_code(const TablePlan& table);
    TableSnapshot check(const TablePlan& table);
    void require_expected(const ServerIdentity& met);

    Side side_;
    Connection connection_;
    const Options* options_;
    std::string purpose_;
    NamedServers* named_;
    std::vector<std::string> optional_settings_;
    IdentityRights identity_rights_;
    std::optional<ServerIdentity> first_met_;
    std::vector<std::unique_ptr<Session>> shared_;
    std::shared_ptr<StallWatch> stalls_;  ///< one for all that share a snapshot
    bool in_transaction_ = false;
};

}  // namespace parity::driver
