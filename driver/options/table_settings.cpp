#include "driver/options/table_settings.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "driver/model/error.h"

namespace parity::driver {

TableSettings::TableSettings(const Options& options) {
    for (const TableSetting& setting : options.table_settings) {
        Entry entry{parse_table_scope("[table]", setting.table), setting};
        for (const Entry& other : entries_)
            if (other.scope.schema == entry.scope.schema && other.scope.table == entry.scope.table)
                throw Error(ErrorKind::kUsage, fmt::format("the sections \"{}\" and \"{}\" of the configuration file "
                                                           "are about the same table",
                                                           other.setting.table, setting.table));
        entries_.push_back(std::move(entry));
    }
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.scope.precision() > b.scope.precision(); });
}

TableSetting TableSettings::find(const QualifiedName& source) const {
    TableSetting found;
    for (const Entry& entry : entries_) {
        if (!entry.scope.covers(source)) continue;
        if (found.where.empty()) found.where = entry.setting.where;
        if (!found.ranges) found.ranges = entry.setting.ranges;
    }
    return found;
}

std::vector<TableScope> TableSettings::named_tables() const {
    std::vector<TableScope> scopes;
    std::transform(entries_.begin(), entries_.end(), std::back_inserter(scopes),
                   [](const Entry& entry) { return entry.scope; });
    return scopes;
}

}  // namespace parity::driver
