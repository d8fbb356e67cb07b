#include <optional>
#include <string>

#include "driver/report/document.h"
#include "driver/report/formats.h"

namespace parity::driver {
namespace {

class NdjsonFormat {
  public:
    NdjsonFormat(const ReportDocument& document, Output& output) : document_(document), output_(output) {}

    void write() {
        const Json& head = document_.head();
        Json run = Json::object();
        for (const auto& [name, value] : head.items())
            if (!value.is_array() && name != "large_objects") run[name == "record" ? "recorded" : name] = value;
        record("run", run);
        for (const Json& difference : head.at("schema_differences")) record("schema_difference", difference);
        const Json& tables = head.at("tables");
        for (std::size_t i = 0; i < tables.size(); ++i) write_table("table", tables[i], i);
        if (head.contains("large_objects")) write_table("large_objects", head["large_objects"], std::nullopt);
        for (const Json& sequence : head.at("sequences")) record("sequence", sequence);
        for (const Json& sentence : head.at("not_compared")) record("not_compared", {{"message", sentence}});
        for (const Json& hint : head.value("hints", Json::array())) record("hint", {{"message", hint}});
        for (const Json& error : head.at("errors")) record("error", error);
    }

  private:
    void record(const char* what, const Json& members) {
        Json line{{"record", what}};
        for (const auto& [name, value] : members.items()) line[name] = value;
        output_.write_json(dumped(line));
        output_.write("\n");
    }

    /// A table, and each of its divergences with the table's names, so that a line says by itself what it is about.
    void write_table(const char* what, const Json& table, std::optional<std::size_t> number) {
        Json members = Json::object(), names = Json::object();
        for (const auto& [name, value] : table.items())
            if (name != "divergences") members[name] = value;
        for (const char* side : {"source", "target"})
            if (table.contains(side)) names[side] = table[side];
        record(what, members);
        document_.for_each_divergence(number, [&](const Json& divergence) {
            Json line = number ? Json{{"table", names}} : Json{{"table", "large objects"}};
            for (const auto& [name, value] : divergence.items()) line[name] = value;
            record("divergence", line);
        });
    }

    const ReportDocument& document_;
    Output& output_;
};

}  // namespace

void write_ndjson(const ReportDocument& document, Output& output) { NdjsonFormat(document, output).write(); }

}  // namespace parity::driver
