// Reads JSON (RFC 8259) that is pushed into it and tells its tokens, in bounded memory: for documents of any size,
// which model/json.hpp would hold whole. For this folder only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/sink.hpp"

namespace pgbakd::codec {

enum class JsonToken { object_begin, object_end, array_begin, array_end, key, text, number, word };

class JsonHandler {
  public:
    JsonHandler() = default;
    JsonHandler(const JsonHandler&) = delete;
    JsonHandler& operator=(const JsonHandler&) = delete;
    virtual ~JsonHandler() = default;
    // `text`: of keys and texts what they mean, of numbers and words ("true", "false", "null") how they are written;
    // it is valid during the call. A failure ends the reading.
    [[nodiscard]] virtual base::Status on_token(JsonToken token, std::string_view text) = 0;
};

// Fails with `corrupt` where the bytes are no JSON, a text or number is longer than `longest`, or things are nested
// more than `deepest` deep. Whether texts are UTF-8 is not looked at. `handler` must outlive the scanner.
class JsonScanner final : public Sink {
  public:
    static constexpr std::size_t longest = 16384;
    static constexpr std::size_t deepest = 8;

    // `what` is read, for messages: "the backup manifest". A literal.
    JsonScanner(JsonHandler& handler, std::string_view what) : handler_(handler), what_(what) {}
    [[nodiscard]] base::Status write(Bytes bytes) override;
    [[nodiscard]] base::Status finish() override;

  private:
    enum class Expect { value, value_or_end, key, key_or_end, colon, comma_or_end, nothing };
    enum class Inside { none, text, escape, code, number, word };

    base::Status take(char c);
    base::Status take_structure(char c);
    base::Status take_text(char c);
    base::Status take_escape(char c);
    base::Status take_code(char c);
    base::Status begin(char c);
    base::Status end(char c);
    base::Status end_text();
    base::Status end_plain();
    base::Status append(char c);
    base::Status append_code_point();
    void after_value() noexcept;
    [[nodiscard]] bool expects_value() const noexcept {
        return expect_ == Expect::value || expect_ == Expect::value_or_end;
    }
    [[nodiscard]] base::Error damaged(std::string_view fact) const;

    JsonHandler& handler_;
    std::string_view what_;
    Expect expect_ = Expect::value;
    Inside inside_ = Inside::none;
    std::vector<char> open_;  // '{' or '['
    std::string text_;
    std::uint32_t code_ = 0;  // of an escape, and how many of its digits are there
    unsigned digits_ = 0;
    std::uint32_t high_ = 0;  // the first half of a pair of surrogates; 0: none
    std::uint64_t offset_ = 0;
};

}  // namespace pgbakd::codec
