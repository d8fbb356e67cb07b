#include "driver/monitor/busy_time.h"

#include <algorithm>
#include <iterator>

namespace parity::driver {

void BusyTime::add(Time began, Time ended) {
    if (ended <= began) return;
    auto next = open_.upper_bound(began);
    if (next != open_.begin() && std::prev(next)->second >= began) --next;
    while (next != open_.end() && next->first <= ended) {
        began = std::min(began, next->first);
        ended = std::max(ended, next->second);
        next = open_.erase(next);
    }
    open_.emplace(began, ended);
}

void BusyTime::settle(Time nothing_before) {
    while (!open_.empty() && open_.begin()->second <= nothing_before) {
        settled_ += open_.begin()->second - open_.begin()->first;
        open_.erase(open_.begin());
    }
}

double BusyTime::seconds() const {
    auto total = settled_;
    for (const auto& [began, ended] : open_) total += ended - began;
    return std::chrono::duration<double>(total).count();
}

}  // namespace parity::driver
