#pragma once

#include <chrono>
#include <optional>

namespace parity::driver {

/// The longest pause between two attempts.
inline constexpr std::chrono::seconds kLongestPause{30};

/// How long something that fails may go on being tried.
///
/// The pauses are drawn between nothing and a bound that doubles from a second to kLongestPause ("full jitter"), so
/// that many who failed together do not come back together. Of the limit, each attempt takes its pause and the time
/// that it ran, and of the latter kLongestPause at most: an attempt that worked for hours before it failed leaves time
/// for another.
class Patience {
  public:
    explicit Patience(std::chrono::milliseconds limit) : limit_(limit), left_(limit) {}

    /// Counts an attempt that failed after `elapsed`.
    /// Returns: how long to wait before the next one; nothing where there is to be none.
    std::optional<std::chrono::milliseconds> pause_after(std::chrono::milliseconds elapsed);

    /// Something was achieved since the last failure: the limit and the pauses begin anew.
    void renew();

    /// How many attempts have failed, in all.
    int failures() const { return failures_; }

  private:
    std::chrono::milliseconds limit_;
    std::chrono::milliseconds left_;
    int failures_ = 0;
    int in_a_row_ = 0;  ///< of these, since renew()
};

}  // namespace parity::driver
