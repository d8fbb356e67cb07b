#include "driver/report/document_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <string_view>
#include <utility>
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

/// Builds a document while it is parsed. Each divergence goes to the spool as soon as it is whole. A callback of
/// nlohmann::json's own parser could take it out, too, but that parser looks through a whole list at each of its
/// members.
class DocumentBuilder : public nlohmann::json_sax<Json> {
  public:
    explicit DocumentBuilder(Spool& spool) : spool_(spool) {}

    Json take() { return std::move(document_); }

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override { return add(value); }
    bool number_float(number_float_t value, const string_t& /*text*/) override { return add(value); }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t& value) override { return add(std::move(value)); }
    bool start_object(std::size_t /*members*/) override { return open(Json::object()); }
    bool start_array(std::size_t /*members*/) override { return open(Json::array()); }
    bool end_array() override { return close(); }
    bool key(string_t& name) override {
        open_.back().member = std::move(name);
        return true;
    }
    bool end_object() override {
        if (is_in({"tables", "divergences"}))
            spool(static_cast<std::int64_t>(open_[1].value->size()) - 1);
        else if (is_in({"large_objects", "divergences"}))
            spool(kLargeObjects);
        else
            close();
        return true;
    }
    bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                     const nlohmann::detail::exception& error) override {
        if (const auto* number = dynamic_cast<const Json::out_of_range*>(&error)) throw *number;
        throw dynamic_cast<const Json::parse_error&>(error);
    }

  private:
    /// An object or a list that is not whole yet.
    struct Open {
        Json* value;
        std::string member;  ///< of an object: the one that is parsed
    };

    Json& put(Json value) {
        if (open_.empty()) return document_ = std::move(value);
        Json& whole = *open_.back().value;
        if (whole.is_object()) return whole[open_.back().member] = std::move(value);
        whole.push_back(std::move(value));
        return whole.back();
    }
    bool add(Json value) {
        put(std::move(value));
        return true;
    }
    bool open(Json value) {
        open_.push_back({&put(std::move(value)), {}});
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }
    /// Whether what is open is a member of a list that is found by these names from the document on.
    bool is_in(std::initializer_list<std::string_view> names) const {
        if (open_.size() < 3 || !open_[open_.size() - 2].value->is_array()) return false;
        std::vector<std::string_view> path;
        for (const Open& level : open_)
            if (level.value->is_object() && &level != &open_.back()) path.push_back(level.member);
        return std::equal(path.begin(), path.end(), names.begin(), names.end());
    }
    /// The last one of its list goes to the spool.
    void spool(std::int64_t table) {
        spool_.add(table, dumped(*open_.back().value));
        close();
        open_.back().value->get_ref<Json::array_t&>().pop_back();
    }

    Spool& spool_;
    Json document_;
    std::vector<Open> open_;
};

class FileDocument : public ReportDocument {
  public:
    explicit FileDocument(std::istream& stream) {
        DocumentBuilder builder(spool_);
        Json::sax_parse(stream, &builder);
        head_ = builder.take();
    }

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
