// One entry of the journal with its fields (systemd.journal-fields(7)).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "systemd/environment.hpp"
#include "systemd/message_ids.hpp"

namespace pgbakd::systemd {

// Of syslog(3).
enum class Priority { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

struct Field {
    std::string name;  // capital letters, digits and "_", beginning with a letter, at most 64; others are left out
    std::string value;
};

class Journal {
  public:
    // Longer texts are cut, at a character boundary; more fields are left out.
    static constexpr std::size_t max_message_bytes = std::size_t{16} * 1024;
    static constexpr std::size_t max_value_bytes = std::size_t{4} * 1024;
    static constexpr std::size_t max_fields = 32;

    // `identifier` is what `journalctl -t` shows: "pgbakd".
    explicit Journal(std::string identifier);

    // Whether this descriptor leads to the journal: $JOURNAL_STREAM names its device and inode. Then we run under
    // systemd and structured entries should replace lines on standard error.
    [[nodiscard]] static bool is_connected(int descriptor, const Environment& environment) noexcept;
    [[nodiscard]] static bool connected_to_stderr(const Environment& environment = Environment::of_process()) noexcept;

    // Whether the entry was handed over. Never throws. Lines of a message stay lines of one entry; control characters
    // become "?".
    bool send(Priority priority, std::string_view message, const std::optional<MessageId>& id = {},
              const std::vector<Field>& fields = {}) const noexcept;

    // What send() hands over: "NAME=value" each.
    [[nodiscard]] std::vector<std::string> entry(Priority priority, std::string_view message,
                                                 const std::optional<MessageId>& id,
                                                 const std::vector<Field>& fields) const;

  private:
    std::string identifier_;
};

}  // namespace pgbakd::systemd
