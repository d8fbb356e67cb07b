#include "driver/state/findings.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/bytes.h"
#include "driver/model/error.h"

namespace parity::driver {
namespace {

constexpr const char* kHint = "TMPDIR names the directory for temporary files.";

// The file has no name once it is open, so there is nobody to lock out, and no journal could be found again. One in
// memory lets what was committed survive a write that fails.
constexpr const char* kPragmas =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;"
    "PRAGMA cache_size = -2048;"
    "PRAGMA temp_store = MEMORY;";

constexpr const char* kSchema =
    "CREATE TABLE finding (id INTEGER PRIMARY KEY, table_no INTEGER NOT NULL, kind INTEGER NOT NULL, key BLOB NOT NULL,"
    " columns BLOB NOT NULL, occurrences INTEGER NOT NULL, source_hash BLOB NOT NULL, target_hash BLOB NOT NULL,"
    " source_values BLOB NOT NULL, target_values BLOB NOT NULL);"
    "CREATE INDEX finding_table ON finding (table_no, id);";

constexpr const char* kInsert = "INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kUpdateSource = "UPDATE finding SET source_values = ?2 WHERE id = ?1";
constexpr const char* kUpdateTarget = "UPDATE finding SET target_values = ?2 WHERE id = ?1";
constexpr const char* kSelect = "SELECT * FROM finding WHERE table_no = ? AND id > ? ORDER BY id";

enum Field { kId, kTable, kKind, kKey, kColumns, kOccurrences, kSourceHash, kTargetHash, kSourceValues, kTargetValues };

/// Writes committed at once: SQLite spills what does not fit into its cache earlier.
constexpr int kWritesPerTransaction = 10000;
/// What a reader of the whole list takes at a time.
constexpr std::size_t kReadBytes = 256 * 1024;

[[noreturn]] void fail(const std::string& what) {
    throw Error(ErrorKind::kOutput, fmt::format("could not write temporary file for findings: {}", what), kHint);
}

template <typename T>
void put(std::string& to, T value) {
    std::uint8_t bytes[sizeof value];
    core::store_le(bytes, value);
    to.append(reinterpret_cast<const char*>(bytes), sizeof value);
}

template <typename T>
T get(std::string_view& from) {
    const T value = core::load_le<T>(core::as_bytes(from).data());
    from.remove_prefix(sizeof value);
    return value;
}

std::string pack_columns(const std::vector<int>& columns) {
    std::string packed;
    for (int column : columns) put<std::int32_t>(packed, column);
    return packed;
}

std::vector<int> unpack_columns(std::string_view packed) {
    std::vector<int> columns;
    while (!packed.empty()) columns.push_back(get<std::int32_t>(packed));
    return columns;
}

/// Length −1 is NULL; the length of the whole value stands behind that of what is there of it.
std::string pack_values(const ShownValues& values) {
    std::string packed;
    for (const auto& value : values) {
        put<std::int64_t>(packed, value ? static_cast<std::int64_t>(value->text.size()) : -1);
        if (!value) continue;
        put<std::uint64_t>(packed, value->bytes);
        packed += value->text;
    }
    return packed;
}

ShownValues unpack_values(std::string_view packed) {
    ShownValues values;
    while (!packed.empty()) {
        const auto length = get<std::int64_t>(packed);
        if (length < 0) {
            values.emplace_back();
            continue;
        }
        const auto bytes = get<std::uint64_t>(packed);
        values.emplace_back(ShownValue(std::string(packed.substr(0, static_cast<std::size_t>(length))), bytes));
        packed.remove_prefix(static_cast<std::size_t>(length));
    }
    return values;
}

std::size_t size_of(const SpooledFinding& entry) {
    std::size_t bytes = 100 + entry.finding.key_bytes.size() + 4 * entry.finding.columns.size();
    for (const auto* values : {&entry.finding.values.source, &entry.finding.values.target})
        for (const auto& value : *values) bytes += 40 + (value ? value->text.size() : 0);
    return bytes;
}

/// A path in $TMPDIR that this process has just made and nobody else can open.
std::string make_file() {
    const char* directory = std::getenv("TMPDIR");
    std::string path = fmt::format("{}/pgparity-XXXXXX", directory && *directory ? directory : "/tmp");
    const int descriptor = mkstemp(path.data());
    if (descriptor < 0)
        throw Error(ErrorKind::kOutput,
                    fmt::format("could not create temporary file \"{}\": {}", path, std::strerror(errno)), kHint);
    close(descriptor);
    return path;
}

}  // namespace

/// The connection to the file and its prepared statements. Not thread-safe.
class Spool::Database {
  public:
    Database() {
        const std::string path = make_file();
        const int status =
            sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
        if (status == SQLITE_OK) prepare_all();
        unlink(path.c_str());
        if (status != SQLITE_OK) fail(sqlite3_errstr(status));
        if (!failure_.empty()) fail(failure_);
    }
    ~Database() {
        for (sqlite3_stmt* statement : {insert, update_source, update_target, select}) sqlite3_finalize(statement);
        sqlite3_close(handle_);
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Runs a statement that gives no rows, as part of the current write transaction.
    void write(sqlite3_stmt* statement) {
        if (sqlite3_get_autocommit(handle_) != 0) run("BEGIN");
        const int status = sqlite3_step(statement);
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        if (status != SQLITE_DONE) fail(sqlite3_errmsg(handle_));
        ++writes_;
    }
    bool is_due() const { return writes_ >= kWritesPerTransaction; }

    void commit() {
        if (sqlite3_get_autocommit(handle_) == 0) run("COMMIT");
        writes_ = 0;
    }
    /// SQLite itself may have done it.
    void roll_back() noexcept {
        if (sqlite3_get_autocommit(handle_) == 0) try_run("ROLLBACK");
        writes_ = 0;
    }

    bool step(sqlite3_stmt* statement) {
        const int status = sqlite3_step(statement);
        if (status != SQLITE_ROW && status != SQLITE_DONE) fail(sqlite3_errmsg(handle_));
        return status == SQLITE_ROW;
    }

    static void bind(sqlite3_stmt* statement, int position, std::int64_t value) {
        sqlite3_bind_int64(statement, position, value);
    }
    /// The bytes must stay where they are until the statement ran.
    static void bind(sqlite3_stmt* statement, int position, const std::string& bytes) {
        if (bytes.empty())
            sqlite3_bind_zeroblob(statement, position, 0);
        else
            sqlite3_bind_blob64(statement, position, bytes.data(), bytes.size(), SQLITE_STATIC);
    }
    static std::string_view blob(sqlite3_stmt* statement, int field) {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, field));
        if (!bytes && sqlite3_errcode(sqlite3_db_handle(statement)) == SQLITE_NOMEM) throw std::bad_alloc();
        return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, field))};
    }

    sqlite3_stmt* insert = nullptr;
    sqlite3_stmt* update_source = nullptr;
    sqlite3_stmt* update_target = nullptr;
    sqlite3_stmt* select = nullptr;

  private:
    void prepare_all() {
        const bool done = try_run(kPragmas) && try_run(kSchema) && prepare(kInsert, insert) &&
                          prepare(kUpdateSource, update_source) && prepare(kUpdateTarget, update_target) &&
                          prepare(kSelect, select);
        if (!done) failure_ = sqlite3_errmsg(handle_);
    }
    bool try_run(const char* sql) { return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK; }
    bool prepare(const char* sql, sqlite3_stmt*& statement) {
        return sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) == SQLITE_OK;
    }
    void run(const char* sql) {
        if (!try_run(sql)) fail(sqlite3_errmsg(handle_));
    }

    sqlite3* handle_ = nullptr;
    std::string failure_;
    int writes_ = 0;
};

