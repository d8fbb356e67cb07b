#pragma once

#include "backend/pg.h"

#include "core/hash.h"

/// What the session's last digests or rows took.
namespace parity::backend {

struct Effort {
    const char* path;             ///< a literal
    int workers_requested;        ///< parallel workers; below 0: left to the planner
    int workers_launched;         ///< below 0: not known
    std::int64_t pages;           ///< read from the relation; below 0: not known
    core::u64 rows;               ///< digested, or given
    double milliseconds;          ///< until all sums are there, or all rows of the relation are read
    const char* why_not_scanned;  ///< why the relation could not be scanned; null: it could
};

/// Keeps it for parity.last_digest().
void remember_effort(const Effort& effort);

/// What was remembered last; null: nothing was.
const Effort* last_effort();

}  // namespace parity::backend
