#include "driver/engine/row_sorter.h"

#include <string>

#include <fmt/format.h>

#include "driver/state/store.h"

namespace parity::driver {
namespace {

// Nothing has to survive a failure.
constexpr const char* kSortPurpose = "could not sort rows in a temporary file";
constexpr const char* kRowSchema =
    "CREATE TABLE row (range_no INTEGER NOT NULL, key BLOB NOT NULL, row_hash BLOB NOT NULL, cell_hashes BLOB NOT NULL,"
    " part INTEGER NOT NULL, tid BLOB NOT NULL)";
constexpr const char* kInsertRow = "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)";
constexpr const char* kSorted = "SELECT range_no, key, row_hash, cell_hashes FROM row ORDER BY range_no, key, row_hash";
constexpr const char* kIndex = "CREATE INDEX IF NOT EXISTS row_key ON row (key)";
constexpr const char* kFind = "SELECT part, tid FROM row WHERE key = ?";

class SortedRows : public RowSource {
  public:
    explicit SortedRows(std::unique_ptr<StoreStatement> rows) : rows_(std::move(rows)) {}

    bool next(RowDigest& row) override {
        if (!rows_->step()) return false;
        row.range_no = static_cast<int>(rows_->number(0));
        row.key = rows_->bytes(1);
        row.row_hash = rows_->bytes(2);
        row.cell_hashes = rows_->bytes(3);
        return true;
    }

  private:
    const std::unique_ptr<StoreStatement> rows_;
};

}  // namespace

RowSorter::RowSorter(std::size_t memory_bytes) : store_(std::make_unique<Store>(Store::in_cache(kSortPurpose))) {
    // SQLite takes so much for the table's pages, and as much again for the rows that it is sorting.
    store_->run(fmt::format("PRAGMA cache_size = -{}", memory_bytes / 2 / 1024));
    store_->run(kRowSchema);
    store_->run("BEGIN");
    insert_ = store_->prepare(kInsertRow);
}

RowSorter::~RowSorter() = default;

void RowSorter::add(const RowDigest& row, const RowLocation& location) {
    const std::lock_guard lock(mutex_);
    insert_->end();
    insert_->bind(1, row.range_no);
    insert_->bind_bytes(2, row.key);
    insert_->bind_bytes(3, row.row_hash);
    insert_->bind_bytes(4, row.cell_hashes);
    insert_->bind(5, location.part);
    insert_->bind_bytes(6, location.tid);
    insert_->step();
}

std::unique_ptr<RowSource> RowSorter::sorted() { return std::make_unique<SortedRows>(store_->prepare(kSorted)); }

/// The key outlives the search only in the caller's loop.
void RowSorter::begin_find(std::string_view key) {
    if (!find_) {
        insert_->end();
        store_->run(kIndex);
        find_ = store_->prepare(kFind);
    }
    find_->begin();
    find_->bind_copy(1, key);
}

bool RowSorter::next_found(RowLocation& location) {
    if (!find_->step()) return false;
    location.part = static_cast<std::uint32_t>(find_->number(0));
    location.tid = find_->bytes(1);
    return true;
}

}  // namespace parity::driver
