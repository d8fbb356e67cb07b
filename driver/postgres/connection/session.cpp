#include "driver/postgres/connection/session.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "driver/model/error.h"
#include "driver/model/sqlstates.h"
#include "driver/postgres/connection/identity.h"
#include "driver/postgres/connection/locked.h"
#include "driver/postgres/connection/owners_code.h"
#include "driver/postgres/queries/catalog.h"
#include "driver/postgres/queries/owners_code.h"
#include "driver/postgres/queries/query.h"
#include "driver/text/display_name.h"

namespace parity::driver {

namespace {

Error table_error(const TablePlan& table, Side side, const std::string& what, std::string_view sqlstate) {
    return {ErrorKind::kServer,
            fmt::format("table \"{}\" on the {} {}", display_name(table.name[side]), side_name(side), what),
            "start again", std::string(side_name(side)), std::string(sqlstate)};
}

/// Materialised views and foreign tables cannot be named in LOCK TABLE; reading them locks them.
bool can_be_locked(char relkind) { return relkind == 'r' || relkind == 'p' || relkind == 'v'; }

}  // namespace

Session::Session(Side side, Connection connection, const Options& options, std::string purpose, NamedServers* named)
    : side_(side),
      connection_(std::move(connection)),
      options_(&options),
      purpose_(std::move(purpose)),
      named_(named) {}

Session Session::open(Side side, const Options& options, const std::string& purpose, NamedServers* named,
                      const SharedFailure* failure, std::shared_ptr<StallWatch> stalls) {
    Session session(side,
                    Connection::open(side_name(side), options.conninfo[side], "pgparity: " + purpose,
                                     options.connect_timeout_s, failure),
                    options, purpose, named);
    Connection& connection = session.connection_;
    // Before it is known which backend this is, nobody can look at it; and nothing that is asked waits for others.
    connection.set_silence_limit(options.stall_timeout, give_up_silent(side_name(side), kStallHint));
    connection.set_statement_limit(options.statement_limit);
    connection.query(pin_session_statements());
    const Query query = optional_settings_query();
    const Result settings = connection.query(query.sql, query.parameters);
    for (int row = 0; row < settings.rows(); ++row) session.optional_settings_.emplace_back(settings.text(row, 0));
    session.identity_rights_ = read_identity_rights(connection.query(identity_rights_query().sql));
    // One statement after the other: what takes strict turns between two backends shows in every session.
    const ServerIdentity met = read_identity(connection.query(identity_query(session.identity_rights_)), 0, 0);
    if (named) {
        named->store_met(side, met);
        session.first_met_ = met;
    }
    require_same_backend(side, session.identity_rights_.backend, met);
    session.stalls_ = stalls ? std::move(stalls) : std::make_shared<StallWatch>(side, options);
    session.watch_for_stalls(met);
    const std::string statements = session_settings_statements(session.optional_settings_);
    if (!statements.empty()) connection.query(statements);
    connection.set_failure(nullptr);
    return session;
}

void Session::watch_for_stalls(const ServerIdentity& met) {
    const std::int32_t backend = identity_rights_.backend;
    stalls_->add(met, backend);
    connection_.set_silence_limit(
        options_->stall_timeout,
        [stalls = stalls_, backend](std::chrono::milliseconds silent, const std::function<bool()>& has_input) {
            return stalls->examine(backend, silent, has_input);
        });
}

void Session::close() noexcept {
    if (stalls_) stalls_->end_backends();
    connection_.close();
}

void Session::close_shared() {
    shared_.clear();
    stalls_->keep_only(identity_rights_.backend);
}

void Session::revive() {
    if (connection_.alive()) return;
    Session fresh = open(side_, *options_, purpose_, named_);
    connection_.replace(std::move(fresh.connection_));
    optional_settings_ = std::move(fresh.optional_settings_);
    identity_rights_ = fresh.identity_rights_;
    fresh.stalls_->take_notices(*stalls_);
    stalls_ = std::move(fresh.stalls_);
    if (fresh.first_met_) first_met_ = fresh.first_met_;
    in_transaction_ = false;
    shared_.clear();
}

TransactionSettings Session::pinned_settings(const std::string& purpose) const {
    TransactionSettings made;
    made.row_security = options_->enable_row_security;
    made.lock_timeout = options_->lock_timeout;
    made.statement_timeout = options_->statement_timeout;
    made.application_name = "pgparity: " + purpose;
    return made;
}

/// The transaction counts as open before it is, so that a failure on the way is rolled back by end().
void Session::begin(const TransactionSettings& settings) {
    end();
    in_transaction_ = true;
    connection_.query(begin_statements(settings, optional_settings_));
}

ServerIdentity Session::begin_inventory() {
    end();
    in_transaction_ = true;
    try {
        const Result result =
            connection_.query(begin_and_identify(pinned_settings(purpose_), optional_settings_, identity_rights_));
        const ServerIdentity met = read_identity(result, 0, 0);
        require_expected(met);
        return met;
    } catch (...) {
        end();
        throw;
    }
}

bool Session::begin_inventory(const QualifiedName& name, std::uint32_t oid, char relkind) {
    try {
        begin(pinned_settings(purpose_));
        if (can_be_locked(relkind)) lock_if_allowed(name, false);
        const Query query = relation_state_query(name, identity_rights_);
        const Result state = connection_.query(query.sql, query.parameters);
        require_expected(read_identity(state, 0, state.columns() - kIdentityColumns));
        return state.text(0, 0) == std::to_string(oid);
    } catch (...) {
        end();
        throw;
    }
}

void Session::require_expected(const ServerIdentity& met) {
    if (named_) named_->store_met(side(), met);  // a server with other data ends the run, whatever led there
    if (!first_met_) first_met_ = met;
    require_same_backend(side(), identity_rights_.backend, met);
    if (named_)
        named_->require(side(), met);
    else
        require_same_server(side(), *first_met_, met);
}

ServerIdentity Session::require_named_server() {
    ServerIdentity met = read_identity(connection_.query(identity_query(identity_rights_)), 0, 0);
    require_expected(met);
    return met;
}

TransactionSettings Session::table_settings(const TablePlan& table) const {
    TransactionSettings wanted = pinned_settings(display_name(table.name[side()]));
    wanted.allow_views = table.relkind[side()] == 'v';
    wanted.allow_foreign_tables = wanted.allow_views || table.foreign_parts[side()];
    return wanted;
}

TableSnapshot Session::begin_table(const TablePlan& table) {
    try {
        begin(table_settings(table));
        lock(table);
        return check(table);
    } catch (...) {
        end();
        throw;
    }
}

/// LOCK TABLE wants a privilege on the whole table. A role that may read some columns only goes without; for it the
/// check under the snapshot, here and in the extension, has to do.
void Session::lock_if_allowed(const QualifiedName& name, bool without_children) {
    try {
        connection_.query(lock_statements(name, without_children));
    } catch (const Error& error) {
        if (error.sqlstate() != kInsufficientPrivilege) throw;
        connection_.query(rollback_to_savepoint_statement());
        connection_.query(release_savepoint_statement());
    }
}

void Session::lock(const TablePlan& table) {
    if (!can_be_locked(table.relkind[side()])) return;
    try {
        lock_if_allowed(table.name[side()], table.without_children[side()]);
    } catch (const Error& error) {
        if (error.sqlstate() == kUndefinedTable || error.sqlstate() == kUndefinedSchema) {
            connection_.query(rollback_to_savepoint_statement());
            require_named_server();  // another server may lack the table
            throw table_error(table, side(), "was dropped or renamed after the run had begun", error.sqlstate());
        }
        if (!may_name_lockers(error)) throw;
        connection_.query(rollback_to_savepoint_statement());
        throw driver::name_lockers(connection_, table.oid[side()], error);
    }
}

Error Session::name_lockers(const TablePlan& table, const Error& error) {
    if (!may_name_lockers(error)) return error;
    begin_inventory();  // which waits for locks no longer than --lock-timeout
    const Error named = driver::name_lockers(connection_, table.oid[side()], error);
    end();
    return named;
}

TableSnapshot Session::check(const TablePlan& table) {
    const Query state_query = relation_state_query(table.name[side()], identity_rights_);
    const Result state = connection_.query(state_query.sql, state_query.parameters);
    require_expected(read_identity(state, 0, state.columns() - kIdentityColumns));
    if (state.is_null(0, 0)) {
        throw table_error(table, side(), "was dropped or renamed after the run had begun", kUndefinedTable);
    }
    const bool same =
        state.text(0, 0) == std::to_string(table.oid[side()]) && state.text(0, 1).front() == table.relkind[side()];
    if (!same) throw table_error(table, side(), "was replaced by another one after the run had begun", kUndefinedTable);

    if (state.text(0, 3) != table.columns_text[side()]) {
        throw table_error(table, side(), "got other columns after the run had begun", kUndefinedColumn);
    }

    require_not_rewritten(table);
    require_no_owners_code(table);
    return {std::string(state.text(0, 2))};
}

/// What was not there when the catalogs were read.
void Session::require_no_owners_code(const TablePlan& table) {
    if (!table.must_run_no_code[side()]) return;
    const Query query = owners_code_query({table.oid[side()]});
    const Result found = connection_.query(query.sql, query.parameters);
    if (found.rows() == 0) return;
    throw table_error(table, side(),
                      fmt::format("is not read: {}", why_owners_code_is_not_run(found.text(0, 1), found.text(0, 2),
                                                                                found.text(0, 3), side_name(side()))),
                      kInsufficientPrivilege);
}

void Session::require_not_rewritten(const TablePlan& table) {
    const Query stale_query = stale_relations_query(table.oid[side()], table.without_children[side()]);
    if (connection_.query(stale_query.sql, stale_query.parameters).text(0, 0) != "0") {
        throw table_error(table, side(), "was rewritten after the snapshot was taken", kSerializationFailure);
    }
}

std::vector<Session*> Session::share_snapshot(const TablePlan& table, std::size_t count) {
    const std::string snapshot(connection_.query(export_snapshot_query().sql).text(0, 0));
    std::erase_if(shared_, [](const std::unique_ptr<Session>& session) { return !session->connection_.alive(); });
    connect_shared(count);
    std::vector<Session*> sessions;
    for (std::size_t i = 0; i < std::min(count, shared_.size()); ++i) {
        if (shared_[i]->first_met_) {
            shared_[i]->require_expected(*shared_[i]->first_met_);
            if (first_met_) require_same_server(side(), *first_met_, *shared_[i]->first_met_);
        }
        // The snapshot does not show what came after it, and the planner does not care.
        if (i == 0) shared_[i]->end();
        if (i == 0) shared_[i]->require_no_owners_code(table);
        try {
            shared_[i]->begin_shared(table, snapshot);
        } catch (const Error& error) {
            // A snapshot is gone with the session that has it, which is told as what happened.
            if (error.kind() == ErrorKind::kServer) require_named_server();
            throw;
        }
        sessions.push_back(shared_[i].get());
    }
    return sessions;
}

/// Roles and servers have limits, and one connection is enough.
void Session::connect_shared(std::size_t count, const SharedFailure* failure) {
    try {
        while (shared_.size() < count)
            shared_.push_back(std::make_unique<Session>(open(side(), *options_, purpose_, named_, failure, stalls_)));
    } catch (const Error& error) {
        const bool is_limit = error.kind() == ErrorKind::kConnection || error.kind() == ErrorKind::kResources;
        if (!is_limit || shared_.empty()) throw;
    }
}

/// The name of a snapshot may stand for another one on another server, so what is asked before does not count after.
void Session::begin_shared(const TablePlan& table, const std::string& snapshot) {
    try {
        begin(table_settings(table));
        const Result result = connection_.query(set_snapshot_and_identify(snapshot, identity_rights_));
        require_expected(read_identity(result, 0, 0));
    } catch (const Error&) {
        end();
        if (connection_.alive()) require_named_server();  // another server or backend may not have the snapshot
        throw;
    } catch (...) {
        end();
        throw;
    }
}

/// Where this connection is lost, its peers to the same server are not worth waiting for one by one.
void Session::end() noexcept {
    if (stalls_ && stalls_->end_backends()) {
        connection_.close();
        shared_.clear();
    }
    if (std::exchange(in_transaction_, false) && connection_.alive()) {
        try {
            connection_.query_briefly(rollback_statement());
        } catch (const std::exception&) {
            // The connection is broken then, or the run interrupted; either way the server ends the transaction.
        }
    }
    if (!connection_.alive()) shared_.clear();
    for (const std::unique_ptr<Session>& session : shared_) session->end();
}

}  // namespace parity::driver
