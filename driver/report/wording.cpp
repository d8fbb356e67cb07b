#include "driver/report/wording.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "core/form.h"
#include "driver/model/sides.h"
#include "driver/text/display_name.h"
#include "driver/text/show.h"

namespace parity::driver {
namespace {

/// Members that a document need not have.
std::string text_of(const Json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// A list that a document need not have.
const Json& list_at(const Json& object, const char* member) {
    static const Json kNone = Json::array();
    const auto found = object.find(member);
    return found != object.end() && found->is_array() ? *found : kNone;
}

/// How many rows, or large objects, differ in which way; a document need not have that.
const Json& counts_of(const Json& table) {
    static const Json kNone = Json::object();
    const auto found = table.find("counts");
    return found != table.end() && found->is_object() ? *found : kNone;
}

std::uint64_t number_at(const Json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() ? number_of(*found) : 0;
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
    std::string all;
    for (const std::string& text : texts) {
        if (!all.empty()) all += separator;
        all += text;
    }
    return all;
}

int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/// Of what is no hexadecimal text, the text.
std::string unhexed(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        const int high = hex_value(hex[i]), low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0) return hex;
        bytes.push_back(static_cast<char>(high << 4 | low));
    }
    return bytes;
}

std::string plain_text(const Json& json) {
    if (json.is_string()) return json.get<std::string>();
    return json.is_object() ? unhexed(text_of(json, "bytes")) : json.dump();
}

core::Form form_of(const std::string& name) { return core::form_by_name(name).value_or(core::Form::kText); }

/// What a table says of its columns, by their names.
class Columns {
  public:
    explicit Columns(const Json& table) {
        const Json &key = list_at(table, "key"), &forms = list_at(table, "key_forms");
        for (std::size_t i = 0; i < key.size() && i < forms.size(); ++i)
            forms_[key[i].get<std::string>()] = form_of(forms[i].get<std::string>());
        for (const Json& entry : list_at(table, "columns")) {
            const std::string name = text_of(entry, "name");
            forms_[name] = form_of(text_of(entry, "form"));
            if (entry.contains("types"))
                types_[name] = {text_of(entry["types"], "source"), text_of(entry["types"], "target")};
        }
    }

    std::string shown(const std::string& column, const Json& value) const {
        return show_value(form(column), value_of(value));
    }

    /// "1.00 | 2.00"; with the types where the texts are the same and these are not.
    std::string cell(const std::string& column, const Json& source, const Json& target) const {
        Both<std::string> values = show_values(form(column), {value_of(source), value_of(target)});
        const auto types = types_.find(column);
        if (values.source == values.target && types != types_.end() && types->second.source != types->second.target)
            for (Side side : kSides) values[side] += " " + types->second[side];
        return values.source + " | " + values.target;
    }

  private:
    core::Form form(const std::string& column) const {
        const auto found = forms_.find(column);
        return found == forms_.end() ? core::Form::kText : found->second;
    }

