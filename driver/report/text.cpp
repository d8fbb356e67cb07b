#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>

#include "driver/report/document.h"
#include "driver/report/formats.h"
#include "driver/report/parts.h"
#include "driver/report/wording.h"
#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

class TextFormat : public ReportParts {
  public:
    TextFormat(const ReportChoices& choices, Output& output) : choices_(choices), output_(output) {}

    void begin(const Json& head) override {
        strict_schema_ = head.value("strict_schema", false);
        max_divergences_ = head.value("max_divergences", std::int64_t{0});
        write_header(head);
        for (const Json& difference : head.at("schema_differences")) write_difference(difference);
    }

    void table(const Json& table, const ForEachDivergence& for_each_divergence) override {
        const std::string name = name_of(table);
        const bool again = told_.contains(name);
        if (hides(table) && !again) return;
        told_.insert(name);
        line(fmt::format("{}: {}", name, table_words(table)));
        if (again) line("  this replaces what was said of it above");
        write_remarks(table);
        write_summary(table);
        if (choices_.quiet) return;
        for_each_divergence([&](const Json& divergence) { write_divergence(table, divergence); });
        write_not_listed(table);
    }

    void end(const ReportDocument& document, const WrittenParts& written) override {
        const Json& head = document.head();
        const Json& differences = head.at("schema_differences");
        for (std::size_t i = written.differences; i < differences.size(); ++i) write_difference(differences[i]);
        write_tables(*this, document, written);
        for (const Json& table : head.at("tables"))
            if (table.contains("not_compared")) line(fmt::format("{}: {}", name_of(table), table_words(table)));
        if (head.contains("large_objects")) write_large_objects(document, head["large_objects"]);
        write_sequences(head);
        for (const std::string& words : failover_words(head)) line(words);
        if (!head.at("not_compared").empty()) line("not compared:");
        for (const Json& sentence : head["not_compared"]) line("  " + sentence.get<std::string>());
        for (const std::string& error : run_errors(head)) line("error: " + error);
        if (head.contains("against"))
            for (const std::string& words : against_list(head["against"], choices_.only_differences)) line(words);
        for (const Json& hint : head.value("hints", Json::array())) line("hint: " + hint.get<std::string>());
        line("result: " + result_words(head));
    }

  private:
    void line(const std::string& text) { output_.write_line(text); }

    void write_header(const Json& head) {
        line(fmt::format("pgparity {}: begun {}", head.at("version").get<std::string>(),
                         head.at("started_at").get<std::string>()));
        for (const char* side : {"source", "target"}) line(fmt::format("{}: {}", side, server_words(head.at(side))));
        const std::string options = options_words(head);
        line(fmt::format("{}seed {}", options.empty() ? "" : fmt::format("options: {}; ", options),
                         head.at("seed").get<std::string>()));
        for (const std::string& words : continued_words(head)) line(words);
        line({});
    }

    void write_difference(const Json& difference) {
        const std::string severity = difference.at("severity");
        if (severity == "note" && !strict_schema_ && choices_.quiet) return;
        const std::string prefix = severity == "note"         ? (strict_schema_ ? "schema differs: " : "note: ")
                                   : severity == "divergence" ? "divergent: "
                                                              : "not compared: ";
        line(fmt::format("{}: {}{}", displayed(difference.at("object").get<std::string>()), prefix,
                         difference.at("message").get<std::string>()));
    }

    void write_divergence(const Json& table, const Json& divergence) {
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
                         grouped(differing_rows(table)), max_divergences_));
    }

    void write_large_objects(const ReportDocument& document, const Json& large_objects) {
        if (hides(large_objects)) return;
        line("large objects: " + large_objects_words(large_objects));
        write_remarks(large_objects);
        if (choices_.quiet) return;
        document.for_each_divergence(std::nullopt, [&](const Json& divergence) {
            line(fmt::format("  {:<17}  {}", kind_words(divergence), large_object_words(divergence)));
        });
        write_not_listed(large_objects);
    }

    void write_sequences(const Json& head) {
        std::uint64_t identical = 0, wal = 0, ahead = 0;
        for (const Json& sequence : head.at("sequences")) {
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

    std::set<std::string> told_;  ///< the tables that were written
    const ReportChoices& choices_;
    Output& output_;
    bool strict_schema_ = false;
    std::int64_t max_divergences_ = 0;
};

}  // namespace

void write_text(const ReportDocument& document, const ReportChoices& choices, Output& output) {
    TextFormat parts(choices, output);
    write_parts(parts, document);
}

std::unique_ptr<ReportParts> make_text_parts(const ReportChoices& choices, Output& output) {
    return std::make_unique<TextFormat>(choices, output);
}

}  // namespace parity::driver
