#pragma once

#include <chrono>
#include <future>

struct pg_conn;

namespace parity::driver {

/// How long a request to cancel may take before the connection is given up.
inline constexpr std::chrono::seconds kCancelTime{5};
/// How long a cancelled query may take to end before its connection is given up, the request included.
inline constexpr std::chrono::seconds kDrainTime{10};

/// How long a server may take for a statement that is none of its work, before its connection is given up.
inline constexpr std::chrono::seconds kBriefTime{5};

/// A request to a server to cancel what one of its connections runs, under way in a thread of its own.
///
/// PQcancel connects anew, waits for the server to close the connection, and knows no limit to that. Behind a network
/// that drops all packets it never returns; its thread is left behind then and ends with the process.
class CancelRequest {
  public:
    /// Begins. The connection is not looked at after the constructor returned.
    explicit CancelRequest(pg_conn* conn);

    /// Whether the request came to an end, delivered or refused, within kCancelTime of its beginning.
    bool wait() const;

  private:
    std::chrono::steady_clock::time_point deadline_;
    std::future<void> ended_;
};

/// Tells the server that its session is over and frees the connection. What it gives is for await_session_end(), which
/// has to be called: several servers can end their sessions at the same time.
int close_connection(pg_conn* conn) noexcept;

/// Where the connection was in order, waits until the server has ended the session, a second at most, so that limits on
/// the number of connections do not count it any more.
void await_session_end(int socket) noexcept;

}  // namespace parity::driver