    std::unordered_map<std::string, core::Form> forms_;
    std::unordered_map<std::string, Both<std::string>> types_;
};

/// "5 rows", or what each side has.
std::string both_words(const Json& both, std::string_view one, std::string_view many) {
    const std::uint64_t source = number_at(both, "source"), target = number_at(both, "target");
    if (source == target) return counted(source, one, many);
    return fmt::format("{} on source, {} on target", counted(source, one, many), grouped(target));
}

/// "all 200 mismatches", "99.9 % of 12,000 mismatches". A share below all is never rounded up to it.
std::string share_words(std::uint64_t number, std::uint64_t of, std::string_view what) {
    if (number == of) return fmt::format("all {} {}", grouped(of), what);
    const double percent = std::floor(1000.0 * static_cast<double>(number) / static_cast<double>(of)) / 10;
    return fmt::format("{:.1f} % of {} {}", percent, grouped(of), what);
}

/// "id 1000 … 52000", or "(shop, id) (1, 5) … (1, 70)".
std::string interval_words(const Json& table, const Json& interval) {
    const Columns columns_of(table);
    const auto values = [&](const char* end) {
        std::vector<std::string> texts;
        for (const auto& [name, value] : interval.at(end).items()) texts.push_back(columns_of.shown(name, value));
        return texts.size() == 1 ? texts[0] : "(" + joined(texts, ", ") + ")";
    };
    std::vector<std::string> names;
    for (const auto& [name, value] : interval.at("first").items()) names.push_back(column_name(name));
    const std::string columns = names.size() == 1 ? names[0] : "(" + joined(names, ", ") + ")";
    return fmt::format("{} {} … {}", columns, values("first"), values("last"));
}

std::string divergent_columns(const Json& table) {
    std::vector<std::string> names;
    for (const Json& column : table.at("columns"))
        if (column.value("divergent", false)) names.push_back(column_name(text_of(column, "name")));
    if (names.empty()) return {};
    return fmt::format(" ({} {})", names.size() == 1 ? "column" : "columns", joined(names, ", "));
}

void add_missing(std::vector<std::string>& parts, const Json& counts) {
    if (const std::uint64_t number = number_at(counts, "missing_on_target"))
        parts.push_back(grouped(number) + " missing on target");
    if (const std::uint64_t number = number_at(counts, "missing_on_source"))
        parts.push_back(grouped(number) + " missing on source");
}

std::string counts_words(const Json& table) {
    if (differing_rows(table) == 0) return "which rows differ was not found out";
    std::vector<std::string> parts;
    const Json& counts = counts_of(table);
    if (const std::uint64_t number = number_at(counts, "mismatch"))
        parts.push_back(counted(number, "mismatch", "mismatches") + divergent_columns(table));
    add_missing(parts, counts);
    return joined(parts, ", ");
}

/// "2 tables and 1 sequence only on source", for each side.
void add_lone_objects(std::vector<std::string>& parts, const Json& differences) {
    for (const char* side : {"source", "target"}) {
        std::vector<std::string> kinds;
        for (const char* kind : {"table", "column", "sequence"}) {
            std::uint64_t number = 0;
            for (const Json& difference : differences)
                number += text_of(difference, "kind") == kind && text_of(difference, "only_on") == side;
            if (number > 0) kinds.push_back(counted(number, kind, std::string(kind) + "s"));
        }
        if (!kinds.empty()) parts.push_back(fmt::format("{} only on {}", joined(kinds, " and "), side));
    }
}

/// Of a run without tables, " and 2 sequences": it must not look as if nothing had been compared.
std::string compared_sequences(const Json& sequences) {
    const auto compared = std::count_if(sequences.begin(), sequences.end(), [](const Json& sequence) {
        return sequence.at("result") == "identical" || sequence.at("result") == "divergent";
    });
    if (compared == 0) return {};
    return " and " + counted(static_cast<std::uint64_t>(compared), "sequence", "sequences");
}

/// What is not identical of the sequences, by their results.
void add_sequences(std::vector<std::string>& parts, const Json& sequences) {
    std::uint64_t divergent = 0, incomplete = 0;
    for (const Json& sequence : sequences) {
        divergent += sequence.at("result") == "divergent";
        incomplete += sequence.at("result") != "divergent" && sequence.at("result") != "identical";
    }
    if (divergent > 0) parts.push_back(counted(divergent, "divergent sequence", "divergent sequences"));
    if (incomplete > 0) parts.push_back(counted(incomplete, "sequence", "sequences") + " not compared");
}

std::string failed_words(const std::string& result) { return result == "error" ? "failed" : result; }

std::string incomplete_words(const Json& head) {
    const std::string ended_by = text_of(head, "ended_by");
    if (ended_by == "run-time" || ended_by == "fail-above") return ", ended by --" + ended_by;
    if (head.value("interrupted", false)) return ", interrupted";
    return head.value("incomplete", false) && head.at("result") == "divergent" ? " and incomplete" : "";
}

/// "1 unreadable row and 2 unreadable blocks"; an empty text where everything could be read.
std::string unreadable_words(const Json& table) {
    std::set<std::string> rows;
    std::uint64_t blocks = 0, ranges = 0;
    for (const Json& letter : list_at(table, "dead_letters")) {
        if (letter.contains("keys"))
            ++ranges;
        else if (!letter.contains("line"))
            ++blocks;
        else
            rows.insert(fmt::format("{} {} {} {}", text_of(letter, "side"), text_of(letter, "relation"),
                                    letter.value("block", 0), letter.value("line", 0)));
    }
    std::vector<std::string> parts;
    if (!rows.empty()) parts.push_back(counted(rows.size(), "unreadable row", "unreadable rows"));
    if (blocks > 0) parts.push_back(counted(blocks, "unreadable block", "unreadable blocks"));
    if (ranges > 0) parts.push_back(counted(ranges, "unreadable range of keys", "unreadable ranges of keys"));
    return joined(parts, " and ");
}

/// ", 3 rows of source unresolved"; an empty text for none.
std::string unresolved_words(const Json& table) {
    std::string words;
    for (const auto& [member, side] : {std::pair{"unresolved_on_target", "source"}, {"unresolved_on_source", "target"}})
        if (const std::uint64_t number = number_at(counts_of(table), member))
            words += fmt::format(", {} of {} unresolved", counted(number, "row", "rows"), side);
    return words;
}

/// How many rows differed then or now, of a table beside an older report.
std::uint64_t changed_rows(const Json& table) {
    return number_at(table, "gone") + number_at(table, "new") + number_at(table, "persisting");
}

}  // namespace

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
    return digits;
}

