#include "driver/planning/prefilter.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace parity::driver {

void add_prefilters(TablePlan& plan, const RelationDesc& source, const RelationDesc& target) {
    if (plan.key.empty()) return;
    const auto keeps = [](const RelationDesc& relation, const std::string& column, const std::string& form) {
        const ColumnDesc* described = find_column(relation, column);
        return described && std::find(described->other_forms.begin(), described->other_forms.end(), form) !=
                                described->other_forms.end();
    };
    for (ColumnPlan& column : plan.columns) {
        if (!column.form.starts_with("json")) continue;
        const std::string raw = "jsonb_raw" + column.form.substr(std::string_view("json").size());
        if (keeps(source, column.name.source, raw) && keeps(target, column.name.target, raw)) column.prefilter = raw;
    }
}

}  // namespace parity::driver
