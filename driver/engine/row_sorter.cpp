#include "driver/engine/row_sorter.h"

#include <new>
#include <string>

#include <fmt/format.h>
#include <sqlite3.h>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

// An empty name is a private database of SQLite's own, in memory as far as the cache goes and in an unnamed temporary
// file beyond. Nothing has to survive a failure.
constexpr const char* kRowSchema =
    "CREATE TABLE row (range_no INTEGER NOT NULL, key BLOB NOT NULL, row_hash BLOB NOT NULL, cell_hashes BLOB NOT NULL,"
    " part INTEGER NOT NULL, tid BLOB NOT NULL)";
constexpr const char* kInsertRow = "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)";
constexpr const char* kSorted = "SELECT range_no, key, row_hash, cell_hashes FROM row ORDER BY range_no, key, row_hash";
constexpr const char* kIndex = "CREATE INDEX IF NOT EXISTS row_key ON row (key)";
constexpr const char* kFind = "SELECT part, tid FROM row WHERE key = ?";

[[noreturn]] void fail_sorting(sqlite3* database) {
    throw Error(ErrorKind::kOutput,
                fmt::format("could not sort rows in a temporary file: {}", sqlite3_errmsg(database)),
                "TMPDIR names the directory for temporary files.");
}

/// A null pointer would be SQL's NULL.
void bind_bytes(sqlite3_stmt* statement, int at, std::string_view bytes) {
    sqlite3_bind_blob64(statement, at, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
}

std::string_view blob(sqlite3_stmt* statement, int column) {
    const void* bytes = sqlite3_column_blob(statement, column);
    if (!bytes && sqlite3_errcode(sqlite3_db_handle(statement)) == SQLITE_NOMEM) throw std::bad_alloc();
    return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

class SortedRows : public RowSource {
  public:
    SortedRows(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
    ~SortedRows() override { sqlite3_finalize(statement_); }
    SortedRows(const SortedRows&) = delete;
    SortedRows& operator=(const SortedRows&) = delete;

    bool next(RowDigest& row) override {
        const int state = sqlite3_step(statement_);
        if (state == SQLITE_DONE) return false;
        if (state != SQLITE_ROW) fail_sorting(database_);
        row.range_no = sqlite3_column_int(statement_, 0);
        row.key = blob(statement_, 1);
        row.row_hash = blob(statement_, 2);
        row.cell_hashes = blob(statement_, 3);
        return true;
    }

  private:
    sqlite3* database_;
    sqlite3_stmt* statement_;
};

}  // namespace

RowSorter::RowSorter(std::size_t memory_bytes) {
    if (sqlite3_open_v2("", &database_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) != SQLITE_OK)
        fail_sorting(database_);
    run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;");
    run(fmt::format("PRAGMA cache_size = -{}", memory_bytes / 1024).c_str());
    run(kRowSchema);
    run("BEGIN");
    insert_ = prepare(kInsertRow);
}

RowSorter::~RowSorter() {
    sqlite3_finalize(insert_);
    sqlite3_finalize(find_);
    sqlite3_close_v2(database_);
}

void RowSorter::run(const char* sql) {
    if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail_sorting(database_);
}

sqlite3_stmt* RowSorter::prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) != SQLITE_OK) fail_sorting(database_);
    return statement;
}

void RowSorter::add(const RowDigest& row, const RowPlace& place) {
    const std::lock_guard lock(mutex_);
    sqlite3_bind_int(insert_, 1, row.range_no);
    bind_bytes(insert_, 2, row.key);
    bind_bytes(insert_, 3, row.row_hash);
    bind_bytes(insert_, 4, row.cell_hashes);
    sqlite3_bind_int64(insert_, 5, place.part);
    bind_bytes(insert_, 6, place.tid);
    const int state = sqlite3_step(insert_);
    sqlite3_reset(insert_);
    if (state != SQLITE_DONE) fail_sorting(database_);
}

std::unique_ptr<RowSource> RowSorter::sorted() { return std::make_unique<SortedRows>(database_, prepare(kSorted)); }

void RowSorter::begin_find(std::string_view key) {
    if (!find_) {
        run(kIndex);
        find_ = prepare(kFind);
    }
    sqlite3_reset(find_);
    // The key outlives the search only in the caller's loop.
    sqlite3_bind_blob64(find_, 1, key.empty() ? "" : key.data(), key.size(), SQLITE_TRANSIENT);
}

bool RowSorter::next_found(RowPlace& place) {
    const int state = sqlite3_step(find_);
    if (state == SQLITE_DONE) return false;
    if (state != SQLITE_ROW) fail_sorting(database_);
    place.part = static_cast<std::uint32_t>(sqlite3_column_int64(find_, 0));
    place.tid = blob(find_, 1);
    return true;
}

}  // namespace parity::driver
