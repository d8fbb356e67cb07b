#include "driver/state/findings.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/state/finding_bytes.h"
#include "driver/state/store.h"

namespace parity::driver {
namespace {

constexpr const char* kFindingsPurpose = "could not write temporary file for findings";

constexpr const char* kSchema =
    "CREATE TABLE finding (id INTEGER PRIMARY KEY, table_no INTEGER NOT NULL, kind INTEGER NOT NULL, key BLOB NOT NULL,"
    " hash BLOB NOT NULL, columns BLOB NOT NULL, occurrences INTEGER NOT NULL, source_hash BLOB NOT NULL, target_hash "
    "BLOB NOT NULL,"
    " source_values BLOB NOT NULL, target_values BLOB NOT NULL, place BLOB NOT NULL);"
    "CREATE INDEX finding_place ON finding (table_no, place, id);";

constexpr const char* kInsert = "INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kDelete = "DELETE FROM finding WHERE id = ?";
constexpr const char* kUpdateSource = "UPDATE finding SET source_values = ?2 WHERE id = ?1";
constexpr const char* kUpdateTarget = "UPDATE finding SET target_values = ?2 WHERE id = ?1";
// Those before ?2 and from ?3 on are of other attempts.
constexpr const char* kSelect =
    "SELECT * FROM finding WHERE table_no = ?1 AND (place, id) > (?4, ?5) AND id >= ?2 AND id < ?3 ORDER BY place, id";
constexpr const char* kSelectLast =
    "SELECT * FROM finding WHERE table_no = ?1 AND id >= ?2 AND id < ?3 ORDER BY place DESC, id DESC LIMIT 1";

enum Field {
    kId,
    kTable,
    kKind,
    kKey,
    kHash,
    kColumns,
    kOccurrences,
    kSourceHash,
    kTargetHash,
    kSourceValues,
    kTargetValues,
    kPlace
};

/// Writes committed at once: SQLite spills what does not fit into its cache earlier.
constexpr int kWritesPerTransaction = 10000;
/// What a reader of the whole list takes at a time.
constexpr std::size_t kReadBytes = 256 * 1024;

std::size_t size_of(const StoredFinding& entry) {
    std::size_t bytes = 100 + entry.finding.key_bytes.size() + 4 * entry.finding.columns.size();
    for (const auto* values : {&entry.finding.values.source, &entry.finding.values.target})
        for (const auto& value : *values) bytes += 40 + (value ? value->text.size() : 0);
    return bytes;
}

}  // namespace

/// The file and its prepared statements. Not thread-safe.
class FindingStore::Database {
  public:
    Database() {
        store_.run(kSchema);
        insert = store_.prepare(kInsert);
        update_source = store_.prepare(kUpdateSource);
        update_target = store_.prepare(kUpdateTarget);
        erase = store_.prepare(kDelete);
        select = store_.prepare(kSelect);
        select_last = store_.prepare(kSelectLast);
    }

    /// Runs a statement that gives no rows, as part of the current write transaction.
    void write(StoreStatement& statement) {
        if (!store_.in_transaction()) store_.run("BEGIN");
        statement.step();
        statement.end();
        ++writes_;
    }
    bool is_due() const { return writes_ >= kWritesPerTransaction; }

    void commit() {
        if (store_.in_transaction()) store_.run("COMMIT");
        writes_ = 0;
    }
    void roll_back() noexcept {
        store_.roll_back();
        writes_ = 0;
    }

  private:
    Store store_ = Store::in_file(kFindingsPurpose);
    int writes_ = 0;

  public:
    // Gone before the store.
    std::unique_ptr<StoreStatement> insert, update_source, update_target, erase, select, select_last;
};

namespace {

/// Ends a statement's execution however the scope is left: while it goes on, what is read cannot be written.
class ExecutionEnd {
  public:
    explicit ExecutionEnd(StoreStatement& statement) : statement_(statement) {}
    ~ExecutionEnd() { statement_.end(); }
    ExecutionEnd(const ExecutionEnd&) = delete;
    ExecutionEnd& operator=(const ExecutionEnd&) = delete;

