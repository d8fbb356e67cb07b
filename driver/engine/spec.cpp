#include "driver/engine/spec.h"

#include "driver/digests/division.h"

namespace parity::driver {

std::vector<core::Form> StreamColumns::key_forms() const {
    std::vector<core::Form> forms;
    for (const auto& reader : key) forms.push_back(reader->form());
    return forms;
}

StreamSpec::StreamSpec(const StreamColumns& table_columns, const DigestSettings& settings, const RangeList& ranges)
    : columns(table_columns),
      seed(settings.seed),
      wide(settings.width == 128),
      totals_only(ranges.totals_only),
      key_forms(table_columns.key_forms()) {
    check_bounds(ranges.bounds, key_forms);
    for (const std::string& bound : ranges.bounds) bounds.push_back(core::as_bytes(bound));
    if (ranges.only.empty()) return;
    kept.assign(ranges.bounds.size() + 1, 0);
    for (std::int32_t range : ranges.only) kept.at(static_cast<std::size_t>(range - 1)) = 1;
}

std::vector<std::string_view> form_names(const std::vector<std::shared_ptr<const ValueReader>>& readers) {
    std::vector<std::string_view> names;
    for (const auto& reader : readers) names.push_back(reader->form_name());
    return names;
}

}  // namespace parity::driver
