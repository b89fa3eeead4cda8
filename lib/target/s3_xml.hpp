// The XML that S3 answers with, as a small tree: elements and text, without attributes, comments and namespaces. Read
// by expat, with limits, for the other side may be anybody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace pgbakd::target {

struct XmlElement {
    std::string name;  // without a namespace
    std::string text;  // of its own, pieces between children joined
    std::vector<XmlElement> children;

    // The first child of that name, or nothing.
    [[nodiscard]] const XmlElement* child(std::string_view wanted) const noexcept;
    // Its text, trimmed; empty if there is none.
    [[nodiscard]] std::string_view value(std::string_view wanted) const noexcept;
    [[nodiscard]] bool is_true(std::string_view wanted) const noexcept { return value(wanted) == "true"; }
    // Decimal digits; nothing for anything else.
    [[nodiscard]] std::optional<std::uint64_t> number(std::string_view wanted) const noexcept;
};

// Documents of S3 are 3 deep and have at most 1,000 entries of a dozen elements.
inline constexpr std::size_t most_xml_depth = 16;
inline constexpr std::size_t most_xml_elements = 50'000;

// The document's element. Error: server_error for what is not well-formed, has a document type, or exceeds a limit.
[[nodiscard]] base::Result<XmlElement> parse_xml(std::string_view text);

// "&", "<", ">" and quotes as entities, and control characters as references; for text of XML that we write.
[[nodiscard]] std::string xml_escape(std::string_view text);

}  // namespace pgbakd::target
