#include "driver/postgres/connection/exchange.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <new>
#include <utility>

#include <fmt/core.h>

#include "core/ascii.h"
#include "driver/model/error.h"
#include "driver/model/sqlstates.h"
#include "driver/postgres/connection/conninfo.h"
#include "driver/postgres/connection/connect_failure.h"
#include "driver/postgres/connection/locked.h"
#include "driver/waiting/interrupt.h"

namespace parity::driver {

namespace {

/// How long a server may be silent before what has come is looked at again. Where libpq has no memory to say that a
/// COPY begins, it waits for more, which an answer that is whole does not bring.
constexpr std::chrono::seconds kParseAgain{1};
/// More than libpq needs for that.
constexpr std::size_t kResultBytes = 8192;

/// Throws std::bad_alloc where there is no memory for what libpq may be waiting to say.
void require_memory() { ::operator delete(::operator new(kResultBytes)); }

ResultPtr own(PGresult* result) {
    return {result, [](PGresult* r) { PQclear(r); }};
}

std::string_view field(const PGresult* result, int code) {
    const char* text = PQresultErrorField(result, code);
    return text ? text : "";
}

/// Whether a message comes from the server's own code, which is C; the extension is C++.
bool is_of_server(const PGresult* result) { return !field(result, PG_DIAG_SOURCE_FILE).ends_with(".cpp"); }

/// Whether a file that a message names is one of the memory that parallel workers share: "/PostgreSQL.1804289383".
bool names_shared_memory(std::string_view message) {
    constexpr std::string_view kSegment = "/PostgreSQL.";
    const std::size_t at = message.find(kSegment);
    return at != std::string_view::npos && at + kSegment.size() < message.size() &&
           core::is_digit(message[at + kSegment.size()]);
}

int milliseconds_until(std::optional<Clock::time_point> deadline) {
    if (!deadline) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
    return left < 0 ? 0 : static_cast<int>(left);
}

}  // namespace

std::optional<std::uint64_t> take_number(std::string_view& text) {
    const std::size_t start = text.find_first_of("0123456789");
    if (start == std::string_view::npos) return std::nullopt;
    text.remove_prefix(start);
    std::uint64_t number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

Connection::State::~State() {
    if (peer) peer->watched_by = nullptr;
    if (watched_by) watched_by->peer = nullptr;
    close();
    await_session_end(ending_socket);
}

void Connection::State::close() noexcept {
    if (!conn) return;
    results_read_ahead.clear();
    if (broken)
        PQfinish(conn);
    else
        ending_socket = close_connection(conn);
    conn = nullptr;
    broken = true;
}

void Connection::State::require_alive() const {
    if (interrupted() && !answer_time) throw interruption();
    if (!broken) return;
    throw Error(ErrorKind::kConnection, fmt::format("the connection to the {} is closed", server), {}, server, {});
}

// ---- waiting -------------------------------------------------------------------------------------------------

bool Connection::State::wait(short socket_events, std::optional<Clock::time_point> deadline) {
    std::array<pollfd, 2> awaited = {{{PQsocket(conn), socket_events, 0}, {-1, 0, 0}}};
    for (;;) {
        State* const silent = first_too_silent();
        const std::optional<Clock::time_point> limit = silent ? silent->silent_until() : std::nullopt;
        const bool is_limited = limit && (!deadline || *limit < *deadline);
        if (wait_on(awaited, is_limited ? limit : deadline)) {
            heard_at = Clock::now();
            return true;
        }
        if (!is_limited) return false;
        if (Clock::now() >= *silent->silent_until()) end_silence(*silent);
    }
}

/// Of this connection and of the peer that is watched with it, the one whose silence lasts too long first. A peer owes
/// nothing where libpq has its next result already: that is taken when it is asked for.
/// Returns: nullptr where no limit is set.
Connection::State* Connection::State::first_too_silent() {
    State* first = silent_until() ? this : nullptr;
    const pollfd watched = watched_peer();
    const bool owes = watched.fd >= 0 && (watched.events & POLLIN) != 0 && PQisBusy(peer->conn) != 0;
    if (!owes || !peer->silent_until()) return first;
    return first && *silent_until() <= *peer->silent_until() ? first : peer;
}

std::optional<Clock::time_point> Connection::State::silent_until() const {
    if (silence_limit <= std::chrono::milliseconds(0) || !examine || draining) return std::nullopt;
    return heard_at + silence_limit;
}

void Connection::State::end_silence(State& silent) {
    const auto silence = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - silent.heard_at);
    const std::optional<Error> found = silent.examine(silence, [&silent] {
        pollfd input{PQsocket(silent.conn), POLLIN, 0};
        return poll(&input, 1, 0) > 0;
    });
    silent.heard_at = Clock::now();
    if (!found) return;
    silent.broken = true;
    if (&silent != this) cancel_and_drain();
    throw Error(*found);
}

bool Connection::State::wait_on(std::array<pollfd, 2>& awaited, std::optional<Clock::time_point> deadline) {
    const bool may_be_late = answer_due && !draining && (!deadline || *answer_due < *deadline);
    for (;;) {
        if (interrupted() && !answer_time) interrupt();
        std::array<pollfd, 5> fds = {{awaited[0],
                                      awaited[1],
                                      {answer_time ? -1 : interrupt_fd(), POLLIN, 0},
                                      {failure && !draining ? failure->fd() : -1, POLLIN, 0},
                                      watched_peer()}};
        const int ready = poll(fds.data(), fds.size(), milliseconds_until(may_be_late ? answer_due : deadline));
        if (ready < 0 && errno != EINTR) {
            throw Error(ErrorKind::kInternal,
                        fmt::format("could not wait for the {}: {}", server, std::strerror(errno)));
        }
        if (ready == 0 && may_be_late) fail_late();
        if (ready == 0) return false;
        if (ready < 0 || fds[2].revents) continue;
        if (fds[3].revents) fail_shared();
        if (fds[4].revents) read_peer((fds[4].revents & ~POLLIN) != 0);
        std::copy_n(fds.begin(), awaited.size(), awaited.begin());
        if (awaited[0].revents || awaited[1].revents) return true;
    }
}

/// An idle session hears of settings that changed, and of its end.
void Connection::State::wait_for(int fd) {
    for (;;) {
        std::array<pollfd, 2> awaited = {{{fd, POLLIN, 0}, {PQsocket(conn), POLLIN, 0}}};
        wait_on(awaited, {});
        if (awaited[0].revents) return;
        consume();
        PQisBusy(conn);  // takes what came
    }
}

/// Both requests are under way at the same time.
void Connection::State::interrupt() {
    broken = true;
    {
        const CancelRequest request(conn);
        std::optional<CancelRequest> peer_request;
        if (peer && peer->streaming) {
            peer->broken = true;
            peer_request.emplace(peer->conn);
            peer_request->wait();
        }
        request.wait();
    }
    throw interruption();
}

/// Ends what runs first, so that the connection can be used again.
void Connection::State::fail_shared() {
    cancel_and_drain();
    failure->rethrow();
}

pollfd Connection::State::watched_peer() const {
    if (draining || !peer || !peer->streaming || peer->broken || peer->closed_after_answer) return {-1, 0, 0};
    const int input = peer->results_read_ahead.empty() ? POLLIN : 0;
    return {PQsocket(peer->conn), static_cast<short>(POLLRDHUP | input), 0};
}

void Connection::State::read_peer(bool closed) {
    try {
        take_peer_input(closed);
    } catch (const std::exception&) {
        cancel_and_drain();
        throw;
    }
}

/// Reads at most one result ahead: what follows stays in the socket, so that a side that is faster than the other
/// waits. Where the server has closed the connection, reads all that the socket holds: its last word tells whether the
/// answer is whole.
void Connection::State::take_peer_input(bool closed) {
    State& other = *peer;
    other.heard_at = Clock::now();
    do {
        if (PQisBusy(other.conn)) other.consume();
        if (PQisBusy(other.conn)) continue;
        const ResultPtr result = own(PQgetResult(other.conn));
        if (!result) {
            other.closed_after_answer = closed;
            return;
        }
        if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
            other.drain();
            other.fail(result);
        }
        other.note_answer();
        other.results_read_ahead.push_back(result);
    } while (closed);
}

