// A secret text that cannot be printed, compared in variable time or left behind in freed memory by accident.
#pragma once

#include <string>
#include <string_view>

namespace pgbakd::base {

class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string text) noexcept;
    Secret(const Secret& other);
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret other) noexcept;
    ~Secret();

    // The text itself, for the one place that hands it to its consumer. Never log it, never put it in argv.
    [[nodiscard]] std::string_view reveal() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

    // Compares in a time that depends on the length of `guess` only.
    [[nodiscard]] bool equals(std::string_view guess) const noexcept;

  private:
    void wipe() noexcept;
    std::string text_;
};

}  // namespace pgbakd::base
