#include "driver/postgres/queries/read_plan.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "driver/postgres/queries/quoting.h"
#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

using PlanJson = nlohmann::json;

/// An Append of a Gather of an Append …: no planner goes deeper for one relation.
constexpr int kMostLevels = 32;

/// A reason for not trusting a plan.
struct Reason {
    std::string text;
};

[[noreturn]] void distrust(std::string text) { throw Reason{std::move(text)}; }
[[noreturn]] void distrust_form() { distrust("the server's plan has a form that is not known"); }

/// A plan's text, in which no object has a member twice: who adds to an EXPLAIN must not overwrite what it says.
PlanJson parse(std::string_view text) {
    std::vector<std::set<std::string>> members;
    bool repeated = false;
    const auto check_member = [&](int, PlanJson::parse_event_t event, PlanJson& value) {
        if (event == PlanJson::parse_event_t::object_start) members.emplace_back();
        if (event == PlanJson::parse_event_t::object_end) members.pop_back();
        if (event == PlanJson::parse_event_t::key) repeated |= !members.back().insert(value.get<std::string>()).second;
        return true;
    };
    PlanJson json = PlanJson::parse(text, check_member, false);
    if (json.is_discarded() || repeated) distrust_form();
    return json;
}

std::string text_of(const PlanJson& node, const char* member) {
    const auto found = node.find(member);
    if (found == node.end() || !found->is_string()) distrust_form();
    return found->get<std::string>();
}

/// "v" or "t"."v", quoted as quote_all_identifiers has it; `alias` empty: whatever table's.
bool is_column(const std::string& expression, const std::string& alias, const std::string& column) {
    const std::string name = quote_identifier(column);
    if (expression == name) return true;
    if (!alias.empty()) return expression == quote_identifier(alias) + "." + name;
    if (expression.size() < name.size() + 3 || !expression.ends_with("." + name)) return false;
    const std::string_view before = std::string_view(expression).substr(0, expression.size() - name.size() - 1);
    std::size_t at = 1;  // one quoted identifier, no more
    while (at < before.size() && (before[at] != '"' || before.substr(at, 2) == "\"\"")) at += before[at] == '"' ? 2 : 1;
    return before.front() == '"' && at == before.size() - 1;
}

class PlanJudge {
  public:
    explicit PlanJudge(const PlanQuestion& question) : question_(question) {
        for (const PlanLeaf& leaf : question.leaves) scans_[leaf.name] = 0;
    }

    void judge(const PlanJson& plan) {
        if (!plan.is_array() || plan.size() != 1 || !plan.front().is_object()) distrust_form();
        for (const auto& [member, value] : plan.front().items())
            if (member != "Plan" && member != "Query Identifier") distrust_member(member);
        if (!plan.front().contains("Plan")) distrust_form();
        judge_node(plan.front()["Plan"], 0);
        for (const PlanLeaf& leaf : question_.leaves)
            if (leaf.has_blocks && scans_[leaf.name] == 0)
                distrust(fmt::format("the server does not read {} for it", display_name(leaf.name)));
    }

  private:
    [[noreturn]] static void distrust_member(const std::string& member) {
        static const std::set<std::string> filters{"Filter",          "Index Cond", "Recheck Cond",
                                                   "One-Time Filter", "TID Cond",   "Join Filter"};
        if (filters.contains(member)) distrust(fmt::format("the server reads it with a condition ({})", member));
        distrust(fmt::format("the server's plan says what is not known ({})", member));
    }

    void judge_node(const PlanJson& node, int level) {
        if (!node.is_object() || level > kMostLevels) distrust_form();
        const std::string type = text_of(node, "Node Type");
        if (type == "Seq Scan")
            judge_scan(node);
        else if (type == "Append")
            judge_members(node, {"Subplans Removed", "Plans"});
        else if (type == "Gather")
            judge_members(node, {"Workers Planned", "Single Copy", "Plans", "Output"});
        else if (type == "Result")
            judge_result(node);
        else
            distrust_node(node, type);
        if (type == "Append" && node.value("Subplans Removed", PlanJson(0)) != PlanJson(0))
            distrust("the server leaves out parts of it");
        judge_children(node, type, level);
    }

    [[noreturn]] static void distrust_node(const PlanJson& node, const std::string& type) {
        const auto provider = node.find("Custom Plan Provider");
        if (provider != node.end() && provider->is_string())
            distrust(fmt::format("the server reads it through {} ({})", type, provider->get<std::string>()));
        distrust(fmt::format("the server reads it through {}", type));
    }

    static void judge_members(const PlanJson& node, const std::set<std::string>& own) {
        static const std::set<std::string> common{"Node Type", "Parent Relationship", "Parallel Aware", "Async Capable",
                                                  "Disabled"};
        for (const auto& [member, value] : node.items())
            if (!common.contains(member) && !own.contains(member)) distrust_member(member);
    }

    /// A Result that reads nothing has a condition that is false. Any other may only hand on.
    void judge_result(const PlanJson& node) {
        const bool reads_nothing =
            node.contains("One-Time Filter") && node["One-Time Filter"] == PlanJson("false") && !node.contains("Plans");
        if (reads_nothing) return judge_members(node, {"One-Time Filter", "Output"});
        judge_members(node, {"Plans", "Output"});
        if (!node.contains("Plans")) distrust("the server makes its rows up");
    }

    void judge_children(const PlanJson& node, const std::string& type, int level) {
        const auto plans = node.find("Plans");
        if (type == "Gather" || type == "Result") judge_output(node, {});
        if (plans == node.end()) return;
        if (!plans->is_array() || (type != "Append" && plans->size() != 1)) distrust_form();
        for (const PlanJson& child : *plans) {
            const std::string relation = text_of(child.is_object() ? child : PlanJson::object(), "Parent Relationship");
            if (relation != (type == "Append" ? "Member" : "Outer"))
                distrust(fmt::format("the server reads it with the help of another query ({})", relation));
            judge_node(child, level + 1);
        }
    }

    void judge_scan(const PlanJson& node) {
        judge_members(node, {"Relation Name", "Schema", "Alias", "Output"});
        const QualifiedName name{text_of(node, "Schema"), text_of(node, "Relation Name")};
        const auto leaf = scans_.find(name);
        if (leaf == scans_.end()) distrust(fmt::format("the server reads {} for it", display_name(name)));
        if (++leaf->second > 1) distrust(fmt::format("the server reads {} more than once", display_name(name)));
        judge_output(node, text_of(node, "Alias"));
    }

    void judge_output(const PlanJson& node, const std::string& alias) const {
        const PlanJson output = node.value("Output", PlanJson::array());
        if (!output.is_array() || output.size() != question_.columns.size())
            distrust("the server reads other columns of it than were asked for");
        for (std::size_t i = 0; i < output.size(); ++i) {
            if (!output[i].is_string()) distrust_form();
            const std::string expression = output[i].get<std::string>();
            if (!is_column(expression, alias, question_.columns[i]))
                distrust(fmt::format("the server reads {} in the place of column {}", expression,
                                     display_name(question_.columns[i])));
        }
    }

    const PlanQuestion& question_;
    std::map<QualifiedName, int> scans_;
};

}  // namespace

std::optional<std::string> why_not_plain(std::string_view plan, const PlanQuestion& question) {
    try {
        PlanJudge(question).judge(parse(plan));
        return std::nullopt;
    } catch (const Reason& reason) {
        return reason.text;
    }
}

}  // namespace parity::driver
