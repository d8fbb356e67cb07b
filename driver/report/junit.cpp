#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "driver/report/document.h"
#include "driver/report/formats.h"
#include "driver/report/wording.h"
#include "driver/text/display_name.h"
#include "driver/text/printable.h"

namespace parity::driver {
namespace {

/// A text on one line for XML, which knows no control characters.
std::string xml_text(const std::string& text) {
    std::string safe;
    for (char c : printable(text)) {
        switch (c) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            default:
                safe += c;
        }
    }
    return safe;
}

enum class CaseResult { kPassed, kFailure, kError };

/// Something that was compared or should have been.
struct Case {
    std::string suite;  ///< "tables", "sequences", …
    std::string name;
    CaseResult result = CaseResult::kPassed;
    std::string message{};
    double seconds = 0;
    std::optional<std::size_t> table{};  ///< whose divergences go with it
    bool large_objects = false;
};

CaseResult result_of(const std::string& verdict) {
    if (verdict == "identical") return CaseResult::kPassed;
    return verdict == "divergent" ? CaseResult::kFailure : CaseResult::kError;
}

class JunitFormat {
  public:
    JunitFormat(const ReportDocument& document, Output& output)
        : document_(document), head_(document.head()), output_(output) {}

    void write() {
        collect();
        std::size_t failures = 0, errors = 0;
        for (const Case& one : cases_) {
            failures += one.result == CaseResult::kFailure;
            errors += one.result == CaseResult::kError;
        }
        line("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        const std::string totals =
            fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{:.3f}\"", cases_.size(),
                        failures, errors, head_.value("elapsed_seconds", 0.0));
        line(fmt::format("<testsuites {}>", totals));
        line(
            fmt::format("<testsuite name=\"pgparity\" timestamp=\"{}\" {}>", xml_text(head_.at("started_at")), totals));
        line("<properties>");
        property("result", result_words(head_));
        for (const char* side : {"source", "target"}) property(side, server_words(head_.at(side)));
        property("options", options_words(head_));
        property("seed", head_.at("seed"));
        line("</properties>");
        for (const Case& one : cases_) write_case(one);
        write_remarks();
        line("</testsuite>");
        line("</testsuites>");
    }

  private:
    /// What is ours or escaped.
    void line(const std::string& text) { output_.write(text + "\n"); }

    void property(const char* name, const std::string& value) {
        line(fmt::format("<property name=\"{}\" value=\"{}\"/>", name, xml_text(value)));
    }

    void collect() {
        for (const Json& difference : head_.at("schema_differences")) add_difference(difference);
        const Json& tables = head_.at("tables");
        for (std::size_t i = 0; i < tables.size(); ++i) add_table("tables", name_of(tables[i]), tables[i], i);
        if (head_.contains("large_objects"))
            add_table("large objects", "large objects", head_["large_objects"], std::nullopt);
        for (const Json& sequence : head_.at("sequences"))
            cases_.push_back({.suite = "sequences",
                              .name = name_of(sequence),
                              .result = result_of(sequence.at("result")),
                              .message = sequence.value("reason", "")});
        for (const std::string& error : run_errors(head_)) add_error(error);
        const bool has_failed = std::any_of(cases_.begin(), cases_.end(),
                                            [](const Case& one) { return one.result != CaseResult::kPassed; });
        if (!has_failed && head_.at("exit_status") != 0) add_error(result_words(head_));
    }

    void add_error(const std::string& message) {
        cases_.push_back({.suite = "run", .name = "run", .result = CaseResult::kError, .message = message});
    }

    void add_difference(const Json& difference) {
        const std::string severity = difference.at("severity");
        if (severity == "note" && !head_.value("strict_schema", false)) return;
        cases_.push_back({.suite = "schema",
                          .name = displayed(difference.at("object").get<std::string>()),
                          .result = severity == "skipped" ? CaseResult::kError : CaseResult::kFailure,
                          .message = difference.at("message")});
    }

