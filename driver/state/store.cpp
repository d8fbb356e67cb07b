#include "driver/state/store.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include <fmt/format.h>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

constexpr int kTemporaryFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
/// How long one who reads or writes a file waits for the other. Readers of a log do not wait for writers.
constexpr int kBusyMilliseconds = 10'000;

[[noreturn]] void fail_store(const StorePurpose& purpose, int code, const char* message) {
    if ((code & 0xFF) == SQLITE_NOMEM) throw std::bad_alloc();
    throw Error(purpose.kind, fmt::format("{}: {}", purpose.failed, message), purpose.hint);
}

/// What `work` gives; what SQLite throws becomes an error of ours.
template <typename Work>
auto guarded(const StorePurpose& purpose, Work work) {
    try {
        return work();
    } catch (const SQLite::Exception& error) {
        fail_store(purpose, error.getErrorCode(), error.what());
    }
}

/// A path in $TMPDIR that this process has just made and nobody else can open.
std::string make_file() {
    const char* directory = std::getenv("TMPDIR");
    std::string path = fmt::format("{}/pgparity-XXXXXX", directory && *directory ? directory : "/tmp");
    const int descriptor = mkstemp(path.data());
    if (descriptor < 0)
        throw Error(ErrorKind::kOutput,
                    fmt::format("could not create temporary file \"{}\": {}", path, std::strerror(errno)),
                    kTemporaryFilesHint);
    close(descriptor);
    return path;
}

/// Takes a file's name away.
class FileRemover {
  public:
    explicit FileRemover(const std::string& path) : path_(path) {}
    ~FileRemover() { unlink(path_.c_str()); }
    FileRemover(const FileRemover&) = delete;
    FileRemover& operator=(const FileRemover&) = delete;

  private:
    const std::string& path_;
};

}  // namespace

// ---- statements ----------------------------------------------------------------------------------------------

StoreStatement::StoreStatement(SQLite::Database& database, const char* sql, std::shared_ptr<const StorePurpose> purpose)
    : statement_(database, sql), database_(database), purpose_(std::move(purpose)) {}

void StoreStatement::begin() {
    end();
    guarded(*purpose_, [&] { statement_.clearBindings(); });
}

void StoreStatement::bind(int position, std::int64_t value) {
    guarded(*purpose_, [&] { statement_.bind(position, value); });
}

/// A null pointer would be SQL's NULL.
void StoreStatement::bind_bytes(int position, std::string_view bytes) {
    guarded(*purpose_, [&] {
        statement_.bindNoCopy(position, static_cast<const void*>(bytes.empty() ? "" : bytes.data()),
                              static_cast<int>(bytes.size()));
    });
}

void StoreStatement::bind_copy(int position, std::string_view bytes) {
    guarded(*purpose_, [&] {
        statement_.bind(position, static_cast<const void*>(bytes.empty() ? "" : bytes.data()),
                        static_cast<int>(bytes.size()));
    });
}

void StoreStatement::bind_text(int position, const std::string& text) {
    guarded(*purpose_, [&] { statement_.bind(position, text); });
}

bool StoreStatement::step() {
    const int code = statement_.tryExecuteStep();
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail_store(*purpose_, code, database_.getErrorMsg());
    return code == SQLITE_ROW;
}

std::int64_t StoreStatement::number(int column) const {
    return guarded(*purpose_, [&] { return statement_.getColumn(column).getInt64(); });
}

/// Reading a value may need memory: then there are no bytes.
std::string_view StoreStatement::bytes(int column) const {
    return guarded(*purpose_, [&]() -> std::string_view {
        const SQLite::Column value = statement_.getColumn(column);
        const auto* bytes = static_cast<const char*>(value.getBlob());
        if (!bytes && database_.getErrorCode() == SQLITE_NOMEM) throw std::bad_alloc();
        return {bytes ? bytes : "", static_cast<std::size_t>(value.getBytes())};
    });
}

// ---- the store -----------------------------------------------------------------------------------------------

Store::Store(const std::string& path, int flags, StorePurpose purpose)
    : purpose_(std::make_shared<const StorePurpose>(std::move(purpose))),
      database_(
          guarded(*purpose_, [&] { return std::make_unique<SQLite::Database>(path, flags, kBusyMilliseconds); })) {}

Store Store::in_file(const char* purpose) {
    const std::string path = make_file();
    const FileRemover unlinked(path);
    Store store(path, kTemporaryFlags, {purpose});
    // SQLite opens the file when it first needs it. There is nobody to lock out, and no journal could be found again:
    // one in memory lets what was committed survive a write that fails.
    store.run(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;"
        "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048; BEGIN EXCLUSIVE; COMMIT;");
    return store;
}

Store Store::in_cache(const char* purpose) {
    Store store("", kTemporaryFlags, {purpose});
    store.run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;");
    return store;
}

Store Store::in_kept_file(const std::string& path, bool writes, StorePurpose purpose) {
    Store store(path, (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX,
                std::move(purpose));
    store.run("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048;");
    return store;
}

void Store::run(const std::string& sql) {
    if (const int code = database_->tryExec(sql); code != SQLITE_OK)
        fail_store(*purpose_, code, database_->getErrorMsg());
}

std::unique_ptr<StoreStatement> Store::prepare(const char* sql) {
    return guarded(*purpose_, [&] { return std::make_unique<StoreStatement>(*database_, sql, purpose_); });
}

bool Store::in_transaction() const { return sqlite3_get_autocommit(database_->getHandle()) == 0; }

void Store::roll_back() noexcept {
    if (in_transaction()) database_->tryExec("ROLLBACK");
}

}  // namespace parity::driver
