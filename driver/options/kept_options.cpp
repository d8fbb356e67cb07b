#include "driver/options/kept_options.h"

#include <fmt/format.h>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

constexpr const char* kLeaveOutHint = "leave it out: the run goes on with what it began with";

std::string show(const std::string& option, const GivenOptions& given) {
    const auto found = given.find(option);
    if (found == given.end()) return "without --" + option;
    if (found->second.empty()) return "with --" + option;
    return fmt::format("with --{} \"{}\"", option, fmt::join(found->second, "\", \""));
}

}  // namespace

bool names_database(std::string_view place) {
    if (place.starts_with("postgresql://") || place.starts_with("postgres://")) return true;
    if (place.starts_with('/') || place.starts_with('.')) return false;
    return place.find('=') != std::string_view::npos;
}

GivenOptions semantic_options(const std::vector<OptionSpec>& specs, const Options& options) {
    GivenOptions semantic;
    for (const OptionSpec& spec : specs) {
        const auto given = options.given.find(spec.name);
        if (spec.semantic && given != options.given.end()) semantic.insert(*given);
    }
    return semantic;
}

Options continued_options(const std::vector<OptionSpec>& specs, Options now, const GivenOptions& began,
                          const std::vector<TableSetting>& table_settings) {
    for (const OptionSpec& spec : specs) {
        if (!spec.semantic) continue;
        const auto kept = began.find(spec.name);
        const auto given = now.given.find(spec.name);
        const bool is_kept = kept != began.end();
        if (given != now.given.end()) {
            if (is_kept && kept->second == given->second) continue;
            throw Error(ErrorKind::kUsage,
                        fmt::format("the run began {}, and cannot go on {}", show(spec.name, began),
                                    show(spec.name, now.given)),
                        kLeaveOutHint);
        }
        if (!is_kept) continue;
        spec.apply(now, kept->second);
        now.given.insert(*kept);
    }
    if (!now.table_settings.empty() && now.table_settings != table_settings)
        throw Error(ErrorKind::kUsage,
                    "the run began with other settings of tables than the configuration file has now ([table.…])",
                    "leave them out: the run goes on with what it began with");
    now.table_settings = table_settings;
    return now;
}

}  // namespace parity::driver
