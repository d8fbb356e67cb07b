#include "driver/work/session_pair.h"

#include <fmt/format.h>

#include "driver/waiting/both_sides.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {

SessionPair::SessionPair(const Both<Server*>& servers, int worker,
                         const std::function<void(Side, NoticeLevel, std::string_view)>& on_notice) {
    on_both_sides([&](Side side, const SharedFailure* failure) {
        sessions_[side] = servers[side]->open_session(
            fmt::format("worker {}", worker),
            [on_notice, side](NoticeLevel level, std::string_view message) { on_notice(side, level, message); },
            failure);
    });
    for (Side side : kSides) sessions_[side]->set_peer(sessions_[other_side(side)].get());
}

SessionPair::~SessionPair() {
    for (Side side : kSides) sessions_[side]->set_peer(nullptr);
    for (Side side : kSides) sessions_[side]->close();
}

}  // namespace parity::driver
