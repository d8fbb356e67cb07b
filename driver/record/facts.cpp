#include "driver/record/facts.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "driver/report/outcome.h"
#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

std::size_t colon_outside_quotes(std::string_view sentence) {
    bool quoted = false;
    for (std::size_t i = 0; i < sentence.size(); ++i) {
        if (sentence[i] == '"') quoted = !quoted;
        if (!quoted && sentence.substr(i, 2) == ": ") return i;
    }
    return std::string::npos;
}

/// "column doc: type tsvector is not comparable" as what and why.
Json left_out(const std::string& sentence) {
    const std::size_t colon = colon_outside_quotes(sentence);
    if (colon == std::string::npos) return {{"what", "table"}, {"reason", clean(sentence)}};
    return {{"what", clean(sentence.substr(0, colon))}, {"reason", clean(sentence.substr(colon + 2))}};
}

/// SQL's bigint and integer.
Json signed_number(std::uint64_t number) { return static_cast<std::int64_t>(number); }

std::string joined(const std::vector<std::string>& sentences) { return fmt::format("{}", fmt::join(sentences, "; ")); }

/// The columns of one parity.run_table row and its status, bit by bit.
class TableFacts {
  public:
    TableFacts(const TableResult& result, const Options& options) : result_(result), options_(options) {}

    Json json() {
        if (!result_.path.source.empty() || result_.error.empty()) add_counts();
        add_names();
        Json facts = std::move(facts_);
        facts["not_compared"] = not_compared_;
        facts["details"] = details_;
        if (!result_.sqlstate.empty()) facts["sqlstate"] = result_.sqlstate;
        if (!messages_.empty()) facts["message"] = clean(joined(messages_));
        return facts;
    }

    void add_message(const std::string& message) { messages_.push_back(message); }
    void add_schema_difference(const SchemaDifference& difference) {
        details_["schema"].push_back({{"object", clean(difference.object)}, {"message", clean(difference.message)}});
    }

  private:
    void add_counts() {
        facts_["source_rows"] = signed_number(result_.rows.source);
        facts_["target_rows"] = signed_number(result_.rows.target);
        facts_["ranges"] = signed_number(result_.ranges_compared);
        facts_["divergent_ranges"] = signed_number(result_.ranges_divergent);
        facts_["divergent_rows"] = signed_number(result_.counts.total());
        facts_["unnamed_ranges"] = signed_number(result_.counts.total() == 0 ? result_.ranges_divergent : 0);
        if (!result_.lsn.source.empty()) facts_["source_lsn"] = result_.lsn.source;
        if (!result_.lsn.target.empty()) facts_["target_lsn"] = result_.lsn.target;
        for (const auto& [name, count] : {std::pair{"mismatch", result_.counts.mismatch},
                                          {"missing_on_target", result_.counts.missing_on_target},
                                          {"missing_on_source", result_.counts.missing_on_source},
                                          {"unresolved_on_target", result_.counts.unresolved_on_target},
                                          {"unresolved_on_source", result_.counts.unresolved_on_source}})
            if (count > 0) details_[name] = signed_number(count);
        if (result_.listed < result_.counts.total()) add_unlisted(result_.counts.total() - result_.listed);
    }

    void add_unlisted(std::uint64_t rows) {
        details_["not_recorded"] = signed_number(rows);
        messages_.push_back(fmt::format("{} of {} differing rows are not recorded (--max-divergences {})", rows,
                                        result_.counts.total(), options_.max_divergences));
    }

    void add_names() {
        Json columns = Json::array(), key = Json::array();
        for (std::size_t i = 0; i < result_.column_divergent.size(); ++i)
            if (result_.column_divergent[i]) columns.push_back(bare_name(result_.plan.columns[i].name.source));
        if (!columns.empty()) facts_["divergent_columns"] = columns;
        for (const ColumnPlan& column : result_.plan.key) key.push_back(bare_name(column.name.source));
        details_["key"] = key;
        details_["milliseconds"] = std::lround(result_.elapsed_seconds * 1000);
        for (Side side : kSides)
            if (!result_.path[side].empty()) details_[fmt::format("{}_path", side_name(side))] = result_.path[side];
        if (!result_.plan.where.empty()) details_["where"] = clean(result_.plan.where);
        if (!result_.notes.empty()) details_["notes"] = json_messages(result_.notes);
        for (const std::string& reason : result_.skipped) not_compared_.push_back(left_out(reason));
    }

    const TableResult& result_;
    const Options& options_;
    Json facts_ = Json::object();
    Json details_ = Json::object();
    Json not_compared_ = Json::array();
    std::vector<std::string> messages_;
};

std::string_view table_status(const OutcomeFlags& flags, bool cancelled) {
    if (flags.divergent) return "divergent";
    if (flags.failed) return cancelled ? "cancelled" : "failed";
    return flags.incomplete ? "incomplete" : "identical";
}

TableRecord record_with_message(std::string relation, std::string target, std::string_view status,
                                const std::string& message) {
    TableRecord record{clean(relation), clean(target), std::string(status), Json::object(), Json::object()};
    if (!message.empty()) record.facts["message"] = clean(message);
    return record;
}

