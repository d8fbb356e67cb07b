#include "driver/postgres/connection/stall.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "driver/model/sqlstates.h"
#include "driver/postgres/connection/locked.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {
namespace {

/// How long the server may take to tell about a session.
constexpr std::chrono::seconds kLookTime{10};
constexpr int kLongestConnect = 10;

/// A connection beside the silent one. A signal ends the attempt to connect, and nothing after that.
Connection connect_beside(Side side, const Options& options) {
    const int timeout =
        options.connect_timeout_s > 0 ? std::min(options.connect_timeout_s, kLongestConnect) : kLongestConnect;
    Connection connection =
        Connection::open(side_name(side), options.conninfo[side], "pgparity: silent session", timeout);
    connection.set_answer_time(kLookTime);
    connection.query(pin_session_statements());
    return connection;
}

Result ask(Connection& connection, const Query& query) { return connection.query(query.sql, query.parameters); }

/// Whether the server answers, and has only no room for another connection.
bool is_without_room(const Error& error) { return error.sqlstate() == kTooManyConnections; }

}  // namespace

bool is_at_work(const SilentBackend& backend) {
    if (!backend.same_server || !backend.there) return false;
    if (backend.wait_event_type == "Lock" || backend.wait_event_type == "Client") return false;
    return !backend.state.starts_with("idle");
}

std::string stall_words(const SilentBackend& backend) {
    if (!backend.same_server) return "is gone: the server was restarted, or is another one";
    if (!backend.there) return "is gone";
    if (backend.state.starts_with("idle")) return fmt::format("is {}: its answer did not arrive", backend.state);
    if (backend.wait_event_type == "Lock") {
        const std::string lock = fmt::format("waits for a lock ({})", backend.wait_event);
        return backend.blockers.empty() ? lock
                                        : fmt::format("{} of {}", lock, fmt::join(backend.blockers, ", and of "));
    }
    if (backend.wait_event_type == "Client")
        return fmt::format("waits for the network ({}): what is sent does not arrive", backend.wait_event);
    if (backend.wait_event.empty()) return "is at work";
    return fmt::format("is at work ({}: {})", backend.wait_event_type, backend.wait_event);
}

std::string show_duration(std::chrono::milliseconds duration) {
    constexpr std::int64_t kSecond = 1000, kMinute = 60 * kSecond;
    const std::int64_t count = duration.count();
    if (count >= 2 * kMinute) return fmt::format("{} min", count / kMinute);
    if (count % kSecond < kSecond / 10 || count >= kMinute) return fmt::format("{} s", count / kSecond);
    return fmt::format("{:.1f} s", static_cast<double>(count) / kSecond);
}

SilenceExaminer give_up_silent(std::string_view server, std::string_view hint) {
    return [server = std::string(server), hint = std::string(hint)](
               std::chrono::milliseconds silent, const std::function<bool()>& has_input) -> std::optional<Error> {
        if (has_input()) return std::nullopt;
        return Error(ErrorKind::kConnection,
                     fmt::format("the {} has sent nothing for {}", server, show_duration(silent)), hint, server, {});
    };
}

void StallWatch::add(const ServerIdentity& server, std::int32_t backend) {
    const std::lock_guard lock(mutex_);
    server_ = server;
    backends_.push_back(backend);
}

/// Those that are to be ended are still known then.
void StallWatch::keep_only(std::int32_t backend) {
    const std::lock_guard lock(mutex_);
    if (!found_) backends_ = {backend};
}

void StallWatch::set_notice_handler(NoticeHandler on_notice) {
    const std::lock_guard lock(mutex_);
    on_notice_ = std::move(on_notice);
}

void StallWatch::take_notices(StallWatch& other) {
    NoticeHandler taken;
    {
        const std::lock_guard lock(other.mutex_);
        taken = std::exchange(other.on_notice_, nullptr);
    }
    set_notice_handler(std::move(taken));
}

/// One thread after the other: what one has found is true of all sessions that share its snapshot, as they end with it.
std::optional<Error> StallWatch::examine(std::int32_t backend, std::chrono::milliseconds silent,
                                         const std::function<bool()>& has_input) {
    const std::lock_guard lock(mutex_);
    if (found_) return found_;
    try {
        const SilentBackend seen = look_at(backend);
        const std::string words = fmt::format("its session (pid {}) {}", backend, stall_words(seen));
        if (is_at_work(seen)) {
            tell(NoticeLevel::kInfo, fmt::format("nothing was sent for {}: {}", show_duration(silent), words));
            return std::nullopt;
        }
        if (!has_input()) found_ = stalled(words, silent);
    } catch (const std::exception& thrown) {
        const Error error = as_error(thrown);
        if (error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kResources) return std::nullopt;
        if (is_without_room(error)) {
            tell(NoticeLevel::kWarning, fmt::format("nothing was sent for {}, and it cannot be told why: {}",
                                                    show_duration(silent), error.what()));
            return std::nullopt;
        }
        if (!has_input())
            found_ = stalled(fmt::format("nor does it answer over another connection: {}", error.what()), silent);
    }
    return found_;
}

SilentBackend StallWatch::look_at(std::int32_t backend) const {
    Connection connection = connect_beside(side_, options_);
    const Result state = ask(connection, backend_state_query(backend));
    SilentBackend seen;
    seen.same_server = state.number<std::int64_t>(0, 0) == server_.started_us;
    seen.there = state.is_true(0, 1);
    seen.state = state.text(0, 2);
    seen.wait_event_type = state.text(0, 3);
    seen.wait_event = state.text(0, 4);
    if (seen.wait_event_type == "Lock") seen.blockers = read_blockers(connection, backend);
    return seen;
}

Error StallWatch::stalled(const std::string& words, std::chrono::milliseconds silent) const {
    return {ErrorKind::kConnection,
            fmt::format("the {} has sent nothing for {}: {}", side_name(side_), show_duration(silent), words),
            std::string(kStallHint),
            std::string(side_name(side_)),
            {}};
}

void StallWatch::tell(NoticeLevel level, const std::string& what) const {
    if (on_notice_) on_notice_(level, what);
}

bool StallWatch::end_backends() noexcept {
    const std::lock_guard lock(mutex_);
    if (!found_) return false;
    try {
        found_.reset();
        Connection connection = connect_beside(side_, options_);
        ask(connection, end_backends_query(backends_, server_.started_us));
    } catch (const std::exception&) {
        // Nobody can be asked to end them. The server does when it finds the connections broken.
    }
    return true;
}

}  // namespace parity::driver
