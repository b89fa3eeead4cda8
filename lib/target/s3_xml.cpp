#include "target/s3_xml.hpp"

#include <expat.h>
#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

#include "base/text.hpp"

namespace pgbakd::target {
namespace {

struct Reader {
    XML_Parser parser = nullptr;
    XmlElement root;
    std::vector<XmlElement*> open;  // from the document's element inwards; stable, for only the last one grows
    std::size_t elements = 0;
    const char* refused = nullptr;

    void refuse(const char* why) {
        refused = why;
        XML_StopParser(parser, XML_FALSE);
    }
};

void on_start(void* data, const XML_Char* name, const XML_Char** /*attributes*/) {
    auto& reader = *static_cast<Reader*>(data);
    if (reader.refused != nullptr) return;
    if (reader.open.size() >= most_xml_depth) return reader.refuse("it is nested too deeply");
    if (++reader.elements > most_xml_elements) return reader.refuse("it has too many elements");
    XmlElement* element = &reader.root;
    if (!reader.open.empty()) element = &reader.open.back()->children.emplace_back();
    std::string_view local(name);
    if (const auto colon = local.rfind(':'); colon != std::string_view::npos) local.remove_prefix(colon + 1);
    element->name = local;
    reader.open.push_back(element);
}

void on_end(void* data, const XML_Char* /*name*/) {
    auto& reader = *static_cast<Reader*>(data);
    if (!reader.open.empty()) reader.open.pop_back();
}

void on_text(void* data, const XML_Char* text, int length) {
    auto& reader = *static_cast<Reader*>(data);
    if (reader.refused == nullptr && !reader.open.empty())
        reader.open.back()->text.append(text, static_cast<std::size_t>(length));
}

// No answer of S3 has one; entities, and with them every known attack by size, begin there.
void on_document_type(void* data, const XML_Char* /*name*/, const XML_Char* /*system*/, const XML_Char* /*public*/,
                      int /*has_internal_subset*/) {
    static_cast<Reader*>(data)->refuse("it has a document type");
}

base::Error not_readable(std::string_view why) {
    return {base::ErrorCode::server_error, fmt::format("the answer is not the XML that it should be: {}", why),
            "check that endpoint is that of an S3 service"};
}

}  // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const noexcept {
    for (const auto& entry : children) {
        if (entry.name == wanted) return &entry;
    }
    return nullptr;
}

std::string_view XmlElement::value(std::string_view wanted) const noexcept {
    const auto* const found = child(wanted);
    return found == nullptr ? std::string_view() : base::trim(found->text);
}

std::optional<std::uint64_t> XmlElement::number(std::string_view wanted) const noexcept {
    const auto digits = value(wanted);
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || failure != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

base::Result<XmlElement> parse_xml(std::string_view text) {
    if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return not_readable("it is too large");
    struct Free {
        void operator()(XML_Parser parser) const noexcept { XML_ParserFree(parser); }
    };
    const std::unique_ptr<std::remove_pointer_t<XML_Parser>, Free> parser(XML_ParserCreate(nullptr));
    if (!parser) throw std::bad_alloc();
    Reader reader;
    reader.parser = parser.get();
    XML_SetUserData(parser.get(), &reader);
    XML_SetElementHandler(parser.get(), on_start, on_end);
    XML_SetCharacterDataHandler(parser.get(), on_text);
    XML_SetStartDoctypeDeclHandler(parser.get(), on_document_type);
    // White space keeps a connection busy, also before a declaration, where XML has none.
    text = base::trim(text);
    const auto status = XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), 1);
    if (reader.refused != nullptr) return not_readable(reader.refused);
    if (status != XML_STATUS_OK) return not_readable(XML_ErrorString(XML_GetErrorCode(parser.get())));
    return std::move(reader.root);
}

std::string xml_escape(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&': escaped += "&amp;"; break;
            case '<': escaped += "&lt;"; break;
            case '>': escaped += "&gt;"; break;
            case '"': escaped += "&quot;"; break;
            case '\'': escaped += "&apos;"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20)
                    escaped += fmt::format("&#{};", static_cast<int>(c));
                else
                    escaped += c;
        }
    }
    return escaped;
}

}  // namespace pgbakd::target
