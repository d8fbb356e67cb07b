#pragma once

#include <memory>

#include "driver/engine/server.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// The sessions of one thread: one a side, each of which watches the other.
class SessionPair {
  public:
    /// Connects both at the same time. `on_notice` gets what the servers tell.
    SessionPair(const Both<Server*>& servers, int worker,
                const std::function<void(Side, NoticeLevel, std::string_view)>& on_notice);
    ~SessionPair();
    SessionPair(const SessionPair&) = delete;
    SessionPair& operator=(const SessionPair&) = delete;

    Both<ServerSession*> sessions() { return {sessions_.source.get(), sessions_.target.get()}; }
    bool alive() const { return sessions_.source->alive() && sessions_.target->alive(); }

  private:
    Both<std::unique_ptr<ServerSession>> sessions_;
};

}  // namespace parity::driver
