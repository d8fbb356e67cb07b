#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "driver/model/results.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Holds the findings of all tables on disk, so that memory does not grow with their number: an SQLite file in $TMPDIR
/// that has no name any more once it is open, and so goes away with the process however it ends. Thread-safe.
///
/// What was kept survives when later findings cannot be written, such as for want of room. Only what came since is
/// lost, of all tables, and each of these is told so by its next call that writes.
/// Throws: Error{kOutput} when the file cannot be made or written, and by add(), set_values() and commit() where
/// findings of the table were lost.
class FindingStore {
  public:
    FindingStore();
    ~FindingStore();
    FindingStore(const FindingStore&) = delete;
    FindingStore& operator=(const FindingStore&) = delete;

    /// Adds a finding of the table with the number `table`; `finding.place.id` is ignored. Values are stored when
    /// present.
    void add(int table, const StoredFinding& finding);

    /// The finding of a table that is last in the order of their places.
    /// Returns: nothing where there is none.
    std::optional<StoredFinding> last(int table);

    /// Takes a finding of a table away.
    void remove(int table, std::int64_t id);

    /// Stores the values of one side of a mismatch of a table, parallel to its columns.
    void set_values(int table, std::int64_t id, Side side, const ShownValues& values);

    /// Keeps what was added and stored for a table.
    void commit(int table);

    /// The next findings of a table after this place (a default one: from the start), in the order of their places.
    /// Returns: as many as hold about `max_bytes`, at least one; none at the end.
    std::vector<StoredFinding> read(int table, const FindingPlace& after, std::size_t max_bytes);

    /// Calls `finding` for each finding of a table in the order of their places.
    void for_each(int table, const std::function<void(const Finding&)>& finding);
    /// The same with what is stored beside each of them.
    void for_each_stored(int table, const std::function<void(const StoredFinding&)>& finding);

    /// Forgets what was found in a table's present attempt, lost findings included. What they took of the file is not
    /// given back.
    void discard(int table);

    /// Begins another attempt at a table. What was found in the one before is set aside; what was set aside before that
    /// is forgotten.
    void begin_attempt(int table);

    /// Forgets the present attempt at a table, and brings back what was found in the one before.
    /// Requires: begin_attempt().
    void restore_attempt(int table);

  private:
    class Database;
    /// The findings of one attempt at a table, by their numbers.
    struct Attempt {
        std::int64_t first = 1;
        std::int64_t end = std::numeric_limits<std::int64_t>::max();  ///< the next attempt's first
        bool pending = false;                                         ///< something was written and not kept yet
        bool lost = false;                                            ///< and could not be kept
    };
    struct Table {
        Attempt present, earlier;
    };
    Attempt& writable(int table);
    Attempt present(int table) const;
    template <typename Work>
    void for_each_attempt(Work work);
    template <typename Work>
    void change(Work work);

    std::mutex mutex_;
    std::unique_ptr<Database> database_;
    std::map<int, Table> tables_;
    std::string loss_;  ///< why something was lost
    std::int64_t next_id_ = 1;
};

}  // namespace parity::driver
