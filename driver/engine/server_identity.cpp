#include "driver/engine/server_identity.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/model/plan.h"
#include "driver/text/lsn.h"

namespace parity::driver {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;

constexpr const char* kOneServerHint =
    "name one server: every connection of a run must reach the same one, so no address that several servers share; "
    "--allow-failover goes on with another server of the same cluster";
constexpr const char* kPoolerHint = "connect to the server itself, or through a pooler in session mode";

bool known(const std::string& a, const std::string& b) { return !a.empty() && !b.empty(); }

std::string show_time(std::int64_t microseconds) {
    const std::time_t seconds = microseconds / kMicroseconds;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
    return fmt::format("{}.{:06}Z", std::string_view(text.data(), length), microseconds % kMicroseconds);
}

std::string_view name_of(ServerChange change) {
    if (change == ServerChange::kPromoted) return "was promoted";
    if (change == ServerChange::kRestarted) return "was restarted";
    return "is another server of the same cluster now";
}

}  // namespace

ServerChange server_change(const ServerIdentity& expected, const ServerIdentity& met) {
    const bool other_system =
        known(expected.system_identifier, met.system_identifier) && expected.system_identifier != met.system_identifier;
    if (other_system || expected.database_oid != met.database_oid) return ServerChange::kOtherServer;
    const bool same_timeline = expected.timeline == met.timeline || expected.timeline == 0 || met.timeline == 0;
    const bool same_role = expected.in_recovery == met.in_recovery && same_timeline;
    if (expected.started_us == met.started_us) {
        if (same_role) return ServerChange::kNone;
        return expected.in_recovery && !met.in_recovery ? ServerChange::kPromoted : ServerChange::kOtherOfCluster;
    }
    // A server that was running when the other one began is not that one, nor is one whose log lacks what was on disk.
    const bool lacks_log = !met.in_recovery && met.log_end < expected.log_end;
    return same_role && !lacks_log && met.started_us > expected.read_us ? ServerChange::kRestarted
                                                                        : ServerChange::kOtherOfCluster;
}

/// A server may be promoted between two looks at it.
bool same_database(const ServerIdentity& a, const ServerIdentity& b) {
    const bool other_system =
        known(a.system_identifier, b.system_identifier) && a.system_identifier != b.system_identifier;
    return !other_system && a.database_oid == b.database_oid && a.started_us == b.started_us;
}

std::string describe_identity(const ServerIdentity& server) {
    if (server.system_identifier.empty()) return fmt::format("database OID {}", server.database_oid);
    return fmt::format("system identifier {}, database OID {}", server.system_identifier, server.database_oid);
}

std::string describe_incarnation(const ServerIdentity& server) {
    std::string role = server.in_recovery ? "in recovery" : "primary";
    if (server.timeline != 0) role += fmt::format(" on timeline {}", server.timeline);
    if (server.log_end != 0) role += fmt::format(", log to {}", show_lsn(server.log_end));
    return fmt::format("started {}, {}", show_time(server.started_us), role);
}

void require_same_server(Side side, const ServerIdentity& expected, const ServerIdentity& met) {
    const ServerChange change = server_change(expected, met);
    if (change == ServerChange::kNone) return;
    if (change == ServerChange::kOtherServer)
        throw Error(ErrorKind::kOtherServer,
                    fmt::format("{} is another server now: {}; when the run began: {}", side_name(side),
                                describe_identity(met), describe_identity(expected)),
                    kOneServerHint, std::string(side_name(side)), "");
    throw Error(ErrorKind::kChangedServer,
                fmt::format("{} {}: {}; when the run began: {}", side_name(side), name_of(change),
                            describe_incarnation(met), describe_incarnation(expected)),
                change == ServerChange::kOtherOfCluster ? kOneServerHint : "run pgparity again",
                std::string(side_name(side)), "");
}

void require_same_data(Side side, const ServerIdentity& began_with, const ServerIdentity& met) {
    const bool other_system = known(began_with.system_identifier, met.system_identifier) &&
                              began_with.system_identifier != met.system_identifier;
    if (!other_system && began_with.database_oid == met.database_oid) return;
    throw Error(ErrorKind::kUsage,
                fmt::format("{} is another database than the run began with: {}; when the run began: {}",
                            side_name(side), describe_identity(met), describe_identity(began_with)),
                "go on with the databases that the run began with, or begin a run");
}

void require_same_backend(Side side, std::int32_t before, const ServerIdentity& met) {
    if (before == met.backend) return;
    throw Error(ErrorKind::kOtherServer,
                fmt::format("{} answers one session from several backends: a pooler in transaction or statement mode "
                            "stands before it",
                            side_name(side)),
                kPoolerHint, std::string(side_name(side)), "");
}

void refuse_same_database(const std::string& database) {
    throw Error(ErrorKind::kUsage,
                fmt::format("source and target are the same database \"{}\" of the same server", database),
                "--allow-same-server compares it with itself");
}

NamedServers::NamedServers(const Both<ServerInfo>& servers, bool allow_same_server)
    : databases_{servers.source.database, servers.target.database},
      allow_same_server_(allow_same_server),
      known_{servers.source.identity, servers.target.identity},
      before_restart_(known_),
      met_(known_) {}

ServerChange NamedServers::store_met(Side side, const ServerIdentity& met) {
    {
        const std::lock_guard lock(mutex_);
        met_[side] = met;
    }
    // The server that it has become is told before how it got there.
    require_two_databases(side);
    const ServerChange change = follow(side, met);
    if (change == ServerChange::kOtherServer) require_same_server(side, known(side), met);
    return change;
}

void NamedServers::require_two_databases(Side side) const {
    const std::lock_guard lock(mutex_);
    if (allow_same_server_ || !same_database(met_.source, met_.target)) return;
    throw Error(ErrorKind::kOtherServer,
                fmt::format("{} is another server now: source and target are the same database \"{}\" of the same "
                            "server",
                            side_name(side), databases_[side]),
                kOneServerHint, std::string(side_name(side)), "");
}

void NamedServers::fail_over(Side side, const ServerIdentity& met) {
    {
        const std::lock_guard lock(mutex_);
        met_[side] = known_[side] = before_restart_[side] = met;
    }
    require_two_databases(side);
}

void NamedServers::require(Side side, const ServerIdentity& met) {
    const ServerChange change = store_met(side, met);
    if (change != ServerChange::kNone && change != ServerChange::kRestarted)
        require_same_server(side, known(side), met);
}

ServerIdentity NamedServers::known(Side side) const {
    const std::lock_guard lock(mutex_);
    return known_[side];
}

/// A restart is no other server: from now on, what answers is held against the restarted one. An answer from before it
/// may be heard of after it.
ServerChange NamedServers::follow(Side side, const ServerIdentity& met) {
    const std::lock_guard lock(mutex_);
    ServerIdentity& known = known_[side];
    if (met.read_us < known.started_us && server_change(before_restart_[side], met) == ServerChange::kNone)
        return ServerChange::kNone;
    const ServerChange change = server_change(known, met);
    if (change == ServerChange::kRestarted) before_restart_[side] = std::exchange(known, met);
    if (change == ServerChange::kNone) {
        known.read_us = std::max(known.read_us, met.read_us);
        known.log_end = std::max(known.log_end, met.log_end);
    }
    return change;
}

}  // namespace parity::driver
