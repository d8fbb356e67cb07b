#include <optional>
#include <string>

#include <fmt/format.h>

#include "driver/report/document.h"
#include "driver/report/formats.h"
#include "driver/report/wording.h"
#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

class TextFormat {
  public:
    TextFormat(const ReportDocument& document, const ReportChoices& choices, Output& output)
        : document_(document), head_(document.head()), choices_(choices), output_(output) {}

    void write() {
        write_header();
        for (const Json& difference : head_.at("schema_differences")) write_difference(difference);
        const Json& tables = head_.at("tables");
        for (std::size_t i = 0; i < tables.size(); ++i)
            if (!tables[i].contains("not_compared")) write_table(tables[i], i);
        for (const Json& table : tables)
            if (table.contains("not_compared")) line(fmt::format("{}: {}", name_of(table), table_words(table)));
        if (head_.contains("large_objects")) write_large_objects(head_["large_objects"]);
        write_sequences();
        if (!head_.at("not_compared").empty()) line("not compared:");
        for (const Json& sentence : head_["not_compared"]) line("  " + sentence.get<std::string>());
        for (const std::string& error : run_errors(head_)) line("error: " + error);
        if (head_.contains("against"))
            for (const std::string& words : against_list(head_["against"], choices_.only_differences)) line(words);
        for (const Json& hint : head_.value("hints", Json::array())) line("hint: " + hint.get<std::string>());
        line("result: " + result_words(head_));
    }

  private:
    void line(const std::string& text) { output_.write_line(text); }

    void write_header() {
        line(fmt::format("pgparity {}: begun {}", head_.at("version").get<std::string>(),
                         head_.at("started_at").get<std::string>()));
        for (const char* side : {"source", "target"}) line(fmt::format("{}: {}", side, server_words(head_.at(side))));
        const std::string options = options_words(head_);
        line(fmt::format("{}seed {}", options.empty() ? "" : fmt::format("options: {}; ", options),
                         head_.at("seed").get<std::string>()));
        for (const std::string& words : continued_words(head_)) line(words);
        line({});
    }

    void write_difference(const Json& difference) {
        const std::string severity = difference.at("severity");
        const bool strict = head_.value("strict_schema", false);
        if (severity == "note" && !strict && choices_.quiet) return;
        const std::string prefix = severity == "note"         ? (strict ? "schema differs: " : "note: ")
                                   : severity == "divergence" ? "divergent: "
                                                              : "not compared: ";
        line(fmt::format("{}: {}{}", displayed(difference.at("object").get<std::string>()), prefix,
                         difference.at("message").get<std::string>()));
    }

    void write_table(const Json& table, std::size_t number) {
        if (hides(table)) return;
        line(fmt::format("{}: {}", name_of(table), table_words(table)));
        write_remarks(table);
        write_summary(table);
        if (choices_.quiet) return;
        document_.for_each_divergence(number, [&](const Json& divergence) {
            std::string text = fmt::format("  {:<17}  {}", kind_words(divergence), key_words(table, divergence));
            if (divergence.contains("against")) text += fmt::format("  {}", divergence["against"].get<std::string>());
            if (const std::uint64_t times = occurrences(divergence); times > 1)
                text += fmt::format("  {} times", grouped(times));
            std::string_view separator = "  ";
            for (const std::string& cell : cell_words(table, divergence)) {
                text += separator;
                text += cell;
                separator = ", ";
            }
            line(text);
        });
        write_not_listed(table);
    }

    static std::uint64_t occurrences(const Json& divergence) {
        return divergence.contains("occurrences") ? number_of(divergence["occurrences"]) : 1;
    }

    /// Nothing is hidden that was not compared, or of which somebody should know.
    bool hides(const Json& table) const {
        const bool plain = table.at("result") == "identical" && table.at("skipped").empty();
        return plain && (choices_.quiet || (choices_.only_differences && table.at("notes").empty()));
    }

    void write_remarks(const Json& table) {
        if (table.at("result") == "divergent" && table.contains("error"))
            line("  error: " + error_words(table, "error"));
        for (const Json& reason : table.at("skipped")) line("  not compared: " + reason.get<std::string>());
        if (choices_.quiet) return;
        for (const Json& note : table.at("notes")) line("  note: " + note.get<std::string>());
    }

    /// What is true of all that differs, whatever is listed.
    void write_summary(const Json& table) {
        if (const std::string words = concentration_words(table); !words.empty()) line("  concentration: " + words);
        if (choices_.quiet) return;
        for (const std::string& words : column_count_words(table)) line("  column " + words);
    }

    void write_not_listed(const Json& table) {
        if (!table.contains("not_listed")) return;
        const std::uint64_t more = number_of(table["not_listed"]);
        line(fmt::format("  … {} more of {} not listed (--max-divergences {})", grouped(more),
                         grouped(differing_rows(table)), head_.value("max_divergences", 0)));
    }

    void write_large_objects(const Json& large_objects) {
        if (hides(large_objects)) return;
        line("large objects: " + large_objects_words(large_objects));
        write_remarks(large_objects);
        if (choices_.quiet) return;
        document_.for_each_divergence(std::nullopt, [&](const Json& divergence) {
            line(fmt::format("  {:<17}  {}", kind_words(divergence), large_object_words(divergence)));
        });
        write_not_listed(large_objects);
    }

    void write_sequences() {
        std::uint64_t identical = 0, wal = 0, ahead = 0;
        for (const Json& sequence : head_.at("sequences")) {
            if (sequence.at("result") == "identical") {
                ++identical;
                wal += sequence.value("position", "") == "wal";
                ahead += sequence.value("position", "") == "ahead";
                continue;
            }
            line(fmt::format("sequence {}: {}, {}", name_of(sequence), sequence.at("result").get<std::string>(),
                             sequence.value("reason", "")));
            for (const Json& note : sequence.value("notes", Json::array())) line("  note: " + note.get<std::string>());
        }
        if (choices_.quiet || (choices_.only_differences && wal + ahead == 0)) return;
        if (identical > 0) line(counted(identical, "sequence", "sequences") + " identical");
        if (wal > 0)
            line(fmt::format("  note: {} of them a standby has as WAL has them, some values ahead", grouped(wal)));
        if (ahead > 0)
            line(fmt::format("  note: {} of them ahead on the target (--sequences-may-be-ahead)", grouped(ahead)));
    }

    const ReportDocument& document_;
    const Json& head_;
    const ReportChoices& choices_;
    Output& output_;
};

}  // namespace

void write_text(const ReportDocument& document, const ReportChoices& choices, Output& output) {
    TextFormat(document, choices, output).write();
}

}  // namespace parity::driver
