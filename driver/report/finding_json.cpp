#include "driver/report/finding_json.h"

#include <optional>

#include <fmt/format.h>

#include "core/bounds.h"
#include "driver/model/sides.h"
#include "driver/text/display_name.h"
#include "driver/text/printable.h"
#include "driver/text/show.h"
#include "driver/text/words.h"

namespace parity::driver {
namespace {

std::string hexadecimal(std::string_view bytes) {
    std::string hex;
    hex.reserve(2 * bytes.size());
    for (char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return hex;
}

Json json_value(const std::optional<std::string>& value) { return value ? json_text(*value) : Json(nullptr); }

Json json_value(const std::optional<ShownValue>& value) {
    if (!value || !value->is_cut()) return value ? json_text(value->text) : Json(nullptr);
    return {{"beginning", json_text(value->text)}, {"length", value->bytes}};
}

/// Values by column name. Names are unique in a table: none is looked for before it is added.
template <typename Value>
Json row_of(const std::vector<ColumnPlan>& columns, const std::vector<std::optional<Value>>& values) {
    Json row = Json::object();
    auto& members = row.get_ref<Json::object_t&>();
    for (std::size_t i = 0; i < columns.size(); ++i)
        members.emplace_back(bare_name(columns[i].name.source), json_value(values[i]));
    return row;
}

}  // namespace

Json json_text(std::string_view text) {
    if (is_utf8(text)) return Json(text);
    return {{"bytes", hexadecimal(text)}};
}

std::string clean(const std::string& text) { return is_utf8(text) ? text : valid_utf8(text); }

Json json_messages(const std::vector<std::string>& texts) {
    Json array = Json::array();
    for (const std::string& text : texts) array.push_back(clean(text));
    return array;
}

Json json_names(const std::vector<std::string>& names) {
    Json array = Json::array();
    for (const std::string& name : names) array.push_back(bare_name(name));
    return array;
}

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json json_row(const std::vector<ColumnPlan>& columns, const std::vector<std::optional<std::string>>& values) {
    return row_of(columns, values);
}

Json json_bound(const std::vector<ColumnPlan>& key, std::string_view bound) {
    if (key.empty() || bound.empty() || static_cast<std::uint8_t>(bound.front()) != core::kKeyBound) return nullptr;
    std::vector<ColumnPlan> columns = key;
    const auto values = KeyWriter(key).leading_values(bound.substr(1));
    columns.resize(values.size());
    return json_row(columns, values);
}

std::unordered_map<std::string, const Json*> members_of(const Json& object, const char* member) {
    std::unordered_map<std::string, const Json*> members;
    const auto found = object.find(member);
    if (found != object.end() && found->is_object())
        for (const auto& [name, value] : found->items()) members.emplace(name, &value);
    return members;
}

Json json_number(std::uint64_t number) { return std::to_string(number); }

FindingWriter::FindingWriter(const TablePlan& table) : table_(table), keys_(framed_columns(table)) {}

Json FindingWriter::json(const Finding& finding) const {
    Json json{{"kind", finding_name(finding.kind)}};
    const bool keyless = table_.key.empty();
    if (finding.hash_bytes.empty())
        json[keyless ? "row" : "key"] = json_row(framed_columns(table_), keys_.values(finding.key_bytes));
    else
        json["row_hash"] = hexadecimal(finding.hash_bytes);
    if (finding.kind == FindingKind::kMismatch)
        add_cells(json, finding);
    else if (keyless || finding.occurrences > 1)
        json["occurrences"] = json_number(finding.occurrences);
    return json;
}

void FindingWriter::add_cells(Json& json, const Finding& finding) const {
    std::vector<ColumnPlan> columns;
    for (int column : finding.columns) columns.push_back(table_.columns[static_cast<std::size_t>(column)]);
    Json names = Json::array();
    for (const ColumnPlan& column : columns) names.push_back(bare_name(column.name.source));
    json["columns"] = names;
    for (Side side : kSides)
        if (finding.values[side].size() == columns.size())
            json[std::string(side_name(side))] = row_of(columns, finding.values[side]);
}

}  // namespace parity::driver