void Connection::State::consume() {
    if (!PQconsumeInput(conn)) fail_broken();
}

void Connection::State::note_answer() {
    if (!answered_at) answered_at = Clock::now();
}

// ---- connecting ----------------------------------------------------------------------------------------------

void Connection::State::connect(int timeout_s) {
    std::optional<Clock::time_point> deadline;
    if (timeout_s > 0) deadline = Clock::now() + std::chrono::seconds(timeout_s);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    bool reached = false;
    PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);  // for the SQLSTATE
    while (status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED || PQstatus(conn) == CONNECTION_BAD)
            throw connect_error(server, conn, reached);
        reached = PQstatus(conn) != CONNECTION_STARTED;
        if (!wait(status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
            throw Error(ErrorKind::kConnection,
                        fmt::format("could not connect to the {}: no answer within {} s", server, timeout_s),
                        "--connect-timeout sets the limit", server, {});
        }
        status = PQconnectPoll(conn);
    }
    PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
}

// ---- sending and receiving -----------------------------------------------------------------------------------

void Connection::State::send(const std::string& sql, const std::vector<Parameter>& parameters, bool stream) {
    require_alive();
    if (streaming) throw Error(ErrorKind::kInternal, "a query was sent while another one's rows are read");
    heard_at = sent_at = Clock::now();
    if (answer_time) answer_due = heard_at + *answer_time;
    int sent = 0;
    if (parameters.empty() && !stream) {
        sent = PQsendQuery(conn, sql.c_str());
    } else {
        std::vector<const char*> values;
        std::vector<int> lengths, formats;
        for (const auto& [value, is_binary] : parameters) {
            values.push_back(value ? value->c_str() : nullptr);
            lengths.push_back(value ? static_cast<int>(value->size()) : 0);
            formats.push_back(is_binary ? 1 : 0);
        }
        sent = PQsendQueryParams(conn, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                                 lengths.data(), formats.data(), stream ? 1 : 0);
    }
    if (!sent) fail_broken();
    if (stream) PQsetSingleRowMode(conn);
    flush();
}

