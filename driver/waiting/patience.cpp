#include "driver/waiting/patience.h"

#include <algorithm>
#include <cstdint>
#include <random>

namespace parity::driver {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstBound{1000};
constexpr int kMostDoublings = 5;  // 32 s are more than the longest pause

milliseconds draw(milliseconds bound) {
    thread_local std::minstd_rand random{std::random_device{}()};
    return milliseconds(std::uniform_int_distribution<std::int64_t>(0, bound.count())(random));
}

}  // namespace

std::optional<milliseconds> Patience::pause_after(milliseconds elapsed) {
    const int doublings = std::min(in_a_row_++, kMostDoublings);
    ++failures_;
    left_ -= std::min<milliseconds>(elapsed, kLongestPause);
    if (left_ <= milliseconds(0)) return std::nullopt;
    const milliseconds bound = std::min<milliseconds>(kFirstBound * (1 << doublings), kLongestPause);
    const milliseconds pause = std::min(draw(bound), left_);
    left_ -= pause;
    return pause;
}

void Patience::renew() {
    left_ = limit_;
    in_a_row_ = 0;
}

}  // namespace parity::driver
