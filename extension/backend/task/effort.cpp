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
    last->obstacle = nullptr;
    if (effort.obstacle) last_obstacle = MemoryContextStrdup(TopMemoryContext, effort.obstacle);
    last->obstacle = last_obstacle;
}

const Effort* last_effort() { return last ? &*last : nullptr; }

}  // namespace parity::backend
