#include "driver/options/table_settings.h"

#include <algorithm>
#include <iterator>

namespace parity::driver {

TableSettings::TableSettings(const Options& options) {
    for (const TableSetting& setting : options.table_settings)
        entries_.push_back({parse_table_scope("[table]", setting.table), setting});
}

const TableSetting* TableSettings::find(const QualifiedName& source) const {
    const TableSetting* found = nullptr;
    int precision = 0;
    for (const Entry& entry : entries_) {
        if (!entry.scope.covers(source) || entry.scope.precision() <= precision) continue;
        precision = entry.scope.precision();
        found = &entry.setting;
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
