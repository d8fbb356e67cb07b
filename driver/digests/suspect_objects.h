#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "driver/model/results.h"

namespace parity::driver {

/// A large object whose stored pages differ, and in how many of them.
struct SuspectObject {
    std::uint32_t object = 0;
    FindingCounts pages;
};

/// Gathers the large objects that differing pages belong to, in whatever order they come. Its memory is bounded.
class SuspectObjects {
  public:
    /// Holds about `most` objects at most.
    explicit SuspectObjects(std::size_t most) : most_(most) {}

    void add(std::uint32_t object, FindingKind kind, std::uint64_t pages);
    void clear();
    /// Whether there were more objects than it holds: the list is of no use then.
    bool overflowed() const { return overflowed_; }
    /// The objects, ascending, each once.
    /// Returns: an empty list where it overflowed.
    const std::vector<SuspectObject>& list();

  private:
    void merge();

    const std::size_t most_;
    std::size_t merge_at_ = 1024;  ///< how many entries are put in order next time
    std::vector<SuspectObject> objects_;
    bool overflowed_ = false;
};

}  // namespace parity::driver
