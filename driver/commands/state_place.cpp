#include "driver/commands/state_place.h"

#include "driver/options/kept_options.h"
#include "driver/record/run_database.h"
#include "driver/state/run_file.h"

namespace parity::driver {
namespace {

StatePlace place_in_database(const std::string& conninfo, const std::string& run, const Options& options) {
    return {conninfo, run.empty() ? kDefaultRun : run, options.connect_timeout_s, options.retry_for};
}

StatePlace place_in_database(const Options& options) {
    return place_in_database(options.state, options.state_run, options);
}

}  // namespace

std::unique_ptr<RunStore> create_state(const Options& options) {
    if (names_database(options.state)) return RunDatabase::create(place_in_database(options));
    require_other_file(options.output, options.state);
    return RunFile::create(options.state);
}

std::unique_ptr<RunStore> open_state(const Options& options) {
    if (names_database(options.state)) return RunDatabase::open(place_in_database(options));
    require_other_file(options.output, options.state);
    return RunFile::open(options.state);
}

std::unique_ptr<RunStore> read_state(const std::string& place, const std::string& run, const Options& options) {
    if (names_database(place)) return RunDatabase::read(place_in_database(place, run, options));
    return RunFile::read(place);
}

bool is_state(const std::string& place) { return names_database(place) || is_database_file(place); }

}  // namespace parity::driver