std::string counted(std::uint64_t number, std::string_view one, std::string_view many) {
    return grouped(number) + " " + std::string(number == 1 ? one : many);
}

std::uint64_t number_of(const Json& json) {
    if (json.is_number_unsigned()) return json.get<std::uint64_t>();
    std::uint64_t number = 0;
    if (!json.is_string()) return number;
    const auto& text = json.get_ref<const std::string&>();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

std::string name_of(const Json& object) {
    const std::string source = text_of(object, "source"), target = text_of(object, "target");
    if (source.empty() || target.empty() || source == target) return displayed(source.empty() ? target : source);
    return displayed(source) + " → " + displayed(target);
}

std::uint64_t differing_rows(const Json& table) {
    const Json& counts = counts_of(table);
    return number_at(counts, "mismatch") + number_at(counts, "missing_on_target") +
           number_at(counts, "missing_on_source");
}

std::string column_name(const std::string& bare) { return bare.starts_with("E\"") ? bare : display_name(bare); }

std::optional<ShownValue> value_of(const Json& json) {
    if (json.is_null()) return std::nullopt;
    if (json.is_object() && json.contains("beginning"))
        return ShownValue(plain_text(json["beginning"]), json.value("length", std::uint64_t{0}));
    return ShownValue(plain_text(json));
}

std::string kind_words(const Json& divergence) {
    std::string words = text_of(divergence, "kind");
    std::replace(words.begin(), words.end(), '_', ' ');
    return words;
}

std::string key_words(const Json& table, const Json& divergence) {
    if (divergence.contains("row_hash")) return "row hash " + text_of(divergence, "row_hash");
    const auto row = divergence.find(divergence.contains("key") ? "key" : "row");
    const Columns columns(table);
    std::vector<std::string> names, values;
    if (row != divergence.end())
        for (const auto& [name, value] : row->items()) {
            names.push_back(column_name(name));
            values.push_back(columns.shown(name, value));
        }
    return fmt::format("({})=({})", joined(names, ", "), joined(values, ", "));
}

std::vector<std::string> cell_words(const Json& table, const Json& divergence) {
    std::vector<std::string> cells;
    const auto source = members_of(divergence, "source"), target = members_of(divergence, "target");
    const Columns columns(table);
    for (const Json& column : list_at(divergence, "columns")) {
        const std::string name = column.get<std::string>();
        const auto one = source.find(name), other = target.find(name);
        std::string words = column_name(name);
        if (one != source.end() && other != target.end())
            words += ": " + columns.cell(name, *one->second, *other->second);
        cells.push_back(std::move(words));
    }
    return cells;
}

std::vector<std::string> column_count_words(const Json& table) {
    std::vector<std::string> lines;
    constexpr std::uint64_t kFewestMismatches = 10;  // fewer are read as quickly in the list
    if (number_at(counts_of(table), "mismatch") < kFewestMismatches) return lines;
    for (const Json& column : list_at(table, "columns")) {
        const std::uint64_t differing = number_at(column, "differing");
        if (differing == 0) continue;
        std::vector<std::string> nulls;
        if (const std::uint64_t number = number_at(column, "null_to_value"))
            nulls.push_back(grouped(number) + " NULL → value");
        if (const std::uint64_t number = number_at(column, "value_to_null"))
            nulls.push_back(grouped(number) + " value → NULL");
        lines.push_back(fmt::format("{}: {} of {} {}{}{}", column_name(text_of(column, "name")), grouped(differing),
                                    counted(number_at(column, "compared"), "row", "rows"),
                                    differing == 1 ? "differs" : "differ", nulls.empty() ? "" : "; ",
                                    joined(nulls, ", ")));
    }
    return lines;
}

std::string concentration_words(const Json& table) {
    const auto found = table.find("concentration");
    if (found == table.end()) return {};
    std::vector<std::string> parts;
    if (found->contains("key")) {
        const Json& key = (*found)["key"];
        const std::uint64_t of = number_at(key, "of");
        parts.push_back(
            fmt::format("{} in {}, {} of {}", share_words(number_at(key, "rows"), of, "differing rows"),
                        interval_words(table, key), grouped(number_at(key, "ranges")),
                        counted(number_at(table.value("ranges", Json::object()), "compared"), "range", "ranges")));
    }
    if (found->contains("columns")) {
        const Json& columns = (*found)["columns"];
        std::vector<std::string> names;
        for (const Json& name : list_at(columns, "names")) names.push_back(column_name(name.get<std::string>()));
        parts.push_back(fmt::format(
            "{} in {} alone", share_words(number_at(columns, "mismatches"), number_at(columns, "of"), "mismatches"),
            joined(names, ", ")));
    }
    if (found->contains("partition")) {
        const Json& partition = (*found)["partition"];
        parts.push_back(
            fmt::format("{} of {} in its partition {}{}",
                        share_words(number_at(partition, "rows"), number_at(partition, "of"), "differing rows"),
                        text_of(partition, "side"), displayed(text_of(partition, "name")),
                        partition.value("sampled", false) ? " (a sample of those that differ)" : ""));
    }
    return joined(parts, "; ");
}

namespace {

/// As of when the spans are claimed, of a table that is claimed so: "; 40 spans, each as of its own pair of snapshots,
/// 2026-01-31T02:10:00Z … 2026-01-31T05:40:00Z".
std::string spans_words(const Json& table) {
    if (text_of(table, "claim") != "spans") return {};
    const std::size_t done = list_at(table, "spans").size();
    const std::uint64_t planned = number_at(table, "spans_planned");
    const std::string spans = done == planned ? counted(planned, "span", "spans")
                                              : fmt::format("{} of {} spans", grouped(done), grouped(planned));
    return fmt::format("; {}, each as of its own pair of snapshots, {} … {}", spans, text_of(table, "as_of"),
                       text_of(table, "as_of_last"));
}

}  // namespace

std::string table_words(const Json& table) {
    const std::string result = text_of(table, "result");
    if (table.contains("not_compared")) return "not compared: " + text_of(table, "not_compared");
    if (result == "error") return "error: " + error_words(table, "error");
    const std::string rows = table.contains("rows") ? both_words(table["rows"], "row", "rows") : "no rows read";
    if (result == "identical") return "identical, " + rows + spans_words(table);
    const std::string unreadable = unreadable_words(table);
    const bool only_unreadable = list_at(table, "skipped").size() == list_at(table, "dead_letters").size();
    if (result == "incomplete")
        return fmt::format("incomplete, {}{}; {}{}{}", rows, spans_words(table),
                           only_unreadable && !unreadable.empty() ? "identical" : "equal as far as compared",
                           unreadable.empty() ? "" : " but for " + unreadable, unresolved_words(table));
    const Json ranges = table.value("ranges", Json::object());
    return fmt::format("divergent, {} of {}; {}{}{}{}", grouped(number_at(ranges, "divergent")),
                       counted(number_at(ranges, "compared"), "range", "ranges"), counts_words(table),
                       unreadable.empty() ? "" : "; " + unreadable, unresolved_words(table), spans_words(table));
}

std::string large_objects_words(const Json& large_objects) {
    const std::string result = text_of(large_objects, "result");
    if (result == "error") return "error: " + error_words(large_objects, "error");
    const std::string objects =
        both_words(large_objects.value("objects", Json::object()), "large object", "large objects");
    if (result == "identical") return "identical, " + objects;
    if (result == "incomplete") return fmt::format("incomplete, {}: equal in number, contents not read", objects);
    std::vector<std::string> parts;
    const Json& counts = counts_of(large_objects);
    if (const std::uint64_t number = number_at(counts, "mismatch"))
        parts.push_back(grouped(number) + " with other contents");
    add_missing(parts, counts);
    return fmt::format("divergent, {}; {}", objects,
                       parts.empty() ? "which of them differ was not found out" : joined(parts, ", "));
}

std::string large_object_words(const Json& divergence) {
    std::string words = text_of(divergence, "oid");
    if (!divergence.contains("length")) return words;
    const Json& length = divergence["length"];
    const std::string source = text_of(length, "source"), target = text_of(length, "target");
    const std::string first = text_of(divergence, "first_difference");
    return words + (source == target
                        ? fmt::format("  from byte {} on, of {}", first, source)
                        : fmt::format("  from byte {} on; {} bytes on source, {} on target", first, source, target));
}

std::string error_words(const Json& object, const char* member) {
    const std::string state = text_of(object, "sqlstate");
    return text_of(object, member) + (state.empty() ? "" : fmt::format(" (SQLSTATE {})", state));
}

std::vector<std::string> run_errors(const Json& head) {
    std::vector<std::string> errors;
    for (const Json& error : list_at(head, "errors"))
        if (!error.contains("table")) errors.push_back(error_words(error, "message"));
    for (const char* kept : {"record", "state"})
        if (head.contains(kept) && head[kept].contains("error")) errors.push_back(text_of(head[kept], "error"));
    return errors;
}

std::vector<std::string> continued_words(const Json& head) {
    const Json& state = head.contains("state") ? head["state"] : Json::object();
    const std::uint64_t times = state.value("continued", 0);
    if (times == 0) return {};
    std::vector<std::string> lines{fmt::format("continued {}; {} from before not compared again",
                                               times == 1 ? "once" : fmt::format("{} times", times),
                                               counted(state.value("tables_kept", 0), "table", "tables"))};
    for (const Json& table : list_at(state, "compared_again"))
        lines.push_back(fmt::format("{}: compared again: {}", name_of(table), text_of(table, "reason")));
    return lines;
}

std::vector<std::string> failover_words(const Json& head) {
    if (!head.contains("failover")) return {};
    std::vector<std::string> lines;
    for (const Json& server : list_at(head["failover"], "servers"))
        lines.push_back(fmt::format("{}: another server since {}: {}; before: {}", text_of(server, "side"),
                                    text_of(server, "at"), text_of(server, "after"), text_of(server, "before")));
    for (const Json& table : list_at(head["failover"], "compared_again"))
        lines.push_back(fmt::format("{}: compared again: {}", name_of(table), text_of(table, "reason")));
    return lines;
}

std::string against_words(const Json& table) {
    const auto total = [&](const char* member) -> std::string {
        if (!table.contains(member)) return "not compared";
        std::uint64_t rows = 0;
        for (const auto& [kind, number] : table[member].items()) rows += number_of(number);
        return grouped(rows);
    };
    if (table.contains("unknown"))
        return fmt::format("unknown: {}; differing rows then: {}, now: {}", text_of(table, "unknown"),
                           total("older_counts"), total("counts"));
    if (changed_rows(table) == 0) return "nothing differed then or now";
    return fmt::format("{} gone, {} new, {} persisting", grouped(number_at(table, "gone")),
                       grouped(number_at(table, "new")), grouped(number_at(table, "persisting")));
}

std::string against_title(const Json& against) {
    std::string title = "against the report of " + text_of(against, "started_at");
    for (const Json& side : list_at(against, "other_databases"))
        title += fmt::format(", whose {} was another database", side.get<std::string>());
    return title;
}

std::vector<std::string> against_list(const Json& against, bool only_differences) {
    std::vector<std::string> lines{against_title(against) + ":"};
    for (const Json& table : against.at("tables"))
        if (!only_differences || table.contains("unknown") || changed_rows(table) > 0)
            lines.push_back(fmt::format("  {}: {}", name_of(table), against_words(table)));
    return lines;
}

std::string result_words(const Json& head) {
    std::uint64_t tables = 0, divergent = 0, incomplete = 0, failed = 0, not_compared = 0, differing = 0;
    std::uint64_t not_located = 0, never_begun = 0;
    for (const Json& table : head.at("tables")) {
        if (table.contains("not_compared")) {
            ++not_compared;
            continue;
        }
        const std::string result = text_of(table, "result");
        ++tables;
        divergent += result == "divergent";
        incomplete += result == "incomplete";
        const bool begun = !table.value("never_begun", false);
        failed += result == "error" && begun;
        never_begun += !begun;
        differing += differing_rows(table);
        not_located += result == "divergent" && differing_rows(table) == 0;
    }
    std::string compared = counted(tables - failed - never_begun, "table", "tables");
    if (tables + not_compared == 0) compared += compared_sequences(head.at("sequences"));
    std::vector<std::string> parts{compared + " compared"};
    if (divergent > 0) parts.push_back(grouped(divergent) + " divergent");
    if (incomplete > 0) parts.push_back(grouped(incomplete) + " incomplete");
    if (failed > 0) parts.push_back(grouped(failed) + " failed");
    if (never_begun > 0) parts.push_back(grouped(never_begun) + " never begun");
    if (not_compared > 0) parts.push_back(grouped(not_compared) + " not compared");
    if (head.contains("large_objects"))
        parts.push_back("large objects " + failed_words(text_of(head["large_objects"], "result")));
    std::vector<std::string> reasons{counted(differing, "differing row", "differing rows")};
    if (not_located > 0)
        reasons.push_back(fmt::format("differing rows of {} not located", counted(not_located, "table", "tables")));
    add_lone_objects(reasons, head.at("schema_differences"));
    add_sequences(reasons, head.at("sequences"));
    return fmt::format("{}{}: {}; {}; {:.1f} s", text_of(head, "result"), incomplete_words(head), joined(parts, ", "),
                       joined(reasons, ", "), head.value("elapsed_seconds", 0.0));
}

std::string server_words(const Json& server) {
    std::string where = display_name(plain_text(server.value("database", Json(""))));
    if (const std::string host = text_of(server, "host"); !host.empty())
        where += fmt::format(" on {}:{}", host, text_of(server, "port"));
    if (server.contains("role")) where += " as " + display_name(plain_text(server["role"]));
    std::string words =
        fmt::format("{}: PostgreSQL {}, {}, {}", where, text_of(server, "server_version"), text_of(server, "encoding"),
                    server.value("in_recovery", false) ? "standby" : "primary");
    if (const std::string lsn = text_of(server, "lsn"); !lsn.empty()) words += ", at " + lsn;
    const std::string extension = text_of(server, "extension_version");
    return words + (extension.empty() ? ", without pg_parity" : ", pg_parity " + extension);
}

std::string options_words(const Json& head) {
    std::vector<std::string> words;
    const Json options = head.value("options", Json::object());
    for (const auto& [name, values] : options.items()) {
        if (values.empty()) words.push_back("--" + name);
        for (const Json& value : values) words.push_back(fmt::format("--{} {}", name, plain_text(value)));
    }
    return joined(words, " ");
}

}  // namespace parity::driver