  private:
    StoreStatement& statement_;
};

StoredFinding read_entry(const StoreStatement& row) {
    StoredFinding entry;
    entry.place = {std::string(row.bytes(kPlace)), row.number(kId)};
    entry.finding.kind = static_cast<FindingKind>(row.number(kKind));
    entry.finding.key_bytes = row.bytes(kKey);
    entry.finding.hash_bytes = row.bytes(kHash);
    entry.finding.columns = unpack_columns(row.bytes(kColumns));
    entry.finding.occurrences = static_cast<std::uint64_t>(row.number(kOccurrences));
    entry.finding.values = {unpack_values(row.bytes(kSourceValues)), unpack_values(row.bytes(kTargetValues))};
    entry.row_hash = {std::string(row.bytes(kSourceHash)), std::string(row.bytes(kTargetHash))};
    return entry;
}

}  // namespace

FindingStore::FindingStore() : database_(std::make_unique<Database>()) {}
FindingStore::~FindingStore() = default;

FindingStore::Attempt& FindingStore::writable(int table) {
    Attempt& state = tables_[table].present;
    if (state.lost) throw Error(ErrorKind::kOutput, loss_, kTemporaryFilesHint);
    state.pending = true;
    return state;
}

template <typename Work>
void FindingStore::for_each_attempt(Work work) {
    for (auto& [number, table] : tables_)
        for (Attempt* attempt : {&table.present, &table.earlier}) work(*attempt);
}

/// Keeps everything where `work` says so or it is time to. Where that or the work fails, what was not kept is taken
/// back: of a transaction that broke off nobody knows what is in the file.
template <typename Work>
void FindingStore::change(Work work) {
    try {
        const bool keeps = work();
        if (!keeps && !database_->is_due()) return;
        database_->commit();
        for_each_attempt([](Attempt& attempt) { attempt.pending = false; });
    } catch (const std::exception& error) {
        database_->roll_back();
        for_each_attempt([](Attempt& attempt) { attempt.lost |= std::exchange(attempt.pending, false); });
        loss_ = as_error(error).what();
        throw;
    }
}

void FindingStore::add(int table, const StoredFinding& entry) {
    const std::string columns = pack_columns(entry.finding.columns);
    const Both<std::string> values{pack_values(entry.finding.values.source), pack_values(entry.finding.values.target)};
    const std::lock_guard lock(mutex_);
    writable(table);
    StoreStatement& insert = *database_->insert;
    insert.begin();
    insert.bind(kId + 1, next_id_++);
    insert.bind(kTable + 1, table);
    insert.bind(kKind + 1, static_cast<int>(entry.finding.kind));
    insert.bind_bytes(kKey + 1, entry.finding.key_bytes);
    insert.bind_bytes(kHash + 1, entry.finding.hash_bytes);
    insert.bind_bytes(kColumns + 1, columns);
    insert.bind(kOccurrences + 1, static_cast<std::int64_t>(entry.finding.occurrences));
    insert.bind_bytes(kSourceHash + 1, entry.row_hash.source);
    insert.bind_bytes(kTargetHash + 1, entry.row_hash.target);
    insert.bind_bytes(kSourceValues + 1, values.source);
    insert.bind_bytes(kTargetValues + 1, values.target);
    insert.bind_bytes(kPlace + 1, entry.place.key);
    change([&] {
        database_->write(insert);
        return false;
    });
}

std::optional<StoredFinding> FindingStore::last(int table) {
    const std::lock_guard lock(mutex_);
    const Attempt attempt = present(table);
    StoreStatement& select = *database_->select_last;
    select.begin();
    select.bind(1, table);
    select.bind(2, attempt.first);
    select.bind(3, attempt.end);
    const ExecutionEnd execution_end(select);
    return select.step() ? std::optional(read_entry(select)) : std::nullopt;
}

void FindingStore::remove(int table, std::int64_t id) {
    const std::lock_guard lock(mutex_);
    writable(table);
    StoreStatement& erase = *database_->erase;
    erase.begin();
    erase.bind(1, id);
    change([&] {
        database_->write(erase);
        return false;
    });
}

FindingStore::Attempt FindingStore::present(int table) const {
    const auto known = tables_.find(table);
    return known == tables_.end() ? Attempt() : known->second.present;
}

void FindingStore::set_values(int table, std::int64_t id, Side side, const ShownValues& values) {
    const std::string packed = pack_values(values);
    const std::lock_guard lock(mutex_);
    writable(table);
    StoreStatement& update = side == Side::kSource ? *database_->update_source : *database_->update_target;
    update.begin();
    update.bind(1, id);
    update.bind_bytes(2, packed);
    change([&] {
        database_->write(update);
        return false;
    });
}

void FindingStore::commit(int table) {
    const std::lock_guard lock(mutex_);
    writable(table);
    change([] { return true; });
}

std::vector<StoredFinding> FindingStore::read(int table, const FindingPlace& after, std::size_t max_bytes) {
    std::vector<StoredFinding> entries;
    std::size_t bytes = 0;
    const std::lock_guard lock(mutex_);
    const Attempt attempt = present(table);
    StoreStatement& select = *database_->select;
    select.begin();
    select.bind(1, table);
    select.bind(2, attempt.first);
    select.bind(3, attempt.end);
    select.bind_bytes(4, after.key);
    select.bind(5, after.id);
    const ExecutionEnd execution_end(select);
    while (bytes < max_bytes && select.step()) {
        entries.push_back(read_entry(select));
        bytes += size_of(entries.back());
    }
    return entries;
}

void FindingStore::for_each(int table, const std::function<void(const Finding&)>& finding) {
    for_each_stored(table, [&](const StoredFinding& stored) { finding(stored.finding); });
}

void FindingStore::for_each_stored(int table, const std::function<void(const StoredFinding&)>& finding) {
    FindingPlace after;
    for (auto entries = read(table, after, kReadBytes); !entries.empty(); entries = read(table, after, kReadBytes)) {
        for (const StoredFinding& entry : entries) finding(entry);
        after = entries.back().place;
    }
}

void FindingStore::discard(int table) {
    const std::lock_guard lock(mutex_);
    tables_[table].present = {.first = next_id_};
}

void FindingStore::begin_attempt(int table) {
    const std::lock_guard lock(mutex_);
    Table& state = tables_[table];
    state.earlier = state.present;
    state.earlier.end = std::min(state.earlier.end, next_id_);
    state.present = {.first = next_id_};
}

void FindingStore::restore_attempt(int table) {
    const std::lock_guard lock(mutex_);
    tables_[table].present = tables_[table].earlier;
}

}  // namespace parity::driver
