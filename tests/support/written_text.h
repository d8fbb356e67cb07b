#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "driver/report/output.h"

namespace parity::test {

/// What `write` writes.
inline std::string written_text(const std::function<void(driver::Output&)>& write) {
    std::string name = (std::filesystem::temp_directory_path() / "written_text-XXXXXX").string();
    const std::filesystem::path directory = mkdtemp(name.data());
    const std::string file = directory / "report";
    driver::Output output(file);
    write(output);
    output.finish();
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    std::filesystem::remove_all(directory);
    return text.str();
}

}  // namespace parity::test
