#include <initializer_list>
#include <memory>
#include <optional>
#include <string>

#include "driver/report/document.h"
#include "driver/report/formats.h"
#include "driver/report/parts.h"

namespace parity::driver {
namespace {

/// What is known of a run when it begins.
constexpr std::initializer_list<const char*> kBeginning = {
    "tool",  "version",         "schema_version", "format_version", "started_at", "seed",
    "width", "max_divergences", "strict_schema",  "options",        "source",     "target"};

class NdjsonFormat : public ReportParts {
  public:
    explicit NdjsonFormat(Output& output) : output_(output) {}

    void begin(const Json& head) override {
        Json beginning = Json::object();
        for (const char* name : kBeginning)
            if (head.contains(name)) beginning[name] = head[name];
        record("begin", beginning);
        for (const Json& difference : head.at("schema_differences")) record("schema_difference", difference);
    }

    void table(const Json& table, const ForEachDivergence& for_each_divergence) override {
        Json names = Json::object();
        for (const char* side : {"source", "target"})
            if (table.contains(side)) names[side] = table[side];
        write_table("table", table, names, for_each_divergence);
    }

    void end(const ReportDocument& document, const WrittenParts& written) override {
        const Json& head = document.head();
        const Json& differences = head.at("schema_differences");
        for (std::size_t i = written.differences; i < differences.size(); ++i)
            record("schema_difference", differences[i]);
        write_tables(*this, document, written);
        for (const Json& skipped : head.at("tables"))
            if (skipped.contains("not_compared")) table(skipped, [](const auto&) {});
        if (head.contains("large_objects"))
            write_table("large_objects", head["large_objects"], "large objects",
                        [&](const auto& take) { document.for_each_divergence(std::nullopt, take); });
        for (const Json& sequence : head.at("sequences")) record("sequence", sequence);
        for (const Json& sentence : head.at("not_compared")) record("not_compared", {{"message", sentence}});
        for (const Json& hint : head.value("hints", Json::array())) record("hint", {{"message", hint}});
        for (const Json& error : head.at("errors")) record("error", error);
        write_run(head);
    }

  private:
    void record(const char* what, const Json& members) {
        Json line{{"record", what}};
        for (const auto& [name, value] : members.items()) line[name] = value;
        output_.write_json(dumped(line));
        output_.write("\n");
    }

    /// A table, and each of its divergences with the table's names, so that a line says by itself what it is about.
    void write_table(const char* what, const Json& table, const Json& names,
                     const ForEachDivergence& for_each_divergence) {
        Json members = Json::object();
        for (const auto& [name, value] : table.items())
            if (name != "divergences") members[name] = value;
        record(what, members);
        for_each_divergence([&](const Json& divergence) {
            Json line{{"table", names}};
            for (const auto& [name, value] : divergence.items()) line[name] = value;
            record("divergence", line);
        });
    }

    void write_run(const Json& head) {
        Json run = Json::object();
        for (const auto& [name, value] : head.items())
            if (!value.is_array() && name != "large_objects") run[name == "record" ? "recorded" : name] = value;
        record("run", run);
    }

    Output& output_;
};

}  // namespace

void write_ndjson(const ReportDocument& document, Output& output) {
    NdjsonFormat parts(output);
    write_parts(parts, document);
}

std::unique_ptr<ReportParts> make_ndjson_parts(Output& output) { return std::make_unique<NdjsonFormat>(output); }

}  // namespace parity::driver
