#pragma once

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/error.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/ending.h"
#include "driver/postgres/queries/query.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {

using Clock = std::chrono::steady_clock;
using ResultPtr = std::shared_ptr<pg_result>;

/// The first number in `text`, which then begins behind it.
std::optional<std::uint64_t> take_number(std::string_view& text);

/// What a connection and its streams work with: sending, receiving and waiting.
struct Connection::State {
    State(std::string_view which, PGconn* started) : server(which), conn(started) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State();

    void connect(int timeout_s);
    void require_alive() const;
    void send(const std::string& sql, const std::vector<Parameter>& parameters, bool stream);
    void flush();
    ResultPtr take_result();
    void drain(Clock::time_point deadline = Clock::now() + kDrainTime);
    bool skip_answer(Clock::time_point deadline);
    bool skip_copy(Clock::time_point deadline);
    bool read_more(Clock::time_point deadline);
    void cancel_and_drain() noexcept;
    void close() noexcept;

    /// Waits until `socket_events` on our socket, a signal, a shared failure, or the peer's answer.
    /// Returns: false at the deadline.
    bool wait(short socket_events, std::optional<Clock::time_point> deadline = {});
    /// The same for any two descriptors.
    bool wait_on(std::array<pollfd, 2>& awaited, std::optional<Clock::time_point> deadline);
    void wait_for(int fd);
    State* first_too_silent();
    std::optional<Clock::time_point> silent_until() const;
    void end_silence(State& silent);
    pollfd watched_peer() const;
    void interrupt();
    void fail_shared();
    void read_peer(bool closed);
    void take_peer_input(bool closed);
    void consume();
    void note_answer();

    ErrorCause cause_of(std::string_view sqlstate, std::string_view message, bool by_server_itself) const;
    [[noreturn]] void fail(const ResultPtr& result);
    [[noreturn]] void fail_broken();
    [[noreturn]] void fail_late();
    void remember_end(const PGresult* word);
    void handle_notice(const PGresult* notice) noexcept;
    void tell_notice(const PGresult* notice) const;

    const std::string server;
    PGconn* conn;            ///< nullptr after close()
    int ending_socket = -1;  ///< see close()
    bool broken = false;
    bool streaming = false;
    bool draining = false;                            ///< what is left of an answer is being thrown away
    bool closed_after_answer = false;                 ///< closed by the server after a whole answer
    std::optional<std::chrono::seconds> answer_time;  ///< see set_answer_time()
    std::optional<Clock::time_point> answer_due;
    std::chrono::milliseconds silence_limit{0};  ///< see set_silence_limit()
    SilenceExaminer examine;
    std::optional<std::chrono::milliseconds> statement_limit;  ///< see set_statement_limit()
    Clock::time_point sent_at{};                               ///< the last statement
    Clock::time_point heard_at{};                  ///< when the server last sent something, or began to be waited for
    std::deque<ResultPtr> results_read_ahead;      ///< taken while the other side's rows were awaited
    std::optional<Clock::time_point> answered_at;  ///< the first part of what a RowStream reads
    const SharedFailure* failure = nullptr;
    std::string end_state;  ///< the SQLSTATE with which the server ended the session
    State* peer = nullptr;
    State* watched_by = nullptr;
    std::function<void(std::uint64_t, std::uint64_t)> on_progress;
    std::function<void(std::string_view, std::string_view)> on_notice;
};

}  // namespace parity::driver
