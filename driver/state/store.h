#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>

namespace parity::driver {

/// Goes with errors about temporary files.
inline constexpr const char* kTemporaryFilesHint = "TMPDIR names the directory for temporary files.";

/// A prepared statement of a Store. An execution goes from begin() to end().
class StoreStatement {
  public:
    StoreStatement(SQLite::Database& database, const char* sql, const char* purpose);

    /// Ends the execution, and forgets what was bound.
    void begin();
    void end() noexcept { statement_.tryReset(); }

    /// Positions count from 1.
    void bind(int position, std::int64_t value);
    /// Binds bytes that are not copied; no bytes are an empty value and not NULL.
    /// Requires: the bytes stay where they are until the run has ended.
    void bind_bytes(int position, std::string_view bytes);
    /// The same of bytes that are copied.
    void bind_copy(int position, std::string_view bytes);

    /// Goes on to the next row.
    /// Returns: false at the end.
    /// Throws: Error{kOutput} and std::bad_alloc.
    bool step();

    /// Values of the row; columns count from 0. Bytes live until the next step.
    std::int64_t number(int column) const;
    std::string_view bytes(int column) const;

  private:
    SQLite::Statement statement_;
    SQLite::Database& database_;
    const char* purpose_;
};

/// An SQLite database of this process alone, for what does not fit into memory. Not thread-safe.
/// Throws: Error{kOutput} with `purpose` in its message ("could not sort rows in a temporary file"), or std::bad_alloc,
/// whatever goes wrong.
class Store {
  public:
    /// In a file in $TMPDIR that has no name any more once it is open: it goes away with the process, however that
    /// ends.
    static Store in_file(const char* purpose);
    /// In memory as far as the cache goes, and in an unnamed file of SQLite's own beyond.
    static Store in_cache(const char* purpose);

    Store(Store&&) = default;

    /// Runs statements that give no rows.
    void run(const std::string& sql);
    std::unique_ptr<StoreStatement> prepare(const char* sql);

    bool in_transaction() const;
    /// Takes back what the transaction did, if there is one; SQLite itself may have ended it.
    void roll_back() noexcept;

  private:
    Store(const std::string& path, const char* purpose);

    std::unique_ptr<SQLite::Database> database_;
    const char* purpose_;
};

}  // namespace parity::driver
