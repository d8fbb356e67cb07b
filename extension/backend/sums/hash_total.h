#pragma once

#include "backend/pg.h"

#include "core/hash.h"

namespace parity::backend {

/// How many keys were seen, and the sum of their hashes.
struct HashTotal {
    core::u64 rows = 0;
    core::u128 sum = 0;  ///< under a width of 64 its low half counts

    void add(core::u128 key_hash) {
        ++rows;
        sum += key_hash;
    }
    void add(const HashTotal& other) {
        rows += other.rows;
        sum += other.sum;
    }
};

/// What was read to find the rows of buckets.
struct KeysRead {
    HashTotal seen;    ///< of all rows of ranges that have chosen buckets
    HashTotal chosen;  ///< of the rows of these

    void add(const KeysRead& other) {
        seen.add(other.seen);
        chosen.add(other.chosen);
    }
};

}  // namespace parity::backend
