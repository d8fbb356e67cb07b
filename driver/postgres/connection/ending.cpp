#include "driver/postgres/connection/ending.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "driver/model/error.h"
#include "driver/waiting/start_thread.h"

namespace parity::driver {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kCloseTime{1};

/// Reads until the other end of the socket is closed.
void await_end(int socket, Clock::time_point deadline) {
    std::array<char, 1024> rest{};
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd fd{socket, POLLIN, 0};
        if (left <= 0 || poll(&fd, 1, static_cast<int>(left)) <= 0) return;
        if (read(socket, rest.data(), rest.size()) <= 0) return;
    }
}

}  // namespace

CancelRequest::CancelRequest(PGconn* conn) : deadline_(Clock::now() + kCancelTime) {
    std::promise<void> promise;
    ended_ = promise.get_future();
    const std::shared_ptr<PGcancel> handle(PQgetCancel(conn), &PQfreeCancel);
    try {
        start_thread([handle, ended = std::move(promise)]() mutable {
            std::array<char, 256> message{};
            if (handle) PQcancel(handle.get(), message.data(), static_cast<int>(message.size()));
            ended.set_value();
        }).detach();
    } catch (const Error&) {
        // Without a thread nothing is sent: what runs ends with the connection.
    }
}

bool CancelRequest::wait() const { return ended_.wait_until(deadline_) == std::future_status::ready; }

/// A session's backend closes its socket when it exits, after it has given up its place. Our end must stay open until
/// then, so a second descriptor holds it.
int close_connection(PGconn* conn) noexcept {
    const bool in_order = PQstatus(conn) == CONNECTION_OK && PQtransactionStatus(conn) != PQTRANS_ACTIVE;
    const int socket = in_order ? fcntl(PQsocket(conn), F_DUPFD_CLOEXEC, 0) : -1;
    PQfinish(conn);
    return socket;
}

void await_session_end(int socket) noexcept {
    if (socket < 0) return;
    await_end(socket, Clock::now() + kCloseTime);
    close(socket);
}

}  // namespace parity::driver
