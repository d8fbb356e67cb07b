#include "driver/report/document_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "driver/state/store.h"

namespace parity::driver {
namespace {

/// The table number of the large objects.
constexpr std::int64_t kLargeObjects = -1;
constexpr const char* kReportPurpose = "could not write temporary file for a report's divergences";

/// Divergences as texts in a temporary file.
class Spool {
  public:
    Spool() {
        store_.run(
            "CREATE TABLE divergence (table_no INTEGER NOT NULL, id INTEGER NOT NULL, text BLOB NOT NULL,"
            " PRIMARY KEY (table_no, id)) WITHOUT ROWID; BEGIN");
        insert_ = store_.prepare("INSERT INTO divergence VALUES (?, ?, ?)");
        select_ = store_.prepare("SELECT text FROM divergence WHERE table_no = ? ORDER BY id");
    }

    void add(std::int64_t table, const std::string& text) {
        insert_->begin();
        insert_->bind(1, table);
        insert_->bind(2, ++id_);
        insert_->bind_bytes(3, text);
        insert_->step();
        insert_->end();
    }

    void for_each(std::int64_t table, const std::function<void(const Json&)>& take) const {
        select_->begin();
        select_->bind(1, table);
        while (select_->step()) take(Json::parse(select_->bytes(0)));
        select_->end();
    }

  private:
    Store store_ = Store::in_file(kReportPurpose);
    std::int64_t id_ = 0;
    std::unique_ptr<StoreStatement> insert_, select_;  // gone before the store
};

/// Takes divergences out of a document while it is parsed. The depths are those of nlohmann::json: a member of the
/// document has depth 1.
class DivergenceFilter {
  public:
    explicit DivergenceFilter(Spool& spool) : spool_(spool) {}

    /// Returns: whether the value stays in the document.
    bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
        const auto at = static_cast<std::size_t>(depth);
        if (event == Json::parse_event_t::key) {
            names_.resize(std::max(names_.size(), at + 1));
            names_[at] = parsed.get<std::string>();
        }
        if (event != Json::parse_event_t::object_end) return true;
        if (depth == 2 && name(1) == "tables") ++table_;
        const bool of_table = depth == 4 && name(1) == "tables" && name(3) == "divergences";
        const bool of_objects = depth == 3 && name(1) == "large_objects" && name(2) == "divergences";
        if (!of_table && !of_objects) return true;
        spool_.add(of_table ? table_ : kLargeObjects, dumped(parsed));
        return false;
    }

  private:
    std::string_view name(std::size_t depth) const {
        return depth < names_.size() ? names_[depth] : std::string_view();
    }

    Spool& spool_;
    std::vector<std::string> names_;  ///< the member that is parsed, at each depth
    std::int64_t table_ = 0;
};

class FileDocument : public ReportDocument {
  public:
    explicit FileDocument(std::istream& stream)
        : head_(Json::parse(
              stream, [filter = DivergenceFilter(spool_)](int depth, Json::parse_event_t event, Json& parsed) mutable {
                  return filter(depth, event, parsed);
              })) {}

    const Json& head() const override { return head_; }
    void for_each_divergence(std::optional<std::size_t> table,
                             const std::function<void(const Json&)>& take) const override {
        spool_.for_each(table ? static_cast<std::int64_t>(*table) : kLargeObjects, take);
    }

  private:
    Spool spool_;
    Json head_;
};

/// Why a document is no report of this version; nothing where it is one.
std::optional<std::string> why_not_report(const Json& head) {
    if (!head.is_object() || head.value("tool", "") != "pgparity") return "it is not a report of pgparity";
    if (head.contains("dry_run")) return "it is a plan (--dry-run), which compares nothing";
    if (!head.contains("schema_version") || head["schema_version"] != kReportSchemaVersion)
        return fmt::format("its schema_version is not {}", kReportSchemaVersion);
    for (const char* member : {"schema_differences", "tables", "sequences", "not_compared", "errors"})
        if (!head.contains(member) || !head[member].is_array()) return fmt::format("it has no list \"{}\"", member);
    for (const char* member : {"source", "target"})
        if (!head.contains(member) || !head[member].is_object()) return fmt::format("it has no \"{}\"", member);
    const auto status = head.find("exit_status");
    if (status == head.end() || !status->is_number_integer() || *status < 0 || *status > 3)
        return "it has no \"exit_status\"";
    return std::nullopt;
}

}  // namespace

std::unique_ptr<ReportDocument> read_document(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream)
        throw Error(ErrorKind::kUsage, fmt::format("could not read report \"{}\": {}", file, std::strerror(errno)));
    std::unique_ptr<ReportDocument> document;
    try {
        document = std::make_unique<FileDocument>(stream);
    } catch (const Json::exception& error) {
        throw broken_report(file, error);
    }
    if (const std::optional<std::string> reason = why_not_report(document->head()))
        throw Error(ErrorKind::kUsage, fmt::format("could not read report \"{}\": {}", file, *reason),
                    "pgparity compare --format json writes what is read here");
    return document;
}

Error broken_report(const std::string& file, const Json::exception& reason) {
    std::string_view what = reason.what();
    if (what.starts_with('[')) what.remove_prefix(std::min(what.find("] ") + 2, what.size()));  // the library's number
    return {ErrorKind::kUsage, fmt::format("could not read report \"{}\": {}", file, what),
            "it must be what pgparity compare --format json wrote; docs/report.schema.json says what that holds"};
}

}  // namespace parity::driver