void cut_long_texts(Json& row) {
    for (auto& [name, value] : row.items()) {
        if (!value.is_string()) continue;
        const auto& text = value.get_ref<const std::string&>();
        if (text.size() <= kMostRecordedBytes) continue;
        std::size_t end = kMostRecordedBytes;
        while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
        value = {{"beginning", text.substr(0, end)}, {"length", text.size()}};
    }
}

}  // namespace

Json scope_of(const TablePlan& table) {
    Json scope = Json::object();
    if (!table.where.empty()) scope["filter"] = clean(table.where);
    if (!table.scope.without.empty()) {
        std::vector<std::string> names = table.scope.without;
        std::sort(names.begin(), names.end());  // an object is another one when a list in it has another order
        scope["without_columns"] = json_names(names);
    }
    if (!table.scope.key.empty()) scope["key_columns"] = json_names(table.scope.key);
    for (const auto& [column, form] : table.scope.forms) scope["forms"][bare_name(column)] = clean(form);
    if (table.visible_rows_only) scope["visible_rows_only"] = true;
    if (table.scope.without_children) scope["without_children"] = true;
    if (table.name.source != table.name.target) scope["target_relation"] = exact_name(table.name.target);
    return scope;
}

TableRecord record_of(const TableResult& result, const std::vector<SchemaDifference>& differences,
                      const Options& options, bool cancelled) {
    TableFacts facts(result, options);
    if (!result.error.empty()) facts.add_message(result.error);
    if (result.verdict == Verdict::kIncomplete)
        for (const std::string& reason : result.skipped) facts.add_message(reason);
    for (const SchemaDifference& difference : differences) {
        if (!is_about(difference, result.plan.name.source)) continue;
        facts.add_schema_difference(difference);
        const OutcomeFlags flags = flags_of(difference, options);
        if (flags.divergent || flags.incomplete)
            facts.add_message(displayed(difference.object) + ": " + difference.message);
    }
    return {exact_name(result.plan, Side::kSource), exact_name(result.plan, Side::kTarget),
            std::string(table_status(flags_of(result, differences, options), cancelled)), facts.json(),
            scope_of(result.plan)};
}

TableRecord record_of_skipped(const Both<QualifiedName>& names, const std::string& reason) {
    TableRecord record = record_with_message(exact_name(names.source), exact_name(names.target), "incomplete", reason);
    record.facts["not_compared"] = Json::array({{{"what", "table"}, {"reason", clean(reason)}}});
    return record;
}

TableRecord record_of(const SequenceResult& result) {
    const auto& [source, target] = result.sequence;
    TableRecord record = record_with_message(exact_name(source.name), exact_name(target.name),
                                             run_status(result.verdict, false), result.reason);
    if (!result.notes.empty()) record.facts["details"] = {{"notes", json_messages(result.notes)}};
    return record;
}

std::vector<TableRecord> records_of_lone_objects(const std::vector<SchemaDifference>& differences,
                                                 const std::vector<TablePlan>& tables, const Options& options) {
    std::vector<TableRecord> records;
    for (const SchemaDifference& difference : differences) {
        const OutcomeFlags flags = flags_of(difference, options);
        if (!flags.divergent && !flags.incomplete) continue;
        const bool known = std::any_of(tables.begin(), tables.end(),
                                       [&](const TablePlan& table) { return is_about(difference, table.name.source); });
        if (known) continue;
        records.push_back(record_with_message(difference.object, difference.object,
                                              flags.divergent ? "divergent" : "incomplete", difference.message));
    }
    return records;
}

Json divergence_record(const FindingWriter& writer, const Finding& finding, bool with_values) {
    Json whole = writer.json(finding);
    Json record{{"kind", whole["kind"]}, {"state", "divergent"}, {"occurrences", finding.occurrences}};
    const char* key = whole.contains("key") ? "key" : with_values ? "row" : nullptr;
    if (key) {
        cut_long_texts(whole[key]);
        record["key"] = std::move(whole[key]);
    }
    if (whole.contains("columns")) record["columns"] = whole["columns"];
    for (const char* side : {"source", "target"}) {
        if (!with_values || !whole.contains(side)) continue;
        cut_long_texts(whole[side]);
        record[std::string(side) + "_values"] = std::move(whole[side]);
    }
    return record;
}

Json options_record(const Options& options, std::uint64_t seed) {
    Json json = Json::object();
    for (const auto& [name, values] : options.given) {
        if (values.empty())
            json[name] = true;
        else
            json[name] = values.size() == 1 ? Json(clean(values.front())) : json_messages(values);
    }
    json["seed"] = json_number(seed);
    return json;
}

std::string_view run_status(Verdict verdict, bool interrupted) {
    if (interrupted) return "cancelled";
    switch (verdict) {
        case Verdict::kIdentical:
            return "identical";
        case Verdict::kDivergent:
            return "divergent";
        case Verdict::kIncomplete:
            return "incomplete";
        case Verdict::kError:
            break;
    }
    return "failed";
}

}  // namespace parity::driver
