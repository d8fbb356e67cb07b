#include "driver/postgres/lookups/large_objects.h"

#include <algorithm>

#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/large_objects.h"
#include "driver/postgres/queries/query.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {
namespace {

/// The rows of a query for pages.
class StreamedPages : public LargeObjectPages {
  public:
    StreamedPages(Connection& connection, const Query& query) : rows_(connection.stream(query.sql, query.parameters)) {}

    bool next(LargeObjectPage& page) override {
        row_ = rows_.next();
        if (!row_) return false;
        page = {static_cast<std::uint32_t>(row_->int32(0)), row_->int32(1), row_->bytes(2)};
        return true;
    }

  private:
    RowStream rows_;
    std::optional<Row> row_;
};

/// What `work` gives where no index is used.
template <typename Work>
auto without_indexes(Connection& connection, Work work) {
    connection.query(savepoint_statement());
    connection.query(avoid_indexes_statements());
    auto answer = work();
    connection.query(rollback_to_savepoint_statement());
    connection.query(release_savepoint_statement());
    return answer;
}

class PostgresLargeObjects : public LargeObjectReader {
  public:
    PostgresLargeObjects(Session& session, const TablePlan& pages) : session_(session), pages_(pages) {}

    std::unique_ptr<LargeObjectPages> pages(const std::vector<std::uint32_t>& objects) override {
        return std::make_unique<StreamedPages>(connection(), large_object_pages_query(objects));
    }
    std::unique_ptr<LargeObjectPages> pages(std::uint32_t after, std::uint32_t last) override {
        return std::make_unique<StreamedPages>(connection(), large_object_pages_query(after, last));
    }
    std::uint64_t count_pages() override {
        return without_indexes(connection(),
                               [&] { return run(large_object_page_count_query()).number<std::uint64_t>(0, 0); });
    }
    std::optional<std::uint32_t> object_after(std::uint32_t after, std::size_t number) override {
        const Result found = run(large_object_after_query(after, number));
        return found.rows() > 0 ? std::optional(found.number<std::uint32_t>(0, 0)) : std::nullopt;
    }
    /// What an index does not show may be there nonetheless.
    std::vector<std::uint32_t> existing(const std::vector<std::uint32_t>& objects) override {
        if (objects.empty()) return {};
        const Query question = existing_large_objects_query(objects);
        Result found = run(question);
        if (static_cast<std::size_t>(found.rows()) != objects.size())
            found = without_indexes(connection(), [&] { return run(question); });
        std::vector<std::uint32_t> there;
        for (int row = 0; row < found.rows(); ++row) there.push_back(found.number<std::uint32_t>(row, 0));
        std::sort(there.begin(), there.end());
        return there;
    }
    void avoid_indexes() override { connection().query(avoid_indexes_statements()); }
    void require_not_rewritten() override { session_.require_not_rewritten(pages_); }

  private:
    Connection& connection() { return session_.connection(); }
    Result run(const Query& query) { return connection().query(query.sql, query.parameters); }

    Session& session_;
    const TablePlan& pages_;
};

}  // namespace

std::unique_ptr<LargeObjectReader> make_large_object_reader(Session& session, const TablePlan& pages) {
    return std::make_unique<PostgresLargeObjects>(session, pages);
}

}  // namespace parity::driver
