#include "driver/state/run_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/state/finding_bytes.h"
#include "driver/state/holder.h"
#include "driver/state/run_columns.h"

namespace parity::driver {
namespace {

/// "pgpy": what tells our databases from others.
constexpr int kApplicationId = 0x70677079;
/// Of the tables below and of the blobs in them.
constexpr int kStateVersion = 1;

constexpr std::string_view kDatabaseMagic{"SQLite format 3\0", 16};

constexpr const char* kStateTables = R"(
CREATE TABLE run (
    program TEXT NOT NULL,      -- the version that began it
    began_us INTEGER NOT NULL,  -- microseconds since 1970
    saved_us INTEGER NOT NULL,  -- when something was kept last
    holder TEXT NOT NULL,       -- who goes on with it, or did so last
    request BLOB NOT NULL,
    head BLOB NOT NULL);
CREATE TABLE unit (
    job INTEGER NOT NULL,       -- a table
    unit INTEGER NOT NULL,      -- a part of it
    attempt INTEGER NOT NULL,
    lease_until INTEGER,        -- until when a driver has taken it; for several drivers
    state INTEGER NOT NULL,     -- 0 pending, 1 done, 2 failed
    lower BLOB,                 -- the part's keys: from this one on, from the first one where it is NULL
    upper BLOB,                 -- up to this one, which is not part of it; to the end where it is NULL
    source_lsn TEXT NOT NULL,
    target_lsn TEXT NOT NULL,
    plan BLOB NOT NULL,
    position BLOB NOT NULL,
    result BLOB NOT NULL,
    PRIMARY KEY (job, unit)) WITHOUT ROWID;
CREATE TABLE finding (
    job INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    place BLOB NOT NULL,        -- the key in the order of keys
    copy INTEGER NOT NULL,      -- tells findings of equal places apart
    kind INTEGER NOT NULL,
    key BLOB NOT NULL,
    hash BLOB NOT NULL,         -- of a row without a key that is not kept itself
    columns BLOB NOT NULL,
    occurrences INTEGER NOT NULL,
    source_values BLOB NOT NULL,
    target_values BLOB NOT NULL,
    PRIMARY KEY (job, unit, place, copy)) WITHOUT ROWID;
)";

constexpr const char* kPutUnit =
    "INSERT INTO unit VALUES (?1, ?2, ?3, NULL, ?4, nullif(?10, x''), nullif(?11, x''), ?5, ?6, ?7, ?8, ?9) "
    "ON CONFLICT (job, unit) DO UPDATE SET attempt = ?3, lease_until = NULL, state = ?4, source_lsn = ?5, "
    "target_lsn = ?6, plan = ?7, position = ?8, result = ?9, lower = excluded.lower, upper = excluded.upper";
constexpr const char* kSelectUnits =
    "SELECT job, unit, attempt, state, source_lsn, target_lsn, plan, position, result, lower, upper FROM unit "
    "ORDER BY job, unit";
constexpr const char* kDropFindings = "DELETE FROM finding WHERE job = ?1 AND unit = ?2";
constexpr const char* kPutFinding = "INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
/// Microseconds since 1970.
constexpr const char* kTouch =
    "UPDATE run SET saved_us = CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)";
constexpr const char* kSelectUnitFindings =
    "SELECT place, kind, key, hash, columns, occurrences, source_values, target_values FROM finding "
    "WHERE job = ?1 AND unit = ?2 ORDER BY place, copy";

std::string in_quotes(const std::string& file) { return fmt::format("state file \"{}\"", file); }

[[noreturn]] void refuse(const std::string& file, const std::string& why, const std::string& hint = {}) {
    throw Error(ErrorKind::kUsage, fmt::format("{} {}", in_quotes(file), why), hint);
}

std::unique_ptr<Store> open_store(const std::string& file, bool writes) {
    return std::make_unique<Store>(Store::in_kept_file(
        file, writes,
        {fmt::format("could not {} {}", writes ? "write" : "read", in_quotes(file)),
         writes ? "the disk may be full, or the file damaged" : "the file may be damaged, or still be written"}));
}

/// A commit is in the system's cache when it returns, and the log tells of one that is not whole: that is enough for
/// whatever ends the process, and a crash of the machine takes the last commits as a whole.
void keep_log(Store& store) { store.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"); }

/// One number.
std::int64_t ask(Store& store, const char* sql) {
    const std::unique_ptr<StoreStatement> statement = store.prepare(sql);
    statement->begin();
    const std::int64_t number = statement->step() ? statement->number(0) : 0;
    statement->end();
    return number;
}

class ExecutionEnds {
  public:
    explicit ExecutionEnds(StoreStatement& statement) : statement_(statement) { statement_.begin(); }
    ~ExecutionEnds() { statement_.end(); }
    ExecutionEnds(const ExecutionEnds&) = delete;
    ExecutionEnds& operator=(const ExecutionEnds&) = delete;

  private:
    StoreStatement& statement_;
};

}  // namespace

bool is_database_file(const std::string& file) {
    std::array<char, kDatabaseMagic.size()> beginning{};
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return false;
    const ssize_t length = ::read(descriptor, beginning.data(), beginning.size());
    close(descriptor);
    return length == static_cast<ssize_t>(beginning.size()) &&
           std::string_view(beginning.data(), beginning.size()) == kDatabaseMagic;
}

void require_other_file(const std::string& output, const std::string& state) {
    if (output.empty() || state.empty()) return;
    const auto place = [](const std::string& file) {
        std::error_code error;  // what cannot be followed is taken as it is written
        const std::filesystem::path found = std::filesystem::weakly_canonical(file, error);
        return error ? std::filesystem::absolute(file).lexically_normal() : found;
    };
    for (const char* suffix : {"", "-wal", "-shm"})
        if (place(output) == place(state + suffix))
            throw Error(ErrorKind::kUsage, fmt::format("--output \"{}\" would overwrite {}", output, in_quotes(state)),
                        "name another file for the report");
}

/// The file as the lock of whoever writes it. SQLite's own locks on a file go away when any descriptor of it is closed,
/// so this one is closed after the store.
class RunFile::Lock {
  public:
    Lock(const std::string& file, int flags, mode_t mode) : file_(file) {
        descriptor_ = ::open(file.c_str(), flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC, mode);
    }
    ~Lock() {
        if (descriptor_ < 0) return;
        if (unlink_) {
            remove_log();
            unlink(file_.c_str());
        }
        close(descriptor_);
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

    bool is_open() const { return descriptor_ >= 0; }
    bool is_regular() const {
        struct stat status {};
        return fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
    }
    bool take() const { return flock(descriptor_, LOCK_EX | LOCK_NB) == 0; }
    void set_unlink(bool unlink) { unlink_ = unlink; }

    /// The files that SQLite has beside the file while it is written.
    /// Requires: the lock is taken.
    void remove_log() const {
        for (const char* suffix : {"-wal", "-shm", "-journal"}) unlink((file_ + suffix).c_str());
    }

  private:
    const std::string file_;
    int descriptor_ = -1;
    bool unlink_ = false;  ///< the file goes with the lock
};

RunFile::RunFile(std::string file, std::unique_ptr<Lock> lock) : file_(std::move(file)), lock_(std::move(lock)) {}

RunFile::~RunFile() {
    for (auto* statement : {&put_unit_, &drop_findings_, &put_finding_, &select_units_, &select_findings_})
        statement->reset();
    store_.reset();
}

std::unique_ptr<RunFile> RunFile::create(const std::string& file) {
    auto lock = std::make_unique<Lock>(file, O_CREAT | O_EXCL, 0600);
    if (!lock->is_open() && errno == EEXIST) {
        if (is_database_file(file)) open_checked(file);  // says what is the matter with one that cannot be continued
        refuse(file, "exists already",
               is_database_file(file) ? fmt::format("pgparity resume --state {} continues the run in it", file)
                                      : "name another file, or remove this one if nobody needs it");
    }
    if (!lock->is_open())
        throw Error(ErrorKind::kOutput, fmt::format("could not create {}: {}", in_quotes(file), std::strerror(errno)));
    if (!lock->take()) refuse(file, "is held by another process", "name another file");
    lock->set_unlink(true);
    lock->remove_log();  // of a file that is gone, whose process was killed
    std::unique_ptr<RunFile> made(new RunFile(file, std::move(lock)));
    made->store_ = open_store(file, true);
    made->store_->run("PRAGMA synchronous = OFF;");  // an empty state that a crash of the machine takes is no loss
    made->store_->run("PRAGMA journal_mode = WAL;");
    made->in_transaction([&] {
        made->store_->run(
            fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", kApplicationId, kStateVersion));
        made->store_->run(kStateTables);
    });
    keep_log(*made->store_);
    made->prepare_statements();
    return made;
}

std::unique_ptr<RunFile> RunFile::open(const std::string& file) {
    std::unique_ptr<RunFile> opened = open_checked(file);
    opened->mark_holder();
    return opened;
}

std::unique_ptr<RunFile> RunFile::open_checked(const std::string& file) {
    auto lock = std::make_unique<Lock>(file, 0, 0);
    if (!lock->is_open()) refuse(file, fmt::format("cannot be opened: {}", std::strerror(errno)));
    if (!lock->is_regular() || !is_database_file(file)) refuse(file, "is no state of a run");
    const bool free = lock->take();
    std::unique_ptr<RunFile> opened(new RunFile(file, std::move(lock)));
    opened->store_ = open_store(file, free);
    opened->require_ours(free);
    if (!free) {
        const std::unique_ptr<StoreStatement> select = opened->store_->prepare("SELECT holder FROM run");
        const ExecutionEnds ends(*select);
        refuse(file,
               fmt::format("is held by {}, which goes on with the run",
                           select->step() ? std::string(select->bytes(0)) : "another process"),
               fmt::format("pgparity report --from {} tells how far it is", file));
    }
    if (ask(*opened->store_, "SELECT count(*) FROM run") == 0)
        refuse(file, "holds no run: the one that made it was ended before it had planned anything",
               "remove the file, and run pgparity compare");
    opened->prepare_statements();
    return opened;
}

std::unique_ptr<RunFile> RunFile::read(const std::string& file) {
    std::unique_ptr<RunFile> opened(new RunFile(file, nullptr));
    opened->store_ = open_store(file, access(file.c_str(), W_OK) == 0);
    opened->require_ours(false);
    opened->prepare_statements();
    opened->store_->run("BEGIN");  // what is read from now on is all of one moment
    return opened;
}

/// Nothing is written before it is known that the file is ours.
void RunFile::require_ours(bool writes) {
    try {
        if (ask(*store_, "PRAGMA application_id") != kApplicationId)
            refuse(file_, "is no state of a run",
                   "a state that was copied while it was written is FILE, FILE-wal and FILE-shm together");
        const std::int64_t version = ask(*store_, "PRAGMA user_version");
        if (version > kStateVersion)
            refuse(file_,
                   fmt::format("was written by a newer pgparity: it has version {}, this one knows {}", version,
                               kStateVersion),
                   "go on with the pgparity that began the run");
        if (writes && ask(*store_, "SELECT count(*) FROM pragma_quick_check WHERE quick_check <> 'ok'") != 0)
            refuse(file_, "is damaged", "begin the run anew with another file");
        if (writes) keep_log(*store_);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::kOutput) throw;
        refuse(file_, fmt::format("is damaged: {}", error.what()), "begin the run anew with another file");
    }
}

void RunFile::mark_holder() {
    const std::unique_ptr<StoreStatement> update = store_->prepare("UPDATE run SET holder = ?1");
    const ExecutionEnds ends(*update);
    update->bind_text(1, this_process());
    update->step();
}

void RunFile::prepare_statements() {
    put_unit_ = store_->prepare(kPutUnit);
    drop_findings_ = store_->prepare(kDropFindings);
    put_finding_ = store_->prepare(kPutFinding);
    select_units_ = store_->prepare(kSelectUnits);
    select_findings_ = store_->prepare(kSelectUnitFindings);
}

template <typename Work>
void RunFile::in_transaction(Work work) {
    store_->run("BEGIN IMMEDIATE");
    try {
        work();
        store_->run("COMMIT");
    } catch (...) {
        store_->roll_back();
        throw;
    }
}

std::string RunFile::name() const { return in_quotes(file_); }

std::optional<RunRow> RunFile::read_run() {
    const std::lock_guard lock(mutex_);
    const std::unique_ptr<StoreStatement> select =
        store_->prepare("SELECT program, began_us, saved_us, request, head FROM run");
    const ExecutionEnds ends(*select);
    if (!select->step()) return std::nullopt;
    return run_from_columns([&](int i) { return select->number(i); }, [&](int i) { return select->bytes(i); });
}

void RunFile::begin_run(const RunRow& run, const std::function<bool(UnitRow& unit)>& next_unit) {
    const std::lock_guard lock(mutex_);
    in_transaction([&] {
        const std::unique_ptr<StoreStatement> insert = store_->prepare("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?)");
        const ExecutionEnds ends(*insert);
        insert->bind_text(1, run.program);
        insert->bind(2, run.began_us);
        insert->bind(3, run.saved_us);
        insert->bind_text(4, this_process());
        insert->bind_bytes(5, run.request);
        insert->bind_bytes(6, run.head);
        insert->step();
        for (UnitRow unit; next_unit(unit);) write_unit(unit);
    });
    lock_->set_unlink(false);
}

void RunFile::save_head(const std::string& head) {
    const std::lock_guard lock(mutex_);
    in_transaction([&] { write_head(head); });
}

void RunFile::write_head(const std::string& head) {
    const std::unique_ptr<StoreStatement> update = store_->prepare("UPDATE run SET head = ?1");
    const ExecutionEnds ends(*update);
    update->bind_bytes(1, head);
    update->step();
    store_->run(kTouch);
}

void RunFile::continue_run(const std::string& head, const std::vector<UnitRow>& units,
                           const std::vector<std::int64_t>& gone_jobs) {
    const std::lock_guard lock(mutex_);
    in_transaction([&] {
        write_head(head);
        for (const UnitRow& unit : units) write_unit(unit);
        for (const char* sql : {"DELETE FROM finding WHERE job = ?1", "DELETE FROM unit WHERE job = ?1"}) {
            const std::unique_ptr<StoreStatement> drop = store_->prepare(sql);
            for (std::int64_t job : gone_jobs) {
                const ExecutionEnds ends(*drop);
                drop->bind(1, job);
                drop->step();
            }
        }
    });
}

void RunFile::for_each_unit(const std::function<void(const UnitRow& unit)>& take) {
    const std::lock_guard lock(mutex_);
    StoreStatement& select = *select_units_;
    const ExecutionEnds ends(select);
    while (select.step())
        take(unit_from_columns([&](int i) { return select.number(i); }, [&](int i) { return select.bytes(i); }));
}

void RunFile::write_unit(const UnitRow& unit) {
    const ExecutionEnds ends(*put_unit_);
    put_unit_->bind(1, unit.job);
    put_unit_->bind(2, unit.unit);
    put_unit_->bind(3, unit.attempt);
    put_unit_->bind(4, static_cast<std::int64_t>(unit.state));
    put_unit_->bind_text(5, unit.lsn.source);
    put_unit_->bind_text(6, unit.lsn.target);
    put_unit_->bind_bytes(7, unit.plan);
    put_unit_->bind_bytes(8, unit.position);
    put_unit_->bind_bytes(9, unit.result);
    put_unit_->bind_bytes(10, unit.span.lower);
    put_unit_->bind_bytes(11, unit.span.upper);
    put_unit_->step();
}

void RunFile::replace_spans(std::int64_t job, const std::vector<UnitRow>& spans) {
    for (const char* sql :
         {"DELETE FROM finding WHERE job = ?1 AND unit > 0", "DELETE FROM unit WHERE job = ?1 AND unit > 0"}) {
        const std::unique_ptr<StoreStatement> drop = store_->prepare(sql);
        const ExecutionEnds ends(*drop);
        drop->bind(1, job);
        drop->step();
    }
    for (const UnitRow& span : spans) write_unit(span);
}

void RunFile::save_unit(const UnitRow& unit, const GiveFindings& findings,
                        const std::optional<std::vector<UnitRow>>& spans) {
    const std::lock_guard lock(mutex_);
    in_transaction([&] {
        write_unit(unit);
        if (spans) replace_spans(unit.job, *spans);
        {
            const ExecutionEnds ends(*drop_findings_);
            drop_findings_->bind(1, unit.job);
            drop_findings_->bind(2, unit.unit);
            drop_findings_->step();
        }
        std::string place;
        std::int64_t copy = 0;
        findings([&](const StoredFinding& stored) {
            copy = stored.place.key == place ? copy + 1 : 0;
            place = stored.place.key;
            const Finding& finding = stored.finding;
            const std::string columns = pack_columns(finding.columns);
            const Both<std::string> values{pack_values(finding.values.source), pack_values(finding.values.target)};
            const ExecutionEnds ends(*put_finding_);
            put_finding_->bind(1, unit.job);
            put_finding_->bind(2, unit.unit);
            put_finding_->bind_bytes(3, stored.place.key);
            put_finding_->bind(4, copy);
            put_finding_->bind(5, static_cast<std::int64_t>(finding.kind));
            put_finding_->bind_bytes(6, finding.key_bytes);
            put_finding_->bind_bytes(7, finding.hash_bytes);
            put_finding_->bind_bytes(8, columns);
            put_finding_->bind(9, static_cast<std::int64_t>(finding.occurrences));
            put_finding_->bind_bytes(10, values.source);
            put_finding_->bind_bytes(11, values.target);
            put_finding_->step();
        });
        store_->run(kTouch);
    });
}

void RunFile::save_units(const std::vector<UnitRow>& units) {
    const std::lock_guard lock(mutex_);
    in_transaction([&] {
        for (const UnitRow& unit : units) write_unit(unit);
        store_->run(kTouch);
    });
}

void RunFile::for_each_finding(std::int64_t job, std::int64_t unit,
                               const std::function<void(const StoredFinding&)>& take) {
    const std::lock_guard lock(mutex_);
    StoreStatement& select = *select_findings_;
    const ExecutionEnds ends(select);
    select.bind(1, job);
    select.bind(2, unit);
    while (select.step()) {
        StoredFinding stored;
        stored.place.key = select.bytes(0);
        stored.finding.kind = static_cast<FindingKind>(select.number(1));
        stored.finding.key_bytes = select.bytes(2);
        stored.finding.hash_bytes = select.bytes(3);
        stored.finding.columns = unpack_columns(select.bytes(4));
        stored.finding.occurrences = static_cast<std::uint64_t>(select.number(5));
        stored.finding.values = {unpack_values(select.bytes(6)), unpack_values(select.bytes(7))};
        take(stored);
    }
}

}  // namespace parity::driver
