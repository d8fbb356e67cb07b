#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>

#include "driver/model/error.h"

namespace parity::driver {

/// Goes with errors about temporary files.
inline constexpr const char* kTemporaryFilesHint = "TMPDIR names the directory for temporary files.";

/// What failed where a store fails, for the error's message, and what to do.
struct StorePurpose {
    std::string failed;  ///< "could not sort rows in a temporary file"
    std::string hint = kTemporaryFilesHint;
    ErrorKind kind = ErrorKind::kOutput;
};

/// A prepared statement of a Store. An execution goes from begin() to end().
class StoreStatement {
  public:
    StoreStatement(SQLite::Database& database, const char* sql, std::shared_ptr<const StorePurpose> purpose);

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
    /// Binds a text for people, which is copied.
    void bind_text(int position, const std::string& text);

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
    const std::shared_ptr<const StorePurpose> purpose_;
};

/// An SQLite database: of this process alone, for what does not fit into memory, or a file that stays. Not thread-safe.
/// Throws: an Error with what its purpose says, or std::bad_alloc, whatever goes wrong.
class Store {
  public:
    /// In a file in $TMPDIR that has no name any more once it is open: it goes away with the process, however that
    /// ends.
    static Store in_file(const char* purpose);
    /// In memory as far as the cache goes, and in an unnamed file of SQLite's own beyond.
    static Store in_cache(const char* purpose);
    /// In a file that is there, and stays when the process has ended. `writes`: not only read.
    static Store in_kept_file(const std::string& path, bool writes, StorePurpose purpose);

    Store(Store&&) = default;

    /// Runs statements that give no rows.
    void run(const std::string& sql);
    std::unique_ptr<StoreStatement> prepare(const char* sql);

    bool in_transaction() const;
    /// Takes back what the transaction did, if there is one; SQLite itself may have ended it.
    void roll_back() noexcept;

  private:
    Store(const std::string& path, int flags, StorePurpose purpose);

    std::shared_ptr<const StorePurpose> purpose_;
    std::unique_ptr<SQLite::Database> database_;
};

}  // namespace parity::driver
