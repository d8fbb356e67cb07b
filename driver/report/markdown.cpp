#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "driver/report/document.h"
#include "driver/report/formats.h"
#include "driver/report/wording.h"
#include "driver/text/display_name.h"
#include "driver/text/printable.h"

namespace parity::driver {
namespace {

/// Whether a character means something to Markdown behind these ones, which begin a text: `-`, `+` and a number with a
/// dot make lists at the begin only.
bool is_mark(char c, std::string_view before) {
    if (std::string_view("\\`*_[]|~@$#").find(c) != std::string_view::npos) return true;
    if (before.empty()) return c == '-' || c == '+' || c == '=';
    return (c == '.' || c == ')') && before.find_first_not_of("0123456789") == std::string_view::npos;
}

/// A text that Markdown shows as it is, in a cell of a table, too.
std::string markdown_text(const std::string& text) {
    std::string safe;
    for (char c : printable(text)) {
        if (c == '&')
            safe += "&amp;";
        else if (c == '<')
            safe += "&lt;";
        else if (c == '>')
            safe += "&gt;";
        else if (is_mark(c, safe))
            (safe += '\\') += c;
        else
            safe += c;
    }
    return safe;
}

class MarkdownFormat {
  public:
    MarkdownFormat(const ReportDocument& document, const ReportChoices& choices, Output& output)
        : document_(document), head_(document.head()), choices_(choices), output_(output) {}

    void write() {
        line("# pgparity: " + markdown_text(head_.at("result").get<std::string>()));
        line("");
        line(markdown_text(result_words(head_)));
        line("");
        row({"", "source", "target"});
        row({"---", "---", "---"}, false);
        row({"server", server_words(head_.at("source")), server_words(head_.at("target"))});
        line("");
        line(markdown_text(fmt::format("begun {}, seed {}, options: {}", head_.at("started_at").get<std::string>(),
                                       head_.at("seed").get<std::string>(), options_words(head_))));
        for (const std::string& words : continued_words(head_)) {
            line("");
            line(markdown_text(words));
        }
        for (const std::string& words : failover_words(head_)) {
            line("");
            line(markdown_text(words));
        }
        write_overview();
        if (!choices_.quiet) write_divergences();
        write_list("Not compared", head_.at("not_compared"));
        write_list("Errors", run_errors(head_));
        write_against();
        write_list("Hints", head_.value("hints", Json::array()));
    }

  private:
    void line(const std::string& text) { output_.write_line(text); }

    void row(const std::vector<std::string>& cells, bool escapes = true) {
        std::string text = "|";
        for (const std::string& cell : cells) text += " " + (escapes ? markdown_text(cell) : cell) + " |";
        line(text);
    }

    void begin_table(const std::string& title, const std::vector<std::string>& columns) {
        line("");
        line("## " + title);
        line("");
        row(columns);
        row(std::vector<std::string>(columns.size(), "---"), false);
    }

    bool hides(const Json& part) const {
        const bool plain = part.at("result") == "identical" && part.value("skipped", Json::array()).empty();
        return plain && (choices_.quiet || (choices_.only_differences && part.value("notes", Json::array()).empty()));
    }

    void write_overview() {
        begin_table("Overview", {"what", "result", "remarks"});
        for (const Json& difference : head_.at("schema_differences"))
            if (!choices_.quiet || difference.at("severity") != "note" || head_.value("strict_schema", false))
                row({displayed(difference.at("object").get<std::string>()),
                     difference.at("severity").get<std::string>(), difference.at("message").get<std::string>()});
        for (const Json& table : head_.at("tables"))
            if (!hides(table)) row({name_of(table), table_words(table), remarks(table)});
        if (head_.contains("large_objects") && !hides(head_["large_objects"]))
            row({"large objects", large_objects_words(head_["large_objects"]), remarks(head_["large_objects"])});
        for (const Json& sequence : head_.at("sequences"))
            if (!hides(sequence))
                row({"sequence " + name_of(sequence), sequence.at("result").get<std::string>(),
                     sequence.value("reason", "")});
    }

    std::string remarks(const Json& table) const {
        std::string all;
        const auto add = [&](const std::string& text) { all += (all.empty() ? "" : "; ") + text; };
        if (table.at("result") == "divergent" && table.contains("error"))
            add("error: " + table["error"].get<std::string>());
        if (!table.contains("not_compared"))
            for (const Json& reason : table.at("skipped")) add("not compared: " + reason.get<std::string>());
        if (!choices_.quiet)
            for (const Json& note : table.at("notes")) add("note: " + note.get<std::string>());
        if (const std::string words = concentration_words(table); !words.empty()) add("concentration: " + words);
        if (!choices_.quiet)
            for (const std::string& words : column_count_words(table)) add("column " + words);
        return all;
    }

    void write_divergences() {
        const Json& tables = head_.at("tables");
        for (std::size_t i = 0; i < tables.size(); ++i) {
            bool begun = false;
            document_.for_each_divergence(i, [&](const Json& divergence) {
                if (!begun) begin_table(markdown_text(name_of(tables[i])), {"kind", "key", "source | target"});
                begun = true;
                write_divergence(tables[i], divergence);
            });
            write_not_listed(tables[i], "row", "rows");
        }
        bool begun = false;
        document_.for_each_divergence(std::nullopt, [&](const Json& divergence) {
            if (!begun) begin_table("large objects", {"kind", "object"});
            begun = true;
            row({kind_words(divergence), large_object_words(divergence)});
        });
        if (head_.contains("large_objects")) write_not_listed(head_["large_objects"], "large object", "large objects");
    }

    void write_not_listed(const Json& part, std::string_view one, std::string_view many) {
        if (!part.contains("not_listed")) return;
        line("");
        line(markdown_text(fmt::format("{} more of {} not listed", grouped(number_of(part["not_listed"])),
                                       counted(differing_rows(part), one, many))));
    }

    void write_divergence(const Json& table, const Json& divergence) {
        std::string cells;
        for (const std::string& cell : cell_words(table, divergence)) cells += (cells.empty() ? "" : ", ") + cell;
        if (divergence.contains("occurrences")) cells = counted(number_of(divergence["occurrences"]), "time", "times");
        std::string kind = kind_words(divergence);
        if (divergence.contains("against")) kind += ", " + divergence["against"].get<std::string>();
        row({kind, key_words(table, divergence), cells});
    }

    static std::string number_text(const Json& number) { return grouped(number_of(number)); }

    void write_list(const std::string& title, const Json& texts) {
        if (texts.empty()) return;
        line("");
        line("## " + title);
        line("");
        for (const Json& text : texts) line("- " + markdown_text(text.get<std::string>()));
    }

    void write_against() {
        if (!head_.contains("against")) return;
        std::vector<std::string> lines = against_list(head_["against"], choices_.only_differences);
        lines.front().pop_back();  // a title has no colon
        write_list("Beside an older report: " + markdown_text(lines.front()),
                   std::vector<std::string>(lines.begin() + 1, lines.end()));
    }

    const ReportDocument& document_;
    const Json& head_;
    const ReportChoices& choices_;
    Output& output_;
};

}  // namespace

void write_markdown(const ReportDocument& document, const ReportChoices& choices, Output& output) {
    MarkdownFormat(document, choices, output).write();
}

}  // namespace parity::driver
