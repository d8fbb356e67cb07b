#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "driver/model/sides.h"

/// What the user asks for.
namespace parity::driver {

enum class ReportFormat { kText, kJson, kNdjson, kCsv, kMarkdown, kJunit };

/// How a side's rows become digests: inside the server, or from a stream of rows. kAuto: the former where it can be.
enum class Engine { kAuto, kExtension, kStream };

/// What the configuration file says of one table, beside what has an option of its own: [table."shop.event"].
struct TableSetting {
    std::string table;  ///< "[schema.]name" of the source
    std::string where;  ///< instead of Options::where; empty: that
    std::optional<int> ranges;
    bool operator==(const TableSetting&) const = default;
};

/// What a run that is kept in a database is called there unless it is given a name.
inline constexpr const char* kDefaultRun = "default";

/// What the command line and the configuration file say, checked for form but not against any server.
struct Options {
    Both<std::string> conninfo;
    std::vector<std::string> tables;          ///< psql patterns; empty: every ordinary table that both sides have
    std::vector<std::string> exclude_tables;  ///< psql patterns
    std::vector<std::string> schemas;         ///< psql patterns of schema names
    std::vector<std::string> maps;         ///< "old=new": source name = target name; "old.*=new.*" for a whole schema
    std::vector<std::string> map_columns;  ///< "[[schema.]table.]old=new"
    std::vector<std::string> keys;         ///< "[[schema.]table=]column[,column]…"
    std::vector<std::string> columns;      ///< source's names
    std::vector<std::string> exclude_columns;  ///< "[[schema.]table.]column"
    std::vector<std::string> forms;            ///< "[[schema.]table.]column=form"
    std::string where;                         ///< one SQL expression for every chosen table, both sides
    std::vector<TableSetting> table_settings;  ///< each table once
    std::optional<int> ranges;                 ///< 1 … ; unset: chosen from the row estimate
    int jobs = 1;                              ///< tables compared at once
    Engine engine = Engine::kAuto;
    bool fall_back_to_stream = false;  ///< stream what the extension cannot read for want of something
    bool allow_failover = false;       ///< go on with another server of a side's cluster
    /// Parallel workers a table and side; unset: the server's rule. Of a stream, its connections; unset: by its size.
    std::optional<int> workers;
    std::optional<std::uint64_t> memory_limit;  ///< of this process, in bytes; unset: a quarter of what there is
    std::int64_t max_divergences = 1000;        ///< listed per table; 0: all of them
    ReportFormat format = ReportFormat::kText;
    std::string output;                 ///< file for the report; empty: standard output
    bool only_differences = false;      ///< no lines about what is identical
    bool quiet = false;                 ///< the summary, and what was not compared
    std::string from;                   ///< of `report`: a report as JSON, or a state
    std::string against;                ///< of `report`: an older one; empty: none
    std::string from_run, against_run;  ///< names of runs where those are databases; empty: kDefaultRun
    bool dry_run = false;
    std::string record;          ///< connection string of the database that the run is recorded in; empty: nowhere
    bool record_values = false;  ///< record values, too, and not only keys and names of columns
    std::string state;           ///< where the run is kept so that it can be continued; empty: nowhere
    std::string state_run;       ///< the run's name where that is a database; empty: kDefaultRun
    bool state_values = false;   ///< keep values, too, and not only keys and names of columns
    bool retry_dead = false;     ///< of a run that is continued: read only tables of which something was not read
    std::chrono::milliseconds max_age = std::chrono::days(7);         ///< of a run that is continued; 0: no limit
    std::string metrics_file;                                         ///< for Prometheus; empty: none
    std::vector<std::pair<std::string, std::string>> metrics_labels;  ///< of every metric; each name once
    bool strict_schema = false;
    bool sequences = true;
    bool sequences_may_be_ahead = false;  ///< a target's sequence that is ahead counts as equal
    bool large_objects = true;
    bool enable_row_security = false;
    bool run_owners_code = false;  ///< plan queries over tables whose owners' functions would run with our rights
    bool allow_same_server = false;
    bool progress = true;
    bool verbose = false;
    int connect_timeout_s = 10;
    std::string statement_timeout;                 ///< PostgreSQL's notation ("30min"); empty: none
    std::chrono::milliseconds statement_limit{0};  ///< the same for the program itself; 0: none
    std::string lock_timeout = "10s";
    std::chrono::milliseconds retry_for = std::chrono::minutes(10);  ///< what may pass is tried again; 0: it is not
    /// After so long a silence a server is asked what it does; 0: never.
    std::chrono::milliseconds stall_timeout = std::chrono::minutes(5);
    std::chrono::milliseconds run_time{0};  ///< after that the run ends, compared or not; 0: no limit
    std::optional<double> fail_above;   ///< the run ends where more per cent of its tables failed; unset: it does not
    std::optional<std::uint64_t> seed;  ///< unset: drawn at random
    bool in_units = true;               ///< a large table may be compared in spans, each under its own snapshots
    double unit_seconds = 300;          ///< how long a pair of snapshots may last, about
    int width = 64;                     ///< 64 or 128
    /// What was given, by the options' names, without connection strings; a flag has no values.
    std::map<std::string, std::vector<std::string>> given;
};

}  // namespace parity::driver
