#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "driver/digests/merge.h"

namespace parity::driver {

class Store;
class StoreStatement;

/// Where a row stands: which part of the table it was read from, and its ctid as it is sent in binary. A row of a part
/// whose rows have no ctid (a view's) has an empty one.
struct RowLocation {
    std::uint32_t part = 0;
    std::string_view tid;
};

/// Puts rows that arrive in any order into that of RowSource, in a bounded amount of memory and for the rest in a
/// temporary file without a name (SQLite's; TMPDIR says where).
class RowSorter {
  public:
    explicit RowSorter(std::size_t memory_bytes);
    ~RowSorter();
    RowSorter(const RowSorter&) = delete;
    RowSorter& operator=(const RowSorter&) = delete;

    /// Takes a row. May be called by several threads.
    void add(const RowDigest& row, const RowLocation& location);

    /// The rows in order.
    /// Requires: it is called once, and nothing is added any more.
    std::unique_ptr<RowSource> sorted();

    /// Forgets the order and calls `visit` with the places of the rows with these keys.
    /// Requires: sorted() is not being read.
    template <typename Visit>
    void find(const std::vector<std::string>& keys, Visit visit) {
        for (const std::string& key : keys) {
            begin_find(key);
            RowLocation location;
            while (next_found(location)) visit(location);
        }
    }

  private:
    void begin_find(std::string_view key);
    bool next_found(RowLocation& location);

    const std::unique_ptr<Store> store_;
    std::unique_ptr<StoreStatement> insert_, find_;  // gone before the store
    std::mutex mutex_;
};

}  // namespace parity::driver