/// libpq does not block: while the server does not take what we send, it may want to be read.
void Connection::State::flush() {
    for (;;) {
        const int left = PQflush(conn);
        if (left == 0) return;
        if (left < 0) fail_broken();
        wait(POLLIN | POLLOUT);
        consume();
    }
}

ResultPtr Connection::State::take_result() {
    if (!results_read_ahead.empty()) {
        ResultPtr result = std::move(results_read_ahead.front());
        results_read_ahead.pop_front();
        heard_at = Clock::now();
        return result;
    }
    if (PQisBusy(conn)) heard_at = Clock::now();  // only now it is waited for
    while (PQisBusy(conn)) {
        if (!wait(POLLIN, Clock::now() + kParseAgain)) require_memory();
        consume();
    }
    note_answer();
    return own(PQgetResult(conn));
}

/// Takes what is left of an answer that failed or is not wanted. Nothing else that happens ends that.
void Connection::State::drain(Clock::time_point deadline) {
    streaming = false;
    results_read_ahead.clear();
    draining = true;
    if (!skip_answer(deadline)) broken = true;
    draining = false;
}

bool Connection::State::skip_answer(Clock::time_point deadline) {
    while (PQstatus(conn) == CONNECTION_OK) {
        while (PQisBusy(conn))
            if (!read_more(deadline)) return false;
        const ResultPtr result = own(PQgetResult(conn));
        if (!result) return true;
        if (PQresultStatus(result.get()) == PGRES_COPY_OUT && !skip_copy(deadline)) return false;
    }
    return true;
}

/// What is left of a COPY must be taken before its end can be.
bool Connection::State::skip_copy(Clock::time_point deadline) {
    char* message = nullptr;
    int length = 0;
    while ((length = PQgetCopyData(conn, &message, 1)) >= 0) {
        PQfreemem(std::exchange(message, nullptr));
        if (length == 0 && !read_more(deadline)) return false;
    }
    return length == -1;
}

/// A server that was not reached by a request to cancel may send on and on.
bool Connection::State::read_more(Clock::time_point deadline) {
    return Clock::now() < deadline && wait(POLLIN, deadline) && PQconsumeInput(conn);
}

/// Afterwards the connection is idle or given up. Does nothing where it is idle already.
void Connection::State::cancel_and_drain() noexcept {
    streaming = false;
    results_read_ahead.clear();
    if (broken || PQtransactionStatus(conn) != PQTRANS_ACTIVE) return;
    try {
        const auto deadline = Clock::now() + kDrainTime;
        if (CancelRequest(conn).wait())
            drain(deadline);
        else
            broken = true;
    } catch (const std::exception&) {
        broken = true;
    }
}

