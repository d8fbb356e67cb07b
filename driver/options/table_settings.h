#pragma once

#include <string>
#include <vector>

#include "driver/model/options.h"
#include "driver/model/sides.h"
#include "driver/options/name_map.h"

namespace parity::driver {

/// What the configuration file says of single tables, [table."shop.event"].
class TableSettings {
  public:
    struct Entry {
        TableScope scope;
        TableSetting setting;
    };

    TableSettings() = default;
    /// Throws: Error{kUsage} for a name that cannot be read, and for a table that two sections are about.
    explicit TableSettings(const Options& options);

    /// What is said of a table of the source. What a section says that names its schema goes before what one without
    /// says, for each setting by itself.
    TableSetting find(const QualifiedName& source) const;

    std::vector<TableScope> named_tables() const;
    const std::vector<Entry>& entries() const { return entries_; }

  private:
    std::vector<Entry> entries_;
};

}  // namespace parity::driver
