// Writes the block form of YAML that `pgbakctl check` prints.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace pgbakd::config {

// `text` as a YAML scalar that reads back as that text: plain where it is safe, else in double quotes.
[[nodiscard]] std::string yaml_scalar(std::string_view text);

class YamlWriter {
  public:
    // `value` is YAML already, on one line.
    void entry(std::string_view key, std::string_view value);
    // What `body` writes becomes a mapping under `key`; an empty one is left out, unless `keep_empty`.
    void section(std::string_view key, bool keep_empty, const std::function<void()>& body);

    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    void indent();
    std::string text_;
    std::size_t depth_ = 0;
};

}  // namespace pgbakd::config
