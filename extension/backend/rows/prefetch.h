#pragma once

#include "backend/pg.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace parity::backend {

inline constexpr std::size_t kCacheLine = 64;

/// Has the processor fetch what is to be changed soon.
inline void prefetch_for_change(const void* from, std::size_t bytes) {
    constexpr int kWrite = 1;
    for (const char* at = static_cast<const char*>(from); at < static_cast<const char*>(from) + bytes; at += kCacheLine)
        __builtin_prefetch(at, kWrite);
}

/// Has the processor fetch a page that is needed soon, in steps: it takes few requests at a time, and what it works on
/// meanwhile should be enough to hide them.
class PagePrefetch {
  public:
    /// `page` may be null.
    PagePrefetch(const char* page, std::size_t steps)
        : at_(page), end_(page ? page + BLCKSZ : page), bytes_of_step_(BLCKSZ / std::max<std::size_t>(steps, 1) + 1) {}

    void step() {
        const char* stop = std::min(end_, at_ + bytes_of_step_);
        for (; at_ < stop; at_ += kCacheLine) __builtin_prefetch(at_);
    }

  private:
    const char* at_;
    const char* end_;
    std::size_t bytes_of_step_;
};

/// Has the processor fetch rows that come soon, where rows that follow one another lie at about even distances, as in
/// the order of a page's line pointers: what others walk over that way, the processor does not foresee.
class RowPrefetch {
  public:
    /// Takes where a value of the present row lies, wherever that is.
    void step(const void* value) {
        const auto at = reinterpret_cast<std::intptr_t>(value);
        const std::intptr_t distance = at - last_;
        last_ = at;
        if (distance > kFarthest || distance < -kFarthest) return;
        std::intptr_t ahead = at + kRowsAhead * distance;
        const std::intptr_t end = ahead + std::abs(distance);
        for (; ahead < end; ahead += static_cast<std::intptr_t>(kCacheLine))
            __builtin_prefetch(reinterpret_cast<const void*>(ahead));
    }

  private:
    static constexpr std::intptr_t kFarthest = 1024;  ///< rows that are larger keep the processor busy enough
    static constexpr std::intptr_t kRowsAhead = 3;
    std::intptr_t last_ = 0;
};

}  // namespace parity::backend
