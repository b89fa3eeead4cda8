// What must hold for any text given as a configuration: for the fuzzer, and for its corpus as an ordinary test.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/zone.hpp"
#include "config/config.hpp"

namespace pgbakd::config::testing {

inline void must(bool holds, const char* what, const std::string& detail) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n%s\n", what, detail.c_str());
    std::abort();
}

inline Host fuzz_host() {
    const auto find = [](std::string_view name) -> base::Result<calendar::ZonePtr> {
        if (name == "UTC") return calendar::Zone::utc();
        return base::Error(base::ErrorCode::not_found, "no such zone");
    };
    return {find, "UTC", base::Instant(std::chrono::seconds(1'768'003'200))};
}

inline std::string all_problems(const LoadResult& result) {
    std::string all;
    for (const auto& problem : result.problems) all += problem_text(problem) + "\n";
    return all;
}

// Loading ends, says something when it fails, and what is loaded can be written and loaded again without loss. A line
// "%%" begins another file.
inline void check_config_property(std::string_view text) {
    std::vector<Document> documents;
    constexpr std::string_view separator = "\n%%\n";
    for (;;) {
        const auto end = text.find(separator);
        documents.push_back({"f" + std::to_string(documents.size()), std::string(text.substr(0, end)), false});
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + separator.size());
    }
    const auto host = fuzz_host();
    const auto first = load(documents, host);
    const auto problems = all_problems(first);
    if (!first.config) return must(!first.problems.empty(), "a refusal has a reason", problems);
    for (const auto& problem : first.problems)
        must(problem.severity == Problem::Severity::warning, "no error beside a configuration", problems);
    const auto written = effective_yaml(*first.config);
    const auto second = load({{"written", written, false}}, host);
    must(second.config != nullptr, "what was written loads", written + all_problems(second));
    must(effective_yaml(*second.config) == written, "what was written is complete",
         written + "---\n" + effective_yaml(*second.config));
}

}  // namespace pgbakd::config::testing
