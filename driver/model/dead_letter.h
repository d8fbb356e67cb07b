#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/model/sides.h"

/// What of a table could not be read.
namespace parity::driver {

/// How many places that cannot be read a table may have, and all tables of a run together, before the table fails.
inline constexpr std::size_t kMostDeadLettersOfTable = 100;
inline constexpr std::size_t kMostDeadLettersOfRun = 1000;

/// A place of one side that a server could not read: a value, a row, a block, or a range of keys.
struct DeadLetter {
    Side side = Side::kSource;
    std::string relation{};    ///< the partition or child that it is in, as SQL spells it; empty: the table itself
    std::int64_t block = -1;   ///< below 0: not known, which leaves the key
    int line = 0;              ///< the row's line pointer in the block; 0: the whole block
    bool has_key = false;      ///< whether the key could be read
    std::string key_bytes{};   ///< framed
    bool has_range = false;    ///< whether a range of keys is all that is known of the place: [lower, upper)
    std::string lower, upper;  ///< bounds; empty: none on that end
    std::string column{};      ///< the source's name; empty: the whole row, or all that is there
    std::string sqlstate{};    ///< of the error that reading it gave
    std::string message{};
    int attempts = 1;  ///< in how many parts of the run it could not be read
    bool operator==(const DeadLetter&) const = default;
};

/// Whether both are about the same place.
inline bool is_same_place(const DeadLetter& a, const DeadLetter& b) {
    return a.side == b.side && a.relation == b.relation && a.block == b.block && a.line == b.line &&
           a.column == b.column && a.has_range == b.has_range && a.lower == b.lower && a.upper == b.upper &&
           (a.block >= 0 || a.key_bytes == b.key_bytes);
}

}  // namespace parity::driver
