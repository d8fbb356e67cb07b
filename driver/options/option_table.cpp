#include "driver/options/option_table.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <set>
#include <string_view>

#include <fmt/core.h>

#include "driver/model/error.h"
#include "driver/model/sides.h"
#include "driver/options/sizes.h"
#include "driver/text/printable.h"

namespace parity::driver {

namespace {

using Values = std::vector<std::string>;

[[noreturn]] void refuse_value(std::string_view option, std::string_view value, std::string_view expected) {
    throw Error(ErrorKind::kUsage, fmt::format("invalid value \"{}\" for --{}", value, option),
                fmt::format("expected {}", expected));
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

OptionSpec text_option(std::string name, std::string value_name, std::string group, std::string help,
                       std::string Options::*member) {
    return {
        std::move(name),       OptionKind::kText,
        std::move(value_name), std::move(group),
        std::move(help),       [member](Options& options, const Values& values) { options.*member = values.front(); }};
}

OptionSpec side_option(Side side) {
    return {
        std::string(side_name(side)),
        OptionKind::kText,
        kConninfoValue,
        "What to compare",
        fmt::format("the {}: a connection string, URI or database name as libpq takes it; required", side_name(side)),
        [side](Options& options, const Values& values) { options.conninfo[side] = values.front(); },
        true};
}

OptionSpec list_option(std::string name, std::string value_name, std::string group, std::string help,
                       std::vector<std::string> Options::*member) {
    return {std::move(name),       OptionKind::kList,
            std::move(value_name), std::move(group),
            std::move(help),       [member](Options& options, const Values& values) { options.*member = values; }};
}

OptionSpec flag_option(std::string name, std::string group, std::string help, bool Options::*member,
                       bool value = true) {
    return {std::move(name),
            OptionKind::kFlag,
            {},
            std::move(group),
            std::move(help),
            [member, value](Options& options, const Values&) { options.*member = value; }};
}

/// A whole number of `minimum` or more.
template <typename Member>
OptionSpec number_option(const std::string& name, std::string group, std::string help, Member Options::*member,
                         int minimum) {
    return {name,
            OptionKind::kNumber,
            "N",
            std::move(group),
            std::move(help),
            [name, member, minimum](Options& options, const Values& values) {
                using Number = std::conditional_t<std::is_same_v<Member, std::int64_t>, std::int64_t, int>;
                Number number{};
                if (!read_number(values.front(), number) || number < minimum) {
                    refuse_value(name, values.front(), fmt::format("a whole number of {} or more", minimum));
                }
                options.*member = number;
            }};
}

constexpr const char* kDurations = "a whole number with one of the units us, ms, s, min, h, d, as in 30s, or 0";

/// A duration in PostgreSQL's notation, which is handed on to servers as it is.
OptionSpec duration_option(const std::string& name, std::string help, std::string Options::*member) {
    return {name,
            OptionKind::kText,
            "DURATION",
            "Limits",
            std::move(help),
            [name, member](Options& options, const Values& values) {
                if (!parse_duration(values.front()))
                    refuse_value(name, values.front(), fmt::format("{} for no limit", kDurations));
                options.*member = values.front();
            }};
}

/// The same for statement_timeout, whose end the program has to recognise.
OptionSpec statement_timeout_option() {
    OptionSpec option = duration_option(
        "statement-timeout", "the longest that one statement may run; default: no limit", &Options::statement_timeout);
    option.apply = [apply = option.apply](Options& options, const Values& values) {
        apply(options, values);
        options.statement_limit = *parse_duration(values.front());
    };
    return option;
}

/// A duration for the program itself.
OptionSpec own_duration_option(const std::string& name, std::string help, std::chrono::milliseconds Options::*member) {
    return {name,
            OptionKind::kText,
            "DURATION",
            "Limits",
            std::move(help),
            [name, member](Options& options, const Values& values) {
                const std::optional<std::chrono::milliseconds> duration = parse_duration(values.front());
                if (!duration) refuse_value(name, values.front(), kDurations);
                options.*member = *duration;
            }};
}

void apply_format(Options& options, const Values& values) {
    static constexpr std::pair<std::string_view, ReportFormat> kFormats[] = {
        {"text", ReportFormat::kText}, {"json", ReportFormat::kJson},         {"ndjson", ReportFormat::kNdjson},
        {"csv", ReportFormat::kCsv},   {"markdown", ReportFormat::kMarkdown}, {"junit", ReportFormat::kJunit}};
    for (const auto& [name, format] : kFormats)
        if (values.front() == name) {
            options.format = format;
            return;
        }
    refuse_value("format", values.front(), "text, json, ndjson, csv, markdown or junit");
}

void apply_engine(Options& options, const Values& values) {
    const std::string& value = values.front();
    if (value != "auto" && value != "extension" && value != "stream")
        refuse_value("engine", value, "auto, extension or stream");
    options.engine = value == "stream" ? Engine::kStream : value == "auto" ? Engine::kAuto : Engine::kExtension;
}

void apply_memory_limit(Options& options, const Values& values) {
    options.memory_limit = parse_size(values.front());
    if (!options.memory_limit || *options.memory_limit == 0)
        refuse_value("memory-limit", values.front(), "a size with one of the units B, kB, MB, GB, TB, as in 512MB");
}

/// Without the sign, "0.05" and "5" could be the same.
void apply_fail_above(Options& options, const Values& values) {
    std::string_view text = values.front();
    double share = 0;
    const bool has_sign = text.ends_with('%');
    if (has_sign) text.remove_suffix(1);
    if (!has_sign || !read_number(text, share) || !(share >= 0 && share < 100))
        refuse_value("fail-above", values.front(), "a share of less than 100 with a percent sign, as in 5%");
    options.fail_above = share;
}

void apply_snapshot(Options& options, const Values& values) {
    if (values.front() != "unit" && values.front() != "table")
        refuse_value("snapshot", values.front(), "unit or table");
    options.in_units = values.front() == "unit";
}

void apply_unit_seconds(Options& options, const Values& values) {
    double seconds = 0;
    const bool is_number = read_number(std::string_view(values.front()), seconds);
    if (!is_number || !(seconds > 0 && seconds <= 1e9))
        refuse_value("unit-seconds", values.front(), "a number of seconds above 0, as in 300 or 0.5");
    options.unit_seconds = seconds;
}

void apply_width(Options& options, const Values& values) {
    if (values.front() != "64" && values.front() != "128") refuse_value("width", values.front(), "64 or 128");
    options.width = values.front() == "64" ? 64 : 128;
}

/// SQL shows the seed as a signed number; both notations of the same bits are taken.
void apply_seed(Options& options, const Values& values) {
    std::uint64_t number = 0;
    std::int64_t negative = 0;
    if (read_number(values.front(), number)) {
        options.seed = number;
    } else if (read_number(values.front(), negative)) {
        options.seed = static_cast<std::uint64_t>(negative);
    } else {
        refuse_value("seed", values.front(), "a whole number of 64 bits");
    }
}

void apply_where(Options& options, const Values& values) {
    if (values.front().find_first_not_of(" \t\r\n") == std::string::npos)
        refuse_value("where", values.front(), "an SQL expression");
    options.where = values.front();
}

void apply_record(Options& options, const Values& values) {
    if (values.front().empty()) refuse_value("record", values.front(), "a connection string");
    options.record = values.front();
}

void apply_metrics_file(Options& options, const Values& values) {
    if (values.front().empty()) refuse_value("metrics-file", values.front(), "the name of a file");
    options.metrics_file = values.front();
}

/// Names that Prometheus takes, but for those of its own and of our metrics.
bool is_free_label(std::string_view name) {
    static const std::set<std::string_view> kTaken{"instance", "job",  "kind",  "le",
                                                   "quantile", "side", "state", "version"};
    static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    return !name.empty() && kLetters.find(name.front()) != std::string_view::npos &&
           name.find_first_not_of(std::string(kLetters) + "0123456789") == std::string_view::npos &&
           !name.starts_with("__") && !kTaken.contains(name);
}

void apply_metrics_labels(Options& options, const Values& values) {
    options.metrics_labels.clear();
    std::set<std::string> names;
    for (const std::string& value : values) {
        const std::size_t sign = std::min(value.find('='), value.size());
        std::string name = value.substr(0, sign), text = value.substr(std::min(sign + 1, value.size()));
        if (!is_free_label(name) || text.empty() || !is_printable(text))
            refuse_value("metrics-label", value,
                         "NAME=VALUE, where the name has letters, digits and underscores, and is no label that metrics "
                         "have of their own");
        if (!names.insert(name).second) refuse_value("metrics-label", value, "each name once");
        options.metrics_labels.emplace_back(std::move(name), std::move(text));
    }
}

std::vector<OptionSpec> what_options() {
    const std::string what = "What to compare";
    return {
        side_option(Side::kSource),
        side_option(Side::kTarget),
        list_option("table", "PATTERN", what, "tables to compare, as psql's patterns; default: all", &Options::tables),
        list_option("exclude-table", "PATTERN", what, "tables not to compare", &Options::exclude_tables),
        list_option("schema", "PATTERN", what, "schemas whose tables are compared", &Options::schemas),
        list_option("map", "OLD=NEW", what, "a table, or with a.*=b.* a schema, that has another name on the target",
                    &Options::maps),
        list_option("map-column", "[TABLE.]OLD=NEW", what, "a column that has another name on the target",
                    &Options::map_columns),
        list_option("key", "[TABLE=]COLUMN,...", what, "the columns that identify a row; default: the table's own key",
                    &Options::keys),
        list_option("columns", "[TABLE.]COLUMN,...", what, "compare these columns only, besides the key",
                    &Options::columns),
        list_option("exclude-columns", "[TABLE.]COLUMN,...", what, "do not compare these columns",
                    &Options::exclude_columns),
        list_option("form", "[TABLE.]COLUMN=FORM", what, "hash a column as this form instead of its types' common one",
                    &Options::forms),
        {"where", OptionKind::kText, "EXPRESSION", what, "compare only the rows for which this SQL expression is true",
         apply_where},
        flag_option("no-sequences", what, "do not compare sequences", &Options::sequences, false),
        flag_option("sequences-may-be-ahead", what, "a sequence that is ahead on the target counts as equal",
                    &Options::sequences_may_be_ahead),
        flag_option("no-large-objects", what, "do not compare large objects", &Options::large_objects, false),
        flag_option("enable-row-security", what, "compare only the rows that row security shows to the role",
                    &Options::enable_row_security),
        flag_option("run-owners-code", what,
                    "read tables although their owners' functions may run with this role's rights",
                    &Options::run_owners_code),
        flag_option("strict-schema", what,
                    "differences of types, nullability, keys and collations are divergences, too",
                    &Options::strict_schema),
        flag_option("allow-same-server", what, "let both sides be the same database", &Options::allow_same_server),
    };
}

std::vector<OptionSpec> how_options() {
    const std::string how = "How to compare";
    return {
        number_option("ranges", how, "key ranges a table is divided into; default: by its size, 1 to 2048",
                      &Options::ranges, 1),
        number_option(
            "jobs", how,
            "tables compared at the same time, each over one connection a side, where it is streamed over one and "
            "--workers more; default: 1",
            &Options::jobs, 1),
        {"engine", OptionKind::kText, "ENGINE", how,
         "auto, extension or stream: where digests are computed: inside the servers, or here from a stream of rows; "
         "default: inside where the "
         "extension is",
         apply_engine},
        flag_option("fall-back-to-stream", how,
                    "stream a table that a server cannot digest for want of memory, time or a feature",
                    &Options::fall_back_to_stream),
        number_option(
            "workers", how,
            "parallel workers for a table on each side, for a stream connections that read it; default: as the "
            "servers decide, for a stream by the table's size, 1 to 4, but not more than processors",
            &Options::workers, 0),
        {"snapshot", OptionKind::kText, "UNIT", how,
         "unit or table: whether a large table may be compared in spans of its key, each under snapshots of its own, "
         "or is under one pair of snapshots; default: unit",
         apply_snapshot},
        {"unit-seconds", OptionKind::kText, "SECONDS", how,
         "how long a pair of snapshots may last: a table that takes longer, by its size, is compared in spans; "
         "default: 300",
         apply_unit_seconds},
        {"seed", OptionKind::kNumber, "N", how, "the seed of the hashes; default: random", apply_seed},
        {"width", OptionKind::kNumber, "BITS", how, "64 or 128 bits for each hash; default: 64", apply_width},
    };
}

/// How a report looks, wherever it comes from.
std::vector<OptionSpec> format_options() {
    const std::string report = "Report";
    return {
        {"format", OptionKind::kText, "FORMAT", report, "text, json, ndjson, csv, markdown or junit; default: text",
         apply_format},
        text_option("output", "FILE", report, "write the report to a file instead of standard output",
                    &Options::output),
        flag_option("only-differences", report, "leave out what is identical (text and markdown)",
                    &Options::only_differences),
        flag_option("quiet", report, "leave out findings, notes and what is identical (text and markdown)",
                    &Options::quiet),
    };
}

OptionSpec state_option(std::string help, bool required) {
    return {"state",
            OptionKind::kText,
            kStateValue,
            "Continuing",
            std::move(help),
            [](Options& options, const Values& values) {
                if (values.front().empty())
                    refuse_value("state", values.front(), "the name of a file, or a connection string");
                options.state = values.front();
            },
            required};
}

/// Which run of the database that another option names.
OptionSpec run_option(std::string name, std::string group, const std::string& of, std::string Options::*member) {
    return {name,
            OptionKind::kText,
            "NAME",
            std::move(group),
            fmt::format("the name of the run, where --{} is a database; default: default", of),
            [name, member](Options& options, const Values& values) {
                if (values.front().empty()) refuse_value(name, values.front(), "a name");
                options.*member = values.front();
            }};
}

OptionSpec state_run_option() { return run_option("state-run", "Continuing", "state", &Options::state_run); }

OptionSpec state_values_option() {
    return flag_option("state-values", "Continuing",
                       "keep the values that differ in the state, too; default: keys and names of columns",
                       &Options::state_values);
}

std::vector<OptionSpec> state_options() {
    return {state_option("keep the run in a file or a database as it goes on, so that pgparity resume can continue it",
                         false),
            state_run_option(), state_values_option()};
}

std::vector<OptionSpec> report_options() {
    const std::string report = "Report";
    return {
        number_option("max-divergences", report, "divergences listed for each table, 0 for all; default: 1000",
                      &Options::max_divergences, 0),
        {"record", OptionKind::kText, kConninfoValue, report,
         "a database with the extension in whose tables the run is recorded; default: none", apply_record},
        flag_option("record-values", report, "record the values that differ, too; default: keys and names of columns",
                    &Options::record_values),
        {"metrics-file", OptionKind::kText, "FILE", report,
         "keep metrics of the run in this file, for the textfile collector of Prometheus' node_exporter",
         apply_metrics_file},
        {"metrics-label", OptionKind::kList, "NAME=VALUE", report, "a label of every metric in that file",
         apply_metrics_labels},
        flag_option("dry-run", report, "show what would be compared, and how, and stop", &Options::dry_run),
        flag_option("no-progress", report, "do not show progress", &Options::progress, false),
        flag_option("verbose", report, "say more on standard error", &Options::verbose),
    };
}

std::vector<OptionSpec> limit_options() {
    const std::string limits = "Limits";
    return {
        number_option("connect-timeout", limits, "seconds to wait for a connection, 0 for no limit; default: 10",
                      &Options::connect_timeout_s, 0),
        {"memory-limit", OptionKind::kText, "SIZE", limits,
         "the memory that streams of rows may take here, as in 512MB; default: a quarter of what there is",
         apply_memory_limit},
        statement_timeout_option(),
        duration_option("lock-timeout", "the longest wait for a table's lock; default: 10s", &Options::lock_timeout),
        own_duration_option("retry-for",
                            "how long to go on trying where a failure may pass, such as a server that is restarted; 0: "
                            "do not try again; default: 10min",
                            &Options::retry_for),
        flag_option("allow-failover", limits,
                    "go on where a side's connection leads to another server of its cluster, such as a standby that "
                    "was promoted; what that server may lack is compared again",
                    &Options::allow_failover),
        own_duration_option("stall-timeout",
                            "how long a server may send nothing before another connection looks at what it does; 0: "
                            "for ever; default: 5min",
                            &Options::stall_timeout),
        own_duration_option("run-time",
                            "end the run after that time, whatever is not compared then; 0: no limit; default: 0",
                            &Options::run_time),
        {"fail-above", OptionKind::kText, "SHARE", limits,
         "end the run when more than that share of its tables has failed, as in 5%; default: go on", apply_fail_above},
    };
}

}  // namespace

namespace {

/// What completion and short spelling know of options; the letters are those of pg_dump and pg_amcheck.
struct Extra {
    std::string_view option;
    char letter;
    std::vector<std::string> choices{};
};

std::vector<OptionSpec> with_extras(std::vector<OptionSpec> options) {
    static const std::vector<Extra> kExtras{
        {"table", 't'},
        {"exclude-table", 'T'},
        {"schema", 'n'},
        {"jobs", 'j'},
        {"output", 'f'},
        {"quiet", 'q'},
        {"verbose", 'v'},
        {"format", 'F', {"text", "json", "ndjson", "csv", "markdown", "junit"}},
        {"engine", 0, {"auto", "extension", "stream"}},
        {"width", 0, {"64", "128"}},
        {"snapshot", 0, {"unit", "table"}},
    };
    static const std::set<std::string_view> kSemantic{"table",
                                                      "exclude-table",
                                                      "schema",
                                                      "map",
                                                      "map-column",
                                                      "key",
                                                      "columns",
                                                      "exclude-columns",
                                                      "form",
                                                      "where",
                                                      "run-owners-code",
                                                      "no-sequences",
                                                      "sequences-may-be-ahead",
                                                      "no-large-objects",
                                                      "enable-row-security",
                                                      "strict-schema",
                                                      "allow-same-server",
                                                      "ranges",
                                                      "snapshot",
                                                      "seed",
                                                      "width",
                                                      "max-divergences"};
    for (OptionSpec& option : options) option.semantic = kSemantic.contains(option.name);
    for (OptionSpec& option : options)
        for (const Extra& extra : kExtras) {
            if (option.name != extra.option) continue;
            option.letter = extra.letter;
            option.choices = extra.choices;
        }
    return options;
}

}  // namespace

std::vector<OptionSpec> report_file_options() {
    std::vector<OptionSpec> all{
        {"from", OptionKind::kText, kStateValue, "Report",
         "a report that compare --format json or ndjson wrote, or the state of a run; required",
         [](Options& options, const Values& values) { options.from = values.front(); }, true},
        run_option("from-run", "Report", "from", &Options::from_run),
        text_option("against", kStateValue, "Report",
                    "an older one: tells which divergences are new, persisting and gone", &Options::against),
        run_option("against-run", "Report", "against", &Options::against_run)};
    for (OptionSpec& option : format_options()) all.push_back(std::move(option));
    return with_extras(std::move(all));
}

std::vector<OptionSpec> compare_options() {
    std::vector<OptionSpec> all;
    for (auto* group : {what_options, how_options, format_options, report_options, state_options, limit_options})
        for (OptionSpec& option : group()) all.push_back(std::move(option));
    return with_extras(std::move(all));
}

std::vector<OptionSpec> resume_options() {
    std::vector<OptionSpec> all{
        state_option("the state that compare --state made; required", true), state_run_option(), state_values_option(),
        own_duration_option("max-age", "how long ago the run may have begun; 0: any time; default: 7d",
                            &Options::max_age)};
    all.back().group = "Continuing";
    all.push_back(flag_option("retry-dead", "Continuing",
                              "read again what could not be read (dead-letters), and no other table",
                              &Options::retry_dead));
    for (OptionSpec& option : compare_options()) {
        const bool has_no_use = option.name == "dry-run" || option.group == "Continuing";
        if (!has_no_use) all.push_back(std::move(option));
    }
    return with_extras(std::move(all));
}

std::vector<OptionSpec> dead_letters_options() {
    return with_extras({state_option("the state that compare --state made; required", true), state_run_option()});
}

}  // namespace parity::driver
