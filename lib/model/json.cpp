#include "model/json.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "base/units.hpp"
#include "base/utf8.hpp"

namespace pgbakd::model {
namespace {

using base::Error;
using base::ErrorCode;
using base::Timestamp;
using std::chrono::milliseconds;

constexpr std::size_t deepest = 16;

// Prints by our own hand, because Boost.JSON neither indents nor writes 4.1 as people do.
class Printer {
  public:
    enum class Layout { one_line, indented };
    explicit Printer(Layout layout) : layout_(layout) {}

    void print(const boost::json::value& value) {
        if (const auto* object = value.if_object()) return print_object(*object);
        if (const auto* array = value.if_array()) return print_array(*array);
        if (const auto* number = value.if_double()) {
            fmt::format_to(std::back_inserter(text_), "{}", *number);
            return;
        }
        text_ += boost::json::serialize(value);
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    void print_object(const boost::json::object& object) {
        open('{');
        bool first = true;
        for (const auto& [key, member] : object) {
            next(first);
            text_ += boost::json::serialize(boost::json::value(key));
            text_ += layout_ == Layout::indented ? ": " : ":";
            print(member);
        }
        close('}', object.empty());
    }
    void print_array(const boost::json::array& array) {
        open('[');
        bool first = true;
        for (const auto& element : array) {
            next(first);
            print(element);
        }
        close(']', array.empty());
    }
    void open(char bracket) {
        text_ += bracket;
        ++depth_;
    }
    void next(bool& first) {
        if (!first) text_ += ',';
        first = false;
        new_line();
    }
    void close(char bracket, bool empty) {
        --depth_;
        if (!empty) new_line();
        text_ += bracket;
    }
    void new_line() {
        if (layout_ == Layout::one_line) return;
        text_ += '\n';
        text_.append(2 * depth_, ' ');
    }

    Layout layout_;
    std::size_t depth_ = 0;
    std::string text_;
};

std::string printed(const boost::json::value& value, Printer::Layout layout) {
    Printer printer(layout);
    printer.print(value);
    return printer.take();
}

}  // namespace

base::Result<boost::json::value> parse_json(std::string_view text, std::size_t limit) {
    if (text.size() > limit)
        return Error(ErrorCode::corrupt, fmt::format("the JSON text is larger than {}", base::format_size(limit)));
    boost::json::parse_options options;
    options.max_depth = deepest;
    boost::json::stream_parser parser({}, options);
    boost::json::error_code error;
    std::size_t at = parser.write(text.data(), text.size(), error);
    if (!error) {
        at = text.size();
        parser.finish(error);
    }
    if (error) return Error(ErrorCode::corrupt, fmt::format("not JSON at byte {}: {}", at, error.message()));
    return parser.release();
}

std::string pretty(const boost::json::value& value) {
    return printed(value, Printer::Layout::indented);
}

std::string compact(const boost::json::value& value) {
    return printed(value, Printer::Layout::one_line);
}

boost::json::string json_text(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto length = base::utf8_length(text);
        if (length == 0)
            fmt::format_to(std::back_inserter(result), "%{:02X}", static_cast<unsigned char>(text.front()));
        else
            result += text.substr(0, length);
        text.remove_prefix(std::max(length, std::size_t{1}));
    }
    return boost::json::string(result);
}

boost::json::value json_text_or_null(std::string_view text) {
    return text.empty() ? boost::json::value(nullptr) : boost::json::value(json_text(text));
}

boost::json::value json_time(Timestamp time) {
    if (time == Timestamp{}) return nullptr;
    auto text = calendar::format_rfc3339_utc(base::to_instant(time));
    const auto part = time - base::to_instant(time);
    if (part != milliseconds(0) && text.ends_with('Z'))
        text.insert(text.size() - 1, fmt::format(".{:03}", part.count()));
    return boost::json::value(text);
}

base::Result<Timestamp> parse_time(std::string_view text) {
    const auto instant = calendar::parse_rfc3339(text);
    if (!instant) return instant.error();
    // Well formed, so what follows a dot is the fraction.
    milliseconds part(0);
    if (const auto dot = text.find('.'); dot != std::string_view::npos) {
        milliseconds digit(100);
        for (auto i = dot + 1; i < text.size() && base::is_digit(text[i]); ++i, digit /= 10)
            part += (text[i] - '0') * digit;
    }
    return Timestamp(*instant) + part;
}

boost::json::object json_artifact(const Artifact& artifact) {
    return {{"file", json_text(artifact.file)},
            {"kind", json_text(artifact.kind)},
            {"database", json_text_or_null(artifact.database)},
            {"format", json_text(artifact.format)},
            {"bytes", artifact.bytes},
            {"raw_bytes", artifact.raw_bytes},
            {"sha256", json_text(artifact.sha256)},
            {"compression", json_text(artifact.compression)},
            {"encryption", json_text_or_null(artifact.encryption)},
            {"verified", verification_text(artifact.verified)},
            {"verified_at", json_time(artifact.verified_at)}};
}

}  // namespace pgbakd::model
