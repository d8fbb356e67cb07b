#include "backend/task/effort.h"

#include <optional>

namespace parity::backend {
namespace {

std::optional<Effort> last;
char* last_obstacle = nullptr;  ///< in TopMemoryContext

}  // namespace

void remember_effort(const Effort& effort) {
    if (last_obstacle) pfree(last_obstacle);
    last_obstacle = nullptr;
    last = effort;
    last->why_not_scanned = nullptr;
    if (effort.why_not_scanned) last_obstacle = MemoryContextStrdup(TopMemoryContext, effort.why_not_scanned);
    last->why_not_scanned = last_obstacle;
}

const Effort* last_effort() { return last ? &*last : nullptr; }

}  // namespace parity::backend
