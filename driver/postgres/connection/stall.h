#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/engine/server.h"
#include "driver/model/error.h"
#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/sides.h"
#include "driver/postgres/connection/connection.h"

namespace parity::driver {

/// What a server tells, over another connection, of a session that sends nothing.
struct SilentBackend {
    bool same_server = true;  ///< the one whose session it is, and not restarted since
    bool there = true;
    std::string state;  ///< as in pg_stat_activity; empty: it does not tell
    std::string wait_event_type, wait_event;
    std::vector<std::string> blockers;  ///< who holds what it waits for, in words
};

/// Whether the session works: it is active, and waits neither for a lock nor for us. A server that does not tell what
/// its sessions do is believed.
bool is_at_work(const SilentBackend& backend);

/// What is told of it: "waits for a lock (relation) of pid 71 (user ada, psql), in a transaction of 480 s: LOCK TABLE
/// orders", "is idle in transaction: its answer did not arrive".
std::string stall_words(const SilentBackend& backend);

/// "5 min", "90 s", "1.5 s".
std::string show_duration(std::chrono::milliseconds duration);

/// What is said of the limit that a stalled session has reached.
inline constexpr std::string_view kStallHint = "--stall-timeout sets the limit";

/// Ends the wait for a silent server without a look at what it does. `hint` tells what may be done.
SilenceExaminer give_up_silent(std::string_view server, std::string_view hint);

/// Looks at a silent session, and ends what a stalled one would leave behind: its own backend, and those that read
/// under the same snapshot. Thread-safe.
class StallWatch {
  public:
    StallWatch(Side side, const Options& options) : side_(side), options_(options) {}

    /// The server is this one. It has a session of ours with that backend.
    void add(const ServerIdentity& server, std::int32_t backend);

    /// Only this session is left.
    void keep_only(std::int32_t backend);

    /// Who hears of a session that is silent and works. None: nobody.
    void set_notice_handler(NoticeHandler on_notice);

    /// The notices of `other` come from this one from now on.
    void take_notices(StallWatch& other);

    /// The session with this backend has sent nothing for so long: asks the server over another connection what it
    /// does.
    /// Returns: what ends the wait for it; nothing where it works, something came meanwhile, or the server has no
    /// connection left to tell.
    std::optional<Error> examine(std::int32_t backend, std::chrono::milliseconds silent,
                                 const std::function<bool()>& has_input);

    /// Where a session was found stalled: ends the sessions on the server, over another connection. The connections to
    /// them are to be closed then.
    /// Returns: whether one was found stalled since the last call.
    bool end_backends() noexcept;

  private:
    SilentBackend look_at(std::int32_t backend) const;
    Error stalled(const std::string& words, std::chrono::milliseconds silent) const;
    void tell(NoticeLevel level, const std::string& what) const;

    const Side side_;
    const Options& options_;
    std::mutex mutex_;
    ServerIdentity server_;
    std::vector<std::int32_t> backends_;
    NoticeHandler on_notice_;
    std::optional<Error> found_;  ///< why the first one is stalled
};

}  // namespace parity::driver