// ---- what servers say ----------------------------------------------------------------------------------------

void Connection::State::fail_broken() {
    broken = true;
    throw Error(ErrorKind::kConnection,
                fmt::format("lost the connection to the {}: {}", server, one_line(PQerrorMessage(conn))), {}, server,
                end_state, !end_state.empty())
        .because(end_state == kSerializationFailure ? ErrorCause::kRecoveryConflict : ErrorCause::kUnknown);
}

void Connection::State::fail_late() {
    broken = true;
    throw Error(ErrorKind::kConnection,
                fmt::format("lost the connection to the {}: no answer within {} s", server, answer_time->count()), {},
                server, {});
}

/// Messages may be in any language, but for the names of files. A server's timeout and a request to cancel have one
/// SQLSTATE; a timeout of ours ends no statement that has run for less.
ErrorCause Connection::State::cause_of(std::string_view sqlstate, std::string_view message,
                                       bool by_server_itself) const {
    const bool is_limited = statement_limit && statement_limit->count() > 0;
    if (sqlstate == kQueryCanceled && is_limited && Clock::now() - sent_at >= *statement_limit)
        return ErrorCause::kOwnTimeout;
    // Nothing that we ask a server for can be one of its own but that.
    if (sqlstate == kSerializationFailure && by_server_itself) return ErrorCause::kRecoveryConflict;
    if (sqlstate == kDiskFull && names_shared_memory(message)) return ErrorCause::kSharedMemory;
    return ErrorCause::kUnknown;
}

/// A broken connection has a result without SQLSTATE; a server that is shut down gives one and then closes the
/// connection.
void Connection::State::fail(const ResultPtr& result) {
    const std::string_view sqlstate = field(result.get(), PG_DIAG_SQLSTATE);
    if (sqlstate.empty() || PQstatus(conn) == CONNECTION_BAD) {
        remember_end(result.get());
        fail_broken();
    }
    std::string message = fmt::format("{}: {}", server, one_line(field(result.get(), PG_DIAG_MESSAGE_PRIMARY)));
    const std::string_view detail = field(result.get(), PG_DIAG_MESSAGE_DETAIL);
    if (!detail.empty()) message += fmt::format(" ({})", one_line(detail));
    const ErrorCause cause = cause_of(sqlstate, message, is_of_server(result.get()));
    if (sqlstate == kQueryCanceled && statement_limit)
        message += cause == ErrorCause::kOwnTimeout ? " (--statement-timeout)" : " (pgparity did not cancel it)";
    const Error error(ErrorKind::kServer, message, one_line(field(result.get(), PG_DIAG_MESSAGE_HINT)), server,
                      std::string(sqlstate), is_of_server(result.get()));
    if (sqlstate == kDeadlockDetected) throw error.between(deadlocked_processes(detail));
    throw error.because(cause);
}

/// Why a server ends a session, such as that of who is idle in a transaction that replay on a standby must wait for.
/// The word of it comes as an answer or, where none is awaited, as a notice.
void Connection::State::remember_end(const PGresult* word) {
    if (is_of_server(word)) end_state = field(word, PG_DIAG_SQLSTATE);
}

/// Called by libpq, which knows nothing of exceptions: what cannot be told is lost.
void Connection::State::handle_notice(const PGresult* notice) noexcept {
    try {
        if (field(notice, PG_DIAG_SEVERITY_NONLOCALIZED) == "FATAL") remember_end(notice);
        tell_notice(notice);
    } catch (const std::exception&) {
    }
}

void Connection::State::tell_notice(const PGresult* notice) const {
    if (field(notice, PG_DIAG_SQLSTATE) != kProgressReport) {
        if (on_notice) on_notice(field(notice, PG_DIAG_SEVERITY), field(notice, PG_DIAG_MESSAGE_PRIMARY));
        return;
    }
    std::string_view pages = field(notice, PG_DIAG_MESSAGE_DETAIL);  // "pages 12 of 345"
    const std::optional<std::uint64_t> done = take_number(pages);
    const std::optional<std::uint64_t> total = take_number(pages);
    if (on_progress && done && total) on_progress(*done, *total);
}

}  // namespace parity::driver
