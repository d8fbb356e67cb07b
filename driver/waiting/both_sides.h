#pragma once

#include <functional>

#include "driver/model/sides.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {

/// Calls `work` for both sides at the same time, the target's in a thread of its own if the system has one more, and
/// returns when both are done. The source's work is always finished, and gets no failure to watch; its failure ends the
/// target's, whose waits watch the one that they are given.
/// Throws: the source's error where it has one, else the target's. So what is thrown does not depend on which side was
/// faster.
void on_both_sides(const std::function<void(Side, const SharedFailure*)>& work);

}  // namespace parity::driver
