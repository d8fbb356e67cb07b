#include "driver/options/command_line.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "driver/commands/command.h"
#include "driver/model/error.h"
#include "driver/model/options.h"
#include "driver/options/request.h"
#include "tests/support/plan_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::usage_error;
using Words = std::vector<std::string>;

CommandLine parse_line(const Words& words) { return parse_command_line(command_specs(), words); }

/// As a comparison takes them.
Options parse(Words words) {
    words.insert(words.begin(), {"compare", "--source", "a", "--target", "b"});
    return Request(parse_line(words).options).options;
}

std::string refusal(const Words& words) {
    return usage_error([&] { parse(words); });
}

/// A configuration file that lasts as long as the test.
class ConfigFile {
  public:
    explicit ConfigFile(const std::string& text) {
        std::string name = std::filesystem::temp_directory_path() / "pgparity-config-XXXXXX";
        close(mkstemp(name.data()));
        path_ = name;
        std::ofstream(path_) << text;
    }
    ~ConfigFile() { std::filesystem::remove(path_); }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

TEST(Options, HaveTheDocumentedDefaults) {
    const Options options = parse({});
    EXPECT_EQ(options.conninfo.source, "a");
    EXPECT_EQ(options.conninfo.target, "b");
    EXPECT_EQ(options.jobs, 1);
    EXPECT_EQ(options.max_divergences, 1000);
    EXPECT_EQ(options.lock_timeout, "10s");
    EXPECT_EQ(options.connect_timeout_s, 10);
    EXPECT_EQ(options.width, 64);
    EXPECT_FALSE(options.ranges || options.workers || options.seed);
    EXPECT_FALSE(options.memory_limit);
    EXPECT_TRUE(options.sequences && options.progress);
    EXPECT_EQ(options.format, ReportFormat::kText);
    EXPECT_EQ(options.engine, Engine::kAuto);
}

TEST(Options, ReadEveryOption) {
    const Options options = parse({"--table",
                                   "a",
                                   "--table",
                                   "b",
                                   "--exclude-table=c",
                                   "--schema",
                                   "s",
                                   "--map",
                                   "x=y",
                                   "--key",
                                   "t=id",
                                   "--columns",
                                   "m,n",
                                   "--exclude-columns",
                                   "o",
                                   "--where",
                                   "id > 1 AND \"A\" <> 'x'",
                                   "--ranges",
                                   "3",
                                   "--jobs",
                                   "2",
                                   "--workers",
                                   "0",
                                   "--max-divergences",
                                   "0",
                                   "--format",
                                   "json",
                                   "--output",
                                   "f",
                                   "--dry-run",
                                   "--strict-schema",
                                   "--no-sequences",
                                   "--sequences-may-be-ahead",
                                   "--enable-row-security",
                                   "--allow-same-server",
                                   "--no-progress",
                                   "--verbose",
                                   "--connect-timeout",
                                   "0",
                                   "--statement-timeout",
                                   "30min",
                                   "--lock-timeout",
                                   "500ms",
                                   "--seed",
                                   "18446744073709551615",
                                   "--width",
                                   "128"});
    EXPECT_EQ(options.tables, (Words{"a", "b"}));
    EXPECT_EQ(options.exclude_tables, (Words{"c"}));
    EXPECT_EQ(options.schemas, (Words{"s"}));
    EXPECT_EQ(options.maps, (Words{"x=y"}));
    EXPECT_EQ(parse({"--map-column", "p=q"}).map_columns, (Words{"p=q"}));
    EXPECT_EQ(options.keys, (Words{"t=id"}));
    EXPECT_EQ(options.columns, (Words{"m,n"}));
    EXPECT_EQ(options.exclude_columns, (Words{"o"}));
    EXPECT_EQ(options.where, "id > 1 AND \"A\" <> 'x'");
    EXPECT_EQ(options.ranges, 3);
    EXPECT_EQ(options.jobs, 2);
    EXPECT_EQ(options.workers, 0);
    EXPECT_EQ(options.max_divergences, 0);
    EXPECT_EQ(options.format, ReportFormat::kJson);
    EXPECT_EQ(options.output, "f");
    EXPECT_TRUE(options.dry_run && options.strict_schema && options.enable_row_security && options.allow_same_server &&
                options.verbose);
    EXPECT_FALSE(options.sequences || options.progress);
    EXPECT_TRUE(options.sequences_may_be_ahead);
    EXPECT_EQ(options.connect_timeout_s, 0);
    EXPECT_EQ(options.statement_timeout, "30min");
    EXPECT_EQ(options.lock_timeout, "500ms");
    EXPECT_EQ(options.seed, ~std::uint64_t{0});
    EXPECT_EQ(options.width, 128);
    EXPECT_EQ(parse({"--seed", "-1"}).seed, ~std::uint64_t{0});
}

TEST(Options, AnEmptyConnectionStringMeansLibpqsDefaults) {
    EXPECT_EQ(parse_line({"compare", "--source", "", "--target", "x"}).options.conninfo.source, "");
}

TEST(Options, NameWhereMetricsAreKept) {
    using Labels = std::vector<std::pair<std::string, std::string>>;
    const Options options = parse({"--metrics-file", "/tmp/shop.prom", "--metrics-label", "comparison=shop",
                                   "--metrics-label", "_Team2=a = \"ß\""});
    EXPECT_EQ(options.metrics_file, "/tmp/shop.prom");
    EXPECT_EQ(options.metrics_labels, (Labels{{"comparison", "shop"}, {"_Team2", "a = \"ß\""}}));
    const ConfigFile file("metrics-file = \"a.prom\"\nmetrics-label = [\"a=b\", \"c=d\"]\n");
    EXPECT_EQ(parse({"--config", file.path()}).metrics_labels, (Labels{{"a", "b"}, {"c", "d"}}));
    EXPECT_TRUE(parse({}).metrics_file.empty());
}

TEST(Options, RefuseLabelsThatMetricsCannotHave) {
    const auto refused = [](const Words& labels) {
        Words words{"--metrics-file", "f"};
        for (const std::string& label : labels) words.insert(words.end(), {"--metrics-label", label});
        return refusal(words);
    };
    for (const char* label :
         {"",        "=",         "a",     "a=",         "=b",   "1a=b",       "a-b=c", "__a=b", "side=a", "kind=a",
          "state=a", "version=a", "job=a", "instance=a", "le=1", "quantile=1", "ä=b",   "a=\n",  "a=\xff", "a b=c"})
        EXPECT_EQ(refused({label}), std::string("invalid value \"") + label + "\" for --metrics-label");
    EXPECT_EQ(refused({"a=1", "a=2"}), "invalid value \"a=2\" for --metrics-label");
    EXPECT_EQ(refusal({"--metrics-label", "a=b"}), "--metrics-label needs --metrics-file");
    EXPECT_EQ(refusal({"--metrics-file", ""}), "invalid value \"\" for --metrics-file");
    EXPECT_EQ(refusal({"--metrics-file", "f", "--dry-run"}),
              "--dry-run compares nothing, so there is no --metrics-file");
}

TEST(Options, NameWhereTheRunIsRecorded) {
    const Options options = parse({"--record", "service=records", "--record-values", "--table", "a", "--jobs", "2"});
    EXPECT_EQ(options.record, "service=records");
    EXPECT_TRUE(options.record_values);
    EXPECT_EQ(options.given, (std::map<std::string, Words>{{"record-values", {}}, {"table", {"a"}}, {"jobs", {"2"}}}));
    EXPECT_EQ(refusal({"--record-values"}), "--record-values needs --record");
    EXPECT_EQ(refusal({"--record", ""}), "invalid value \"\" for --record");
    const ConfigFile file("record = \"service=records\"\nrecord-values = true\nwhere = \"id > 1\"\n");
    const Options from_file = parse({"--config", file.path()});
    EXPECT_EQ(from_file.record, "service=records");
    EXPECT_TRUE(from_file.record_values);
    EXPECT_EQ(from_file.given.at("where"), (Words{"id > 1"}));
    EXPECT_FALSE(from_file.given.contains("record"));
}

TEST(Options, NameTheEngineAndTheMemory) {
    EXPECT_EQ(parse({"--engine", "auto"}).engine, Engine::kAuto);
    EXPECT_EQ(parse({"--engine", "stream"}).engine, Engine::kStream);
    EXPECT_EQ(parse({"--engine", "extension"}).engine, Engine::kExtension);
    EXPECT_EQ(parse({"--memory-limit", "512MB"}).memory_limit, std::uint64_t{512} << 20);
}

TEST(Options, RefuseValuesThatMeanNothing) {
    for (const auto& [option, value] :
         std::vector<std::pair<std::string, std::string>>{{"--ranges", "0"},
                                                          {"--ranges", "-1"},
                                                          {"--ranges", "x"},
                                                          {"--ranges", "1.5"},
                                                          {"--ranges", "99999999999999999999"},
                                                          {"--jobs", "0"},
                                                          {"--workers", "-1"},
                                                          {"--max-divergences", "-1"},
                                                          {"--connect-timeout", "-1"},
                                                          {"--format", "xml"},
                                                          {"--width", "65"},
                                                          {"--seed", "0x"},
                                                          {"--statement-timeout", "soon"},
                                                          {"--lock-timeout", "10 parsecs"},
                                                          {"--lock-timeout", ""},
                                                          {"--engine", "fast"},
                                                          {"--engine", ""},
                                                          {"--memory-limit", "0"},
                                                          {"--memory-limit", "0GB"},
                                                          {"--memory-limit", "1 GB"},
                                                          {"--memory-limit", "-1"},
                                                          {"--memory-limit", "99999999TB"},
                                                          {"--where", " \n"}}) {
        EXPECT_EQ(refusal({option, value}), "invalid value \"" + value + "\" for " + option);
    }
}

TEST(Options, RefuseWhatIsMissingUnknownOrGivenTwice) {
    EXPECT_EQ(usage_error([] { parse_line({}); }), "a command is missing");
    EXPECT_EQ(usage_error([] { parse_line({"nonesuch"}); }), "unknown command \"nonesuch\"");
    EXPECT_EQ(usage_error([] { parse_line({"compare", "--target", "b"}); }), "--source is missing");
    EXPECT_EQ(usage_error([] { parse_line({"compare", "--source", "b"}); }), "--target is missing");
    EXPECT_EQ(refusal({"--nonesuch=1"}), "unknown option \"--nonesuch\"");
    EXPECT_EQ(refusal({"stray"}), "the source is given twice: as --source and without a name");
    EXPECT_EQ(usage_error([] { parse_line({"compare", "a", "b", "stray"}); }), "unexpected argument \"stray\"");
    EXPECT_EQ(usage_error([] {
                  parse_line({"compare", "a", "b", "--target", "c"});
              }),
              "the target is given twice: as --target and without a name");
    EXPECT_EQ(usage_error([] { parse_line({"compare", "a"}); }), "--target is missing");
    EXPECT_EQ(refusal({"--ranges"}), "--ranges needs a value");
    EXPECT_EQ(refusal({"--ranges", "1", "--ranges", "2"}), "--ranges is given more than once");
    EXPECT_EQ(refusal({"--where", "a > 1", "--map-column", "a=b"}), "--where cannot be combined with --map-column");
    EXPECT_EQ(refusal({"--table", "x", "--exclude-table", "x"}), "\"x\" is given to both --table and --exclude-table");
}

TEST(Options, RefuseBadNamesBeforeAnyServerIsAsked) {
    EXPECT_NE(refusal({"--table", "a.b.c.d"}).find("a.b.c.d"), std::string::npos);
    EXPECT_NE(refusal({"--map", "a"}).find("--map"), std::string::npos);
    EXPECT_NE(refusal({"--key", ""}).find("--key"), std::string::npos);
}

TEST(Options, NeverRepeatWhatMayBeAConnectionString) {
    for (const char* stray : {"postgresql://u:hunter2@h/db", "password=hunter2", "--pasword=hunter2", "-x=hunter2"}) {
        EXPECT_EQ(refusal({stray}).find("hunter2"), std::string::npos) << stray;
    }
}

TEST(Options, TakeTheServersWithoutNames) {
    const CommandLine line = parse_line({"compare", "-t", "x", "host=a dbname=d", "postgresql://b/d"});
    EXPECT_EQ(line.options.conninfo.source, "host=a dbname=d");
    EXPECT_EQ(line.options.conninfo.target, "postgresql://b/d");
    EXPECT_EQ(line.options.tables, (Words{"x"}));
    EXPECT_FALSE(line.options.given.contains("source") || line.options.given.contains("target"));
}

TEST(Options, HaveTheLettersOfPgDump) {
    const Options options =
        parse({"-t", "a", "-T", "b", "-n", "s", "-j", "3", "-f", "out", "-F", "junit", "-q", "-v", "-ta2"});
    EXPECT_EQ(options.tables, (Words{"a", "a2"}));
    EXPECT_EQ(options.exclude_tables, (Words{"b"}));
    EXPECT_EQ(options.schemas, (Words{"s"}));
    EXPECT_EQ(options.jobs, 3);
    EXPECT_EQ(options.output, "out");
    EXPECT_EQ(options.format, ReportFormat::kJunit);
    EXPECT_TRUE(options.quiet && options.verbose);
}

std::string hint_of(const Words& words) {
    try {
        parse_line(words);
    } catch (const Error& error) {
        return error.hint();
    }
    return "no error";
}

TEST(Options, SuggestWhatSomebodyMayHaveMeant) {
    EXPECT_EQ(hint_of({"comapre"}), "did you mean \"compare\"? pgparity --help shows how to use it");
    EXPECT_EQ(hint_of({"compare", "a", "b", "--exclude-tabel=x"}),
              "did you mean \"--exclude-table\"? pgparity compare --help lists the options");
    EXPECT_EQ(hint_of({"compare", "a", "b", "--zzz"}), "pgparity compare --help lists the options");
    EXPECT_EQ(hint_of({"nothinglikeit"}), "pgparity --help shows how to use it");
}

/// What the shell has divided comes without blanks.
TEST(Options, TellThatAConnectionStringWantsQuotes) {
    const std::string quotes = "put each connection string into quotes: 'host=old dbname=shop'";
    for (const Words& words : std::vector<Words>{
             {"compare", "host=old", "dbname=shop", "host=new", "dbname=shop"},
             {"compare", "host=old dbname=shop", "host=new", "dbname=shop", "user=me"},
             {"compare", "a", "b", "sslmode=require"},
             {"compare", "host=a", "dbname=x", "target_session_attrs=any"},
             {"compare", "--source", "host=old", "dbname=shop", "--target", "host=new", "dbname=shop"},
             {"compare", "--source", "host=old", "service=shop"},
         })
        EXPECT_EQ(hint_of(words), quotes) << words[1];
}

TEST(Options, DoNotAskForQuotesThatAreThere) {
    const std::string list = "pgparity compare --help lists the options";
    for (const Words& words : std::vector<Words>{
             {"compare", "host=a dbname=x", "host=b dbname=x", "host=c dbname=x"},
             {"compare", "host=a dbname=x", "host=b dbname=x", "host=c dbname=x", "user=me"},
             {"compare", "a", "b", "postgresql://c/x?sslmode=require"},
             {"compare", "--source", "host=a", "host=b dbname=x"},
             {"compare", "--source", "host=a", "postgresql://b/x?sslmode=require"},
             {"compare", "a", "b", "nonesuch=1"},
             {"compare", "a", "b", "--zzz", "host=c"},
         })
        EXPECT_EQ(hint_of(words), list) << words.back();
    for (const char* option : {"--maps", "--maps=a=b"})
        EXPECT_EQ(hint_of({"compare", "a", "b", option, "a=b"}), "did you mean \"--map\"? " + list) << option;
}

TEST(Options, HelpFitsIntoEightyColumns) {
    for (const char* command : {"", "compare", "report", "dead-letters", "completion", "help"}) {
        std::istringstream help(help_text(command_specs(), command));
        for (std::string line; std::getline(help, line);) EXPECT_LE(line.size(), 80U) << line;
    }
}

TEST(Options, PrintHelpAndVersion) {
    EXPECT_EQ(parse_line({"--version"}).print, "pgparity " PARITY_VERSION " (digest format 1)\n");
    const std::string help = parse_line({"compare", "--help"}).print.value();
    for (const char* text : {"--source CONNINFO", "--max-divergences", "--config FILE", "Exit status", "Examples"}) {
        EXPECT_NE(help.find(text), std::string::npos) << text;
    }
}

TEST(Options, HelpIsACommand) {
    EXPECT_EQ(parse_line({"help", "compare"}).argument, "compare");
    EXPECT_EQ(parse_line({"help"}).argument, "");
    EXPECT_EQ(help_text(command_specs(), "compare"), parse_line({"compare", "--help"}).print.value());
    EXPECT_EQ(help_text(command_specs(), ""), parse_line({"--help"}).print.value());
    EXPECT_EQ(usage_error([] { help_text(command_specs(), "nonesuch"); }), "unknown command \"nonesuch\"");
    EXPECT_EQ(usage_error([] { parse_line({"help", "compare", "more"}); }), "unexpected argument \"more\"");
}

TEST(ConfigFile, GivesOptionsThatTheCommandLineOverrides) {
    const ConfigFile file(
        "source = \"host=x\"\ntarget = \"host=y\"\ntable = [\"a\", \"b\"]\nkey = \"id\"\njobs = 2\nranges = 9\n"
        "dry-run = true\nverbose = false\n");
    const Options options = parse_line({"compare", "--config", file.path(), "--ranges", "3", "--table", "c"}).options;
    EXPECT_EQ(options.conninfo.source, "host=x");
    EXPECT_EQ(options.tables, (Words{"c"}));
    EXPECT_EQ(options.keys, (Words{"id"}));
    EXPECT_EQ(options.jobs, 2);
    EXPECT_EQ(options.ranges, 3);
    EXPECT_TRUE(options.dry_run);
    EXPECT_FALSE(options.verbose);
}

TEST(ConfigFile, ErrorsNameTheirPlace) {
    for (const auto& [text, line, message] : std::vector<std::tuple<std::string, int, std::string>>{
             {"jobs = 1\nnonesuch = 1", 2, "unknown key \"nonesuch\""},
             {"[section]\nx = 1", 1, "unknown key \"section\""},
             {"ranges = 0", 1, "invalid value \"0\" for --ranges"},
             {"ranges = \"x\"", 1, "\"ranges\" must be a whole number"},
             {"\njobs = true", 2, "\"jobs\" must be a whole number"},
             {"table = 5", 1, "\"table\" must be a string or an array of strings"},
             {"table = [5]", 1, "\"table\" must be a string or an array of strings"},
             {"dry-run = 1", 1, "\"dry-run\" must be true or false"},
             {"where = []", 1, "\"where\" must be a string"}}) {
        const ConfigFile file(text);
        EXPECT_EQ(refusal({"--config", file.path()}), file.path() + ":" + std::to_string(line) + ": " + message);
    }
    for (const char* text : {"table = [", "ranges = 1\nranges = 2", "= 1"}) {
        const ConfigFile file(text);
        EXPECT_NE(refusal({"--config", file.path()}).find(file.path() + ":"), std::string::npos) << text;
        EXPECT_NE(refusal({"--config", file.path()}).find("syntax error"), std::string::npos) << text;
    }
    EXPECT_EQ(refusal({"--config", "/nonesuch/config.toml"}),
              "could not read configuration file \"/nonesuch/config.toml\": No such file or directory");
}

}  // namespace
}  // namespace parity::driver
