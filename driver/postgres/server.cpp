#include "driver/postgres/server.h"

#include <optional>
#include <utility>

#include "driver/engine/large_objects.h"
#include "driver/engine/server_identity.h"
#include "driver/engine/stream.h"
#include "driver/engine/table_reader.h"
#include "driver/model/error.h"
#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/postgres/catalog/server.h"
#include "driver/postgres/connection/recovery_conflict.h"
#include "driver/postgres/connection/session.h"
#include "driver/postgres/extension/reader.h"
#include "driver/postgres/feed/feed.h"
#include "driver/postgres/heap_reader.h"
#include "driver/postgres/lookups/extension_rows.h"
#include "driver/postgres/lookups/full_disk.h"
#include "driver/postgres/lookups/large_objects.h"
#include "driver/postgres/lookups/partitions.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {
namespace {

class PostgresSession : public ServerSession {
  public:
    PostgresSession(Session session, const Options& options, const ServerInfo& server)
        : session_(std::move(session)), options_(options), server_(server) {}

    Side side() const override { return session_.side(); }
    bool alive() const override { return session_.connection().alive(); }
    void revive() override { session_.revive(); }
    void close() noexcept override { session_.close(); }
    void set_peer(ServerSession* peer) override {
        auto* other = dynamic_cast<PostgresSession*>(peer);
        session_.connection().set_peer(other ? &other->session_.connection() : nullptr);
    }
    void set_progress(ReadProgress on_progress) override {
        session_.connection().set_progress_handler(on_progress);
        on_progress_ = std::move(on_progress);
    }
    TableSnapshot begin_table(const TablePlan& table) override { return session_.begin_table(table); }
    ServerIdentity require_named_server() override { return session_.require_named_server(); }
    void end() noexcept override { session_.end(); }
    std::unique_ptr<TableReader> read_table(const TablePlan& table, const TableReaderSettings& settings) override {
        const ReadingManner& manner = table.manner[side()];
        TableReaderSettings wanted = settings;
        if (manner.workers) wanted.digest.workers = manner.workers;
        if (!server_.is_streamed && !manner.by_stream) return make_extension_reader(session_, table, wanted.digest);
        return make_stream_reader(make_copy_feed(session_, table, server_, on_progress_), table, wanted);
    }
    std::unique_ptr<HeapReader> read_heap(const TablePlan& table, const TableReaderSettings& settings) override {
        return make_heap_reader(session_, table, server_,
                                [this, &settings](const TablePlan& part) { return read_table(part, settings); });
    }
    std::unique_ptr<LargeObjectReader> read_large_objects(const TablePlan& plan) override {
        return make_large_object_reader(session_, *plan.large_objects->pages);
    }
    std::uint64_t count_rows(const ExtensionTable& table) override {
        return count_extension_rows(session_, table, options_);
    }
    std::string relations_mark() override {
        session_.begin_inventory();
        std::string mark = read_relations_mark(session_);
        session_.require_named_server();
        session_.end();
        return mark;
    }
    std::optional<std::string> note_about(const TablePlan& table) override {
        return note_misplaced_rows(session_, table, options_);
    }
    std::optional<PartitionRows> fullest_partition(const TablePlan& table,
                                                   const std::vector<std::string>& keys) override {
        return find_fullest_partition(session_, table, keys, options_);
    }
    std::optional<Error> explain_passing(const Error& error, const std::string& what, int attempts) override {
        if (!may_be_recovery_conflict(error)) return std::nullopt;
        session_.revive();
        return explain_conflict(session_, error, what, attempts);
    }
    Error name_lockers(const TablePlan& table, const Error& error) override {
        return session_.name_lockers(table, error);
    }
    Error explain_full_disk(const Error& error) override { return driver::explain_full_disk(session_, error); }

  private:
    Session session_;
    const Options& options_;
    const ServerInfo& server_;
    ReadProgress on_progress_;
};

class PostgresServer : public Server {
  public:
    PostgresServer(Side side, const Request& request, ExtensionUse use)
        : side_(side), request_(request), options_(request.options), use_(use) {}

    Side side() const override { return side_; }
    std::unique_ptr<CatalogReader> open_catalogs(bool last_attempt, const SharedFailure* failure) override {
        return make_catalog_reader(side_, request_, use_, last_attempt, failure);
    }
    bool catalogs_changed(const Error& error) const override { return may_be_changed_catalogs(error); }
    std::optional<Error> explain_passing(const Error& error, const std::string& what, int attempts) override {
        if (!may_be_recovery_conflict(error)) return std::nullopt;
        Session session = Session::open(side_, options_, "inventory", nullptr);
        return explain_conflict(session, error, what, attempts);
    }
    void expect(NamedServers& named, const ServerInfo& server) override {
        named_ = &named;
        server_ = server;
    }
    std::unique_ptr<ServerSession> open_session(const std::string& purpose, NoticeHandler on_notice,
                                                const SharedFailure* failure) override {
        Session session = Session::open(side_, options_, purpose, named_, failure);
        session.set_stall_notices(on_notice);
        session.connection().set_notice_handler(
            [on_notice = std::move(on_notice)](std::string_view severity, std::string_view message) {
                on_notice(severity == "WARNING" ? NoticeLevel::kWarning : NoticeLevel::kDetail, message);
            });
        if (server_.is_streamed) session.reserve_shared(failure);
        return std::make_unique<PostgresSession>(std::move(session), options_, server_);
    }

  private:
    const Side side_;
    const Request& request_;
    const Options& options_;
    const ExtensionUse use_;
    NamedServers* named_ = nullptr;
    ServerInfo server_;
};

}  // namespace

std::unique_ptr<Server> make_postgres_server(Side side, const Request& request, ExtensionUse use) {
    return std::make_unique<PostgresServer>(side, request, use);
}

}  // namespace parity::driver
