#include "tests/fuzz/readers.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "driver/options/form_name.h"
#include "driver/postgres/values/names.h"

namespace parity::fuzz {
namespace {

using driver::TypeCatalog;
using driver::TypeDesc;

constexpr std::size_t kFirstAttribute = 10;

/// FNV-1a.
std::uint32_t selector_of(const std::string& name) {
    std::uint32_t hash = 2166136261;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
    return hash;
}

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields(1);
    for (const char c : line)
        if (c == '\t')
            fields.emplace_back();
        else
            fields.back() += c;
    return fields;
}

std::uint32_t oid_of(const std::string& text) { return static_cast<std::uint32_t>(std::stoul(text)); }

TypeDesc describe(const std::vector<std::string>& fields) {
    if (fields.size() < kFirstAttribute) throw std::runtime_error("types.tsv: a line with too few fields");
    TypeDesc type;
    type.oid = oid_of(fields[0]);
    type.schema = fields[1];
    type.name = fields[2];
    type.display = fields[3];
    type.kind = fields[4].at(0);
    type.element = oid_of(fields[5]);
    type.base = oid_of(fields[6]);
    type.subtype = oid_of(fields[7]);
    type.extension = fields[8];
    type.has_send = fields[9] == "t";
    for (std::size_t i = kFirstAttribute; i + 1 < fields.size(); i += 2)
        type.attributes.push_back({fields[i], oid_of(fields[i + 1])});
    return type;
}

/// What a form is asked for with: one that reads in a time zone is listed with "zone" for it.
std::string with_zone(std::string form) {
    constexpr std::string_view kAnyZone = "@zone";
    if (const std::size_t at = form.find(kAnyZone); at != std::string::npos) form.replace(at, kAnyZone.size(), "@UTC");
    return form;
}

}  // namespace

TypeCatalog read_type_file(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    TypeCatalog catalog;
    for (std::string line; std::getline(file, line);) {
        TypeDesc type = describe(split(line));
        if (!catalog.emplace(type.oid, type).second) throw std::runtime_error("types.tsv: an OID stands there twice");
    }
    return catalog;
}

/// Fills in names for the readers of reg* values.
void add_names(const std::vector<Reader>& readers, driver::ObjectNames& names) {
    std::vector<std::string> catalogs;
    for (const Reader& reader : readers) reader.reader->add_needed_names(catalogs);
    for (const std::string& catalog : catalogs)
        for (const std::uint32_t oid : {0U, 11U, 23U, 1259U}) names.add(catalog, oid, "name of " + std::to_string(oid));
}

std::vector<Reader> readers_of(const TypeCatalog& catalog) {
    std::vector<Reader> readers;
    const auto names = std::make_shared<driver::ObjectNames>();
    for (const auto& [oid, type] : catalog) {
        driver::WireForms forms = driver::wire_forms(catalog, oid);
        forms.forms.insert(forms.forms.end(), forms.lossy.begin(), forms.lossy.end());
        for (const std::string& form : forms.forms) {
            const std::string name = type.display + " as " + form;
            readers.push_back({name, selector_of(name), oid, make_wire_decoder(catalog, oid, with_zone(form), names)});
        }
    }
    add_names(readers, *names);
    std::sort(readers.begin(), readers.end(), [](const Reader& a, const Reader& b) { return a.selector < b.selector; });
    for (std::size_t i = 1; i < readers.size(); ++i)
        if (readers[i - 1].selector == readers[i].selector)
            throw std::runtime_error("one selector for " + readers[i - 1].name + " and " + readers[i].name);
    return readers;
}

const std::vector<Reader>& all_readers() {
    static const std::vector<Reader> readers = readers_of(read_type_file(PARITY_SOURCE_DIR "/tests/fuzz/types.tsv"));
    return readers;
}

const Reader& reader_at(std::uint32_t selector) {
    const auto found =
        std::lower_bound(all_readers().begin(), all_readers().end(), selector,
                         [](const Reader& reader, std::uint32_t value) { return reader.selector < value; });
    return found == all_readers().end() ? all_readers().front() : *found;
}

}  // namespace parity::fuzz
