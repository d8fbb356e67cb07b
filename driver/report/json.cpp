#include <optional>
#include <string>
#include <string_view>

#include "driver/report/document.h"
#include "driver/report/formats.h"

namespace parity::driver {
namespace {

/// Writes a document member by member, one level of lists and objects on lines of their own and what is in them on one
/// line each, with the divergences in their places.
class JsonFormat {
  public:
    JsonFormat(const ReportDocument& document, Output& output) : document_(document), output_(output) {}

    void write() {
        write_object(document_.head(), 0, [&](const std::string& name, const Json& value) {
            if (name == "tables")
                write_tables(value);
            else if (name == "large_objects")
                write_table(value, std::nullopt, 1);
            else if (value.is_array())
                write_list(value, 1);
            else
                output_.write_json(dumped(value));
        });
        output_.write("\n");
    }

  private:
    void new_line(int depth) { output_.write("\n" + std::string(static_cast<std::size_t>(2 * depth), ' ')); }

    template <typename WriteValue>
    void write_object(const Json& object, int depth, WriteValue write_value) {
        output_.write("{");
        bool first = true;
        for (const auto& [name, value] : object.items()) {
            if (!first) output_.write(",");
            first = false;
            new_line(depth + 1);
            output_.write_json(dumped(name) + ": ");
            write_value(name, value);
        }
        if (!first) new_line(depth);
        output_.write("}");
    }

    /// Elements on a line each, as they come out of `for_each`.
    template <typename ForEach>
    void write_elements(int depth, ForEach for_each) {
        output_.write("[");
        bool first = true;
        for_each([&](const auto& write_element) {
            if (!first) output_.write(",");
            first = false;
            new_line(depth + 1);
            write_element();
        });
        if (!first) new_line(depth);
        output_.write("]");
    }

    void write_list(const Json& list, int depth) {
        write_elements(depth, [&](const auto& next) {
            for (const Json& element : list) next([&] { output_.write_json(dumped(element)); });
        });
    }

    void write_tables(const Json& tables) {
        write_elements(1, [&](const auto& next) {
            for (std::size_t i = 0; i < tables.size(); ++i) next([&] { write_table(tables[i], i, 2); });
        });
    }

    void write_table(const Json& table, std::optional<std::size_t> number, int depth) {
        write_object(table, depth, [&](const std::string& name, const Json& value) {
            if (name == "divergences")
                write_elements(depth + 1, [&](const auto& next) {
                    document_.for_each_divergence(
                        number, [&](const Json& divergence) { next([&] { output_.write_json(dumped(divergence)); }); });
                });
            else if (name == "columns")
                write_list(value, depth + 1);
            else
                output_.write_json(dumped(value));
        });
    }

    const ReportDocument& document_;
    Output& output_;
};

}  // namespace

void write_json(const ReportDocument& document, Output& output) { JsonFormat(document, output).write(); }

}  // namespace parity::driver