    /// One that is divergent and incomplete fails twice: neither hides the other.
    void add_table(const char* suite, const std::string& name, const Json& table, std::optional<std::size_t> number) {
        Case one{.suite = suite, .name = name, .result = result_of(table.at("result"))};
        one.message = number ? table_words(table) : large_objects_words(table);
        one.seconds = table.value("elapsed_seconds", 0.0);
        one.table = number;
        one.large_objects = !number;
        cases_.push_back(one);
        if (one.result != CaseResult::kFailure || !table.value("incomplete", false)) return;
        std::string reasons = table.value("error", "");
        for (const Json& reason : table.at("skipped"))
            reasons += (reasons.empty() ? "" : "; ") + reason.get<std::string>();
        cases_.push_back({.suite = suite,
                          .name = name + ": what was not compared",
                          .result = CaseResult::kError,
                          .message = reasons});
    }

    void write_case(const Case& one) {
        const std::string begin = fmt::format("<testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", one.suite,
                                              xml_text(one.name), one.seconds);
        if (one.result == CaseResult::kPassed) return line(begin + "/>");
        const char* const kind = one.result == CaseResult::kFailure ? "failure" : "error";
        line(begin + ">");
        line(fmt::format("<{} message=\"{}\">", kind, xml_text(one.message)));
        if (one.table || one.large_objects) write_details(one);
        line(fmt::format("</{}>", kind));
        line("</testcase>");
    }

    /// What was compared in part, and what beside an older report.
    void write_remarks() {
        std::vector<std::string> lines;
        for (const Json& sentence : head_.at("not_compared"))
            lines.push_back("not compared: " + sentence.get<std::string>());
        if (head_.contains("against"))
            for (std::string& words : against_list(head_["against"])) lines.push_back(std::move(words));
        if (lines.empty()) return;
        line("<system-out>");
        for (const std::string& words : lines) line(xml_text(words));
        line("</system-out>");
    }

    /// What the text report has below the line of a table or of the large objects.
    void write_details(const Case& one) {
        const Json& part = one.table ? head_.at("tables")[*one.table] : head_.at("large_objects");
        if (one.result == CaseResult::kError)
            for (const Json& reason : part.at("skipped")) line(xml_text("not compared: " + reason.get<std::string>()));
        for (const Json& note : part.at("notes")) line(xml_text("note: " + note.get<std::string>()));
        if (one.result != CaseResult::kFailure) return;
        if (one.table) {
            if (const std::string words = concentration_words(part); !words.empty())
                line(xml_text("concentration: " + words));
            for (const std::string& words : column_count_words(part)) line(xml_text("column " + words));
        }
        write_divergences(one);
    }

    void write_divergences(const Case& one) {
        document_.for_each_divergence(one.table, [&](const Json& divergence) {
            std::string text = kind_words(divergence) + "  ";
            if (one.large_objects) {
                text += large_object_words(divergence);
            } else {
                const Json& table = head_.at("tables")[*one.table];
                text += key_words(table, divergence);
                std::string_view separator = "  ";
                for (const std::string& cell : cell_words(table, divergence)) {
                    text += separator;
                    text += cell;
                    separator = ", ";
                }
            }
            if (divergence.contains("against")) text += "  " + divergence["against"].get<std::string>();
            line(xml_text(text));
        });
        const Json& part = one.table ? head_.at("tables")[*one.table] : head_.at("large_objects");
        if (part.contains("not_listed"))
            line(fmt::format("{} more of {} not listed", grouped(number_of(part["not_listed"])),
                             grouped(differing_rows(part))));
    }

    const ReportDocument& document_;
    const Json& head_;
    Output& output_;
    std::vector<Case> cases_;
};

}  // namespace

void write_junit(const ReportDocument& document, Output& output) { JunitFormat(document, output).write(); }

}  // namespace parity::driver