namespace {

/// Ends a statement's run however the scope is left, so that it can be given other parameters.
class Run {
  public:
    explicit Run(sqlite3_stmt* statement) : statement_(statement) {}
    ~Run() { sqlite3_reset(statement_); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

  private:
    sqlite3_stmt* statement_;
};

template <typename Blob>
SpooledFinding read_entry(sqlite3_stmt* row, const Blob& blob) {
    SpooledFinding entry;
    entry.id = sqlite3_column_int64(row, kId);
    entry.finding.kind = static_cast<FindingKind>(sqlite3_column_int(row, kKind));
    entry.finding.key_bytes = blob(row, kKey);
    entry.finding.columns = unpack_columns(blob(row, kColumns));
    entry.finding.occurrences = static_cast<std::uint64_t>(sqlite3_column_int64(row, kOccurrences));
    entry.finding.values = {unpack_values(blob(row, kSourceValues)), unpack_values(blob(row, kTargetValues))};
    entry.row_hash = {std::string(blob(row, kSourceHash)), std::string(blob(row, kTargetHash))};
    return entry;
}

}  // namespace

Spool::Spool() : database_(std::make_unique<Database>()) {}
Spool::~Spool() = default;

Spool::Table& Spool::writable(int table) {
    Table& state = tables_[table];
    if (state.lost) throw Error(ErrorKind::kOutput, loss_, kHint);
    state.pending = true;
    return state;
}

/// Keeps everything where `work` says so or it is time to. Where that or the work fails, what was not kept is taken
/// back: of a transaction that broke off nobody knows what is in the file.
template <typename Work>
void Spool::change(Work work) {
    try {
        const bool keeps = work();
        if (!keeps && !database_->is_due()) return;
        database_->commit();
        for (auto& [number, state] : tables_) state.pending = false;
    } catch (const std::exception& error) {
        database_->roll_back();
        for (auto& [number, state] : tables_) state.lost |= std::exchange(state.pending, false);
        loss_ = as_error(error).what();
        throw;
    }
}

void Spool::add(int table, const SpooledFinding& entry) {
    const std::string columns = pack_columns(entry.finding.columns);
    const Both<std::string> values{pack_values(entry.finding.values.source), pack_values(entry.finding.values.target)};
    const std::lock_guard lock(mutex_);
    writable(table);
    sqlite3_stmt* insert = database_->insert;
    Database::bind(insert, kId + 1, next_id_++);
    Database::bind(insert, kTable + 1, table);
    Database::bind(insert, kKind + 1, static_cast<int>(entry.finding.kind));
    Database::bind(insert, kKey + 1, entry.finding.key_bytes);
    Database::bind(insert, kColumns + 1, columns);
    Database::bind(insert, kOccurrences + 1, static_cast<std::int64_t>(entry.finding.occurrences));
    Database::bind(insert, kSourceHash + 1, entry.row_hash.source);
    Database::bind(insert, kTargetHash + 1, entry.row_hash.target);
    Database::bind(insert, kSourceValues + 1, values.source);
    Database::bind(insert, kTargetValues + 1, values.target);
    change([&] {
        database_->write(insert);
        return false;
    });
}

void Spool::set_values(int table, std::int64_t id, Side side, const ShownValues& values) {
    const std::string packed = pack_values(values);
    const std::lock_guard lock(mutex_);
    writable(table);
    sqlite3_stmt* update = side == Side::kSource ? database_->update_source : database_->update_target;
    Database::bind(update, 1, id);
    Database::bind(update, 2, packed);
    change([&] {
        database_->write(update);
        return false;
    });
}

void Spool::keep(int table) {
    const std::lock_guard lock(mutex_);
    writable(table);
    change([] { return true; });
}

std::vector<SpooledFinding> Spool::read(int table, std::int64_t after, std::size_t max_bytes) {
    std::vector<SpooledFinding> entries;
    std::size_t bytes = 0;
    const std::lock_guard lock(mutex_);
    sqlite3_stmt* select = database_->select;
    Database::bind(select, 1, table);
    const auto known = tables_.find(table);
    Database::bind(select, 2, known == tables_.end() ? after : std::max(after, known->second.first - 1));
    const Run run(select);
    while (bytes < max_bytes && database_->step(select)) {
        entries.push_back(read_entry(select, Database::blob));
        bytes += size_of(entries.back());
    }
    return entries;
}

void Spool::for_each(int table, const std::function<void(const Finding&)>& finding) {
    std::int64_t after = 0;
    for (auto entries = read(table, after, kReadBytes); !entries.empty(); entries = read(table, after, kReadBytes)) {
        for (const SpooledFinding& entry : entries) finding(entry.finding);
        after = entries.back().id;
    }
}

void Spool::discard(int table) {
    const std::lock_guard lock(mutex_);
    tables_[table] = {.first = next_id_};
}

}  // namespace parity::driver
