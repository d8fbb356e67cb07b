#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/report/document.h"
#include "driver/report/formats.h"
#include "driver/report/wording.h"

namespace parity::driver {
namespace {

/// A field as COPY writes it: NULL is nothing at all, an empty text is "".
std::string field(const std::optional<std::string>& value) {
    if (!value) return {};
    if (!value->empty() && value->find_first_of(",\"\r\n\\") == std::string::npos) return *value;
    std::string quoted = "\"";
    for (char c : *value) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

/// A line of the file. What a line does not have is NULL.
struct Line {
    std::string what;  ///< "mismatch", "missing_on_target", …
    std::optional<std::string> source_name{}, target_name{}, key{}, column{}, source{}, target{}, occurrences{},
        message{};
};

/// Nothing for null.
std::optional<std::string> text_of(const Json& value) {
    if (value.is_null()) return std::nullopt;
    return value.is_string() ? value.get<std::string>() : dumped(value);
}

std::optional<std::string> text_at(const Json& object, const char* member) {
    const auto found = object.find(member);
    return found == object.end() ? std::nullopt : text_of(*found);
}

class CsvFormat {
  public:
    CsvFormat(const ReportDocument& document, Output& output) : document_(document), output_(output) {}

    void write() {
        output_.write("what,source_name,target_name,key,column,source,target,occurrences,message\n");
        const Json& head = document_.head();
        for (const Json& difference : head.at("schema_differences"))
            write({.what = "schema_" + difference.at("severity").get<std::string>(),
                   .source_name = text_at(difference, "object"),
                   .message = text_at(difference, "message")});
        const Json& tables = head.at("tables");
        for (std::size_t i = 0; i < tables.size(); ++i) write_table(tables[i], i);
        if (head.contains("large_objects")) write_table(head["large_objects"], std::nullopt);
        for (const Json& sequence : head.at("sequences"))
            if (sequence.at("result") != "identical") write_sequence(sequence);
        for (const Json& sentence : head.at("not_compared"))
            write({.what = "not_compared", .message = sentence.get<std::string>()});
        for (const Json& hint : head.value("hints", Json::array()))
            write({.what = "hint", .message = hint.get<std::string>()});
        for (const std::string& error : run_errors(head)) write({.what = "error", .message = error});
        if (head.contains("against")) write_against(head["against"]);
        write({.what = "result", .message = result_words(head)});
    }

  private:
    void write(const Line& line) {
        std::string text = field(line.what);
        for (const auto* value : {&line.source_name, &line.target_name, &line.key, &line.column, &line.source,
                                  &line.target, &line.occurrences, &line.message})
            text += ',' + field(*value);
        output_.write_data(text + '\n');
    }

    void write_table(const Json& table, std::optional<std::size_t> number) {
        Line about{.what = {}, .source_name = text_at(table, "source"), .target_name = text_at(table, "target")};
        if (!number) about.source_name = about.target_name = "large objects";
        const auto tell = [&](const char* what, std::optional<std::string> message) {
            Line line = about;
            line.what = what;
            line.message = std::move(message);
            write(line);
        };
        document_.for_each_divergence(number, [&](const Json& divergence) { write_divergence(about, divergence); });
        if (table.contains("not_listed")) tell("not_listed", text_at(table, "not_listed"));
        if (table.at("result") == "divergent" && differing_rows(table) == 0)
            tell("divergent", "which rows differ was not found out");
        for (const Json& reason : table.at("skipped")) tell("not_compared", reason.get<std::string>());
        if (table.contains("error")) tell("error", text_at(table, "error"));
    }

    void write_against(const Json& against) {
        write({.what = "against", .message = against_title(against)});
        for (const Json& table : against.at("tables"))
            write({.what = "against",
                   .source_name = text_at(table, "source"),
                   .target_name = text_at(table, "target"),
                   .message = against_words(table)});
    }

    /// A line for each column of a mismatch.
    void write_divergence(const Line& about, const Json& divergence) {
        Line line = about;
        line.what = divergence.at("kind").get<std::string>();
        for (const char* key : {"key", "row", "row_hash", "oid"})
            if (divergence.contains(key)) line.key = text_at(divergence, key);
        line.occurrences = text_at(divergence, "occurrences");
        line.message = text_at(divergence, "against");
        if (divergence.contains("first_difference"))
            line.message = "contents differ from byte " + divergence["first_difference"].get<std::string>() + " on";
        const Json columns = divergence.value("columns", Json::array());
        if (columns.empty()) return write(line);
        const auto source = members_of(divergence, "source"), target = members_of(divergence, "target");
        for (const Json& column : columns) {
            line.column = column.get<std::string>();
            const auto one = source.find(*line.column), other = target.find(*line.column);
            const bool read = one != source.end() && other != target.end();
            line.source = read ? text_of(*one->second) : std::nullopt;
            line.target = read ? text_of(*other->second) : std::nullopt;
            if (!read) line.message = "values were not read";
            write(line);
        }
    }

    void write_sequence(const Json& sequence) {
        Line line{.what = "sequence_" + sequence.at("result").get<std::string>(),
                  .source_name = text_at(sequence, "source"),
                  .target_name = text_at(sequence, "target"),
                  .message = text_at(sequence, "reason")};
        const auto next = [&](const char* side) -> std::optional<std::string> {
            const Json value = sequence.value("value", Json::object()).value(side, Json());
            return value.is_object() ? text_at(value, "next_value") : std::nullopt;
        };
        line.source = next("source");
        line.target = next("target");
        write(line);
    }

    const ReportDocument& document_;
    Output& output_;
};

}  // namespace

void write_csv(const ReportDocument& document, Output& output) { CsvFormat(document, output).write(); }

}  // namespace parity::driver
