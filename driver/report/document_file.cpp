#include "driver/report/document_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "driver/state/store.h"

namespace parity::driver {
namespace {

/// The table number of the large objects.
constexpr std::int64_t kLargeObjects = -1;
constexpr std::string_view kLinesBeginning = R"({"record":"begin")";
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

/// Lines of --format ndjson. The document has its tables by name, whatever the order was in which they were finished.
class LinesDocument : public ReportDocument {
  public:
    explicit LinesDocument(std::istream& stream) {
        for (const char* list : {"schema_differences", "tables", "sequences", "not_compared", "errors"})
            head_[list] = Json::array();
        for (std::string line; std::getline(stream, line);)
            if (!line.empty()) add(Json::parse(line));
        sort_tables();
    }

    /// Whether the last line came, without which the report was cut off.
    bool is_whole() const { return ended_; }

    const Json& head() const override { return head_; }
    void for_each_divergence(std::optional<std::size_t> table,
                             const std::function<void(const Json&)>& take) const override {
        spool_.for_each(table ? order_.at(*table) : kLargeObjects, take);
    }

  private:
    void add(Json line) {
        const std::string what = line.at("record");
        line.erase("record");
        ended_ = what == "run";
        if (what == "run") return add_run(line);
        if (what == "divergence") return add_divergence(std::move(line));
        if (what == "table" || what == "large_objects") line["divergences"] = Json::array();
        if (what == "large_objects")
            head_[what] = std::move(line);
        else if (what == "not_compared" || what == "hint")
            head_[what == "hint" ? "hints" : "not_compared"].push_back(line.at("message"));
        else if (what != "begin")
            head_[what + "s"].push_back(std::move(line));
    }

    /// The document's own members stand before its lists.
    void add_run(const Json& run) {
        Json head = Json::object();
        for (const auto& [name, value] : run.items()) head[name == "recorded" ? "record" : name] = value;
        for (const auto& [name, value] : head_.items()) head[name] = value;
        head_ = std::move(head);
    }

    /// It is one of the table whose line was the last one.
    void add_divergence(Json line) {
        const bool is_of_table = line.at("table").is_object();
        line.erase("table");
        spool_.add(is_of_table ? static_cast<std::int64_t>(head_["tables"].size()) - 1 : kLargeObjects, dumped(line));
    }

    /// A table that was compared again has several lines, of which the last one counts.
    void sort_tables() {
        Json& tables = head_["tables"];
        std::map<std::tuple<Json, Json, bool>, std::int64_t> last;
        for (std::size_t i = 0; i < tables.size(); ++i)
            last[{tables[i].value("source", Json()), tables[i].value("target", Json()),
                  tables[i].contains("not_compared")}] = static_cast<std::int64_t>(i);
        for (const auto& [names, number] : last) order_.push_back(number);
        const auto rank = [&](std::int64_t number) {
            const Json& table = tables[static_cast<std::size_t>(number)];
            const std::string source = table.value("source", ""), target = table.value("target", "");
            return std::tuple(table.contains("not_compared"), source.empty() ? target : source, target);
        };
        std::stable_sort(order_.begin(), order_.end(),
                         [&](std::int64_t a, std::int64_t b) { return rank(a) < rank(b); });
        Json sorted = Json::array();
        for (const std::int64_t number : order_) sorted.push_back(std::move(tables[static_cast<std::size_t>(number)]));
        tables = std::move(sorted);
    }

    Spool spool_;
    Json head_ = Json::object();
    std::vector<std::int64_t> order_;  ///< of the tables: their numbers in the spool
    bool ended_ = false;
};

/// Whether a file has lines of --format ndjson: the first one says that a run began.
bool has_lines(std::istream& stream) {
    std::string beginning(kLinesBeginning.size(), 0);
    stream.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
    stream.clear();
    stream.seekg(0);
    return beginning == kLinesBeginning;
}

std::unique_ptr<ReportDocument> read_lines(std::istream& stream, const std::string& file) {
    auto document = std::make_unique<LinesDocument>(stream);
    if (document->is_whole()) return document;
    throw Error(ErrorKind::kUsage,
                fmt::format("could not read report \"{}\": it is not whole, its last line has no record \"run\"", file),
                "the run was cut off, or has not ended yet");
}

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
        document = has_lines(stream) ? read_lines(stream, file) : std::make_unique<FileDocument>(stream);
    } catch (const Json::exception& error) {
        throw broken_report(file, error);
    }
    if (const std::optional<std::string> reason = why_not_report(document->head()))
        throw Error(ErrorKind::kUsage, fmt::format("could not read report \"{}\": {}", file, *reason),
                    "pgparity compare --format json, or ndjson, writes what is read here");
    return document;
}

Error broken_report(const std::string& file, const Json::exception& reason) {
    std::string_view what = reason.what();
    if (what.starts_with('[')) what.remove_prefix(std::min(what.find("] ") + 2, what.size()));  // the library's number
    return {
        ErrorKind::kUsage, fmt::format("could not read report \"{}\": {}", file, what),
        "it must be what pgparity compare --format json or ndjson wrote; docs/report.schema.json says what that holds"};
}

}  // namespace parity::driver
