#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "driver/engine/heap.h"
#include "driver/engine/large_objects.h"
#include "driver/engine/server_identity.h"
#include "driver/engine/table_reader.h"
#include "driver/model/error.h"
#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/waiting/shared_failure.h"

/// What a side must do, whatever its server is. PostgreSQL's is postgres/server.h.
namespace parity::driver {

/// The state of a relation under a transaction's snapshot.
struct TableSnapshot {
    std::string lsn;  ///< where the server's log of changes was when the snapshot was taken
};

/// Called with what was read of a table so far and all that there is to read, by several threads.
using ReadProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Whom a notice is for.
enum class NoticeLevel {
    kDetail,   ///< who looks into it
    kInfo,     ///< who waits
    kWarning,  ///< everybody
};

/// Called with what a server tells besides its answers, and with what is told of it, by several threads.
using NoticeHandler = std::function<void(NoticeLevel level, std::string_view message)>;

/// Reads what one side has. Relations and sequences are listed first and described once it is known which of them
/// matter.
/// Requires: one thread uses it at a time.
class CatalogReader {
  public:
    virtual ~CatalogReader() = default;

    /// What was read so far. Its parts are there once they have been asked for.
    virtual Inventory& inventory() = 0;

    /// Opens the transaction that the rest is read in, and reads what there is to know about the server.
    virtual void read_server() = 0;

    /// A text that is another one as soon as a relation came, went, or got another name, schema or parent.
    virtual std::string relations_mark() = 0;

    /// Lists relations, large objects and tables of extensions.
    virtual void list() = 0;

    /// Describes these relations; those in `without_children` without them.
    virtual void describe(const std::set<std::uint32_t>& oids, const std::set<std::uint32_t>& without_children) = 0;

    virtual void list_sequences() = 0;
    virtual void read_sequence_values() = 0;

    /// Of a primary: where its log ends now.
    virtual std::string log_end() = 0;
    /// Of a standby: waits a moment until it has replayed all up to `log_end`. The transaction is a new one then.
    /// Returns: whether it has replayed all that.
    virtual bool await_replay(const std::string& log_end) = 0;

    /// Checks that the server is still the one that was named. What was read counts only if this returns.
    /// Throws: Error where it is another one.
    virtual void require_named_server() = 0;

    /// What raises `failure` ends the waits for this side. None: nullptr.
    virtual void set_failure(const SharedFailure* failure) = 0;

    /// Closes the connection, but does not wait until the server has ended the session; that the destructor does.
    virtual void close() noexcept = 0;
};

/// A session with one server: it serves one thread, table after table. The first and the last statement of each of its
/// transactions ask which server answers.
///
/// Where the server sends nothing for Options::stall_timeout while it is waited for, it is asked over another
/// connection what the session does. If it works, that is told as a notice, and the wait goes on. Else the wait ends
/// with Error{kConnection}, and the session is ended on the server, so that it leaves no transaction and no lock
/// behind.
class ServerSession {
  public:
    virtual ~ServerSession() = default;

    virtual Side side() const = 0;

    /// False once the connection broke.
    virtual bool alive() const = 0;

    /// Connects anew where the connection broke.
    virtual void revive() = 0;

    /// Closes the connection, but does not wait until the server has ended the session; that the destructor does.
    virtual void close() noexcept = 0;

    /// While one of two sessions waits, the other's answers are watched too, so that its progress shows and its failure
    /// ends the wait. None: nullptr.
    virtual void set_peer(ServerSession* peer) = 0;

    /// Called while this side's passes are waited for. None: nullptr.
    virtual void set_progress(ReadProgress on_progress) = 0;

    /// Locks the table, then takes a snapshot, and checks under it that the name still stands for the planned relation
    /// and that no part of it was rewritten meanwhile. It makes one attempt. The transaction is open only if it
    /// returns.
    /// Throws: an Error with which is_snapshot_failure() where another attempt may succeed, any other Error where it
    /// cannot.
    virtual TableSnapshot begin_table(const TablePlan& table) = 0;

    /// Checks which server answers. What the open transaction read counts only if this returned at its end.
    /// Returns: the server as it is now.
    /// Throws: Error where the open transaction is answered by another server than expected.
    virtual ServerIdentity require_named_server() = 0;

    /// Ends the transaction. Does nothing where none is open or the connection broke.
    virtual void end() noexcept = 0;

    /// Reads the table of the open transaction, which stays open as long as the reader lives.
    virtual std::unique_ptr<TableReader> read_table(const TablePlan& table, const TableReaderSettings& settings) = 0;

    /// Reads the table of the open transaction place by place; as long as the reader lives.
    virtual std::unique_ptr<HeapReader> read_heap(const TablePlan& table, const TableReaderSettings& settings) = 0;

    /// Reads the large objects of the open transaction.
    virtual std::unique_ptr<LargeObjectReader> read_large_objects(const TablePlan& plan) = 0;

    /// How many rows of users a table of an extension has, in a transaction of its own.
    virtual std::uint64_t count_rows(const ExtensionTable& table) = 0;

    /// As CatalogReader's, in a transaction of its own.
    virtual std::string relations_mark() = 0;

    /// What a reader of the report should know about where a table's rows are, in transactions of its own.
    virtual std::optional<std::string> note_about(const TablePlan& table) = 0;

    /// Of the rows with these framed keys, how many the partition with most of them has now, in a transaction of its
    /// own. The query takes 10 s at most.
    /// Requires: the key is proven.
    /// Returns: nothing where the table has no partitions, none has such a row, or the server may not be asked, or did
    /// not answer in time.
    virtual std::optional<PartitionRows> fullest_partition(const TablePlan& table,
                                                           const std::vector<std::string>& keys) = 0;

    /// Explains a failure that passes when the server is left alone for a while. The connection is there again then.
    /// Returns: where the failure was the server's own and passes, what there is to say about `what` if `attempts` of
    /// them did not help; nothing for any other failure.
    virtual std::optional<Error> explain_passing(const Error& error, const std::string& what, int attempts) = 0;

    /// A failure to read the table that came of locks of others, with who they are, what they run, and since when,
    /// where the server tells that: right after the failure it does. The open transaction is ended. Any other failure
    /// as it is.
    virtual Error name_lockers(const TablePlan& table, const Error& error) = 0;

    /// A failure of this side's that says that a disk is full, with the name of what is full where that can be told.
    /// The open transaction is ended.
    virtual Error explain_full_disk(const Error& error) = 0;
};

/// One side's server.
class Server {
  public:
    virtual ~Server() = default;

    virtual Side side() const = 0;

    /// Connects to read the catalogs. It is the last attempt where what changes meanwhile is no reason for another.
    virtual std::unique_ptr<CatalogReader> open_catalogs(bool last_attempt, const SharedFailure* failure) = 0;

    /// Whether reading the catalogs failed because they changed meanwhile, so that another attempt may succeed.
    virtual bool catalogs_changed(const Error& error) const = 0;

    /// As ServerSession's, about the reading of the catalogs.
    virtual std::optional<Error> explain_passing(const Error& error, const std::string& what, int attempts) = 0;

    /// From now on sessions are held against the servers that the catalogs were read from; `server` is this one.
    virtual void expect(NamedServers& named, const ServerInfo& server) = 0;

    /// Connects. `purpose` is for whoever looks at the server's sessions. What raises `failure` meanwhile ends that.
    virtual std::unique_ptr<ServerSession> open_session(const std::string& purpose, NoticeHandler on_notice,
                                                        const SharedFailure* failure) = 0;
};

}  // namespace parity::driver
