// The MESSAGE_ID of each kind of event: fixed for ever, so that `journalctl MESSAGE_ID=…` and journal catalogs find it.
// New kinds get an id from `systemd-id128 new`.
#pragma once

#include <array>
#include <string_view>

namespace pgbakd::systemd {

struct MessageId {
    std::string_view name;  // for documentation
    std::string_view id;    // 32 hexadecimal digits, lower case
    bool operator==(const MessageId&) const = default;
};

inline constexpr MessageId run_started{"run started", "c21d16304f0d4b5b80e78181f4ef6610"};
inline constexpr MessageId run_succeeded{"run succeeded", "db4532e8bf1949d09fe8157dddfd3345"};
inline constexpr MessageId run_failed{"run failed", "38199e3d25204cb5aec77219ceb8ceb6"};
inline constexpr MessageId fire_missed{"fire missed", "38d021da1879492f89d3e24da52177f0"};
inline constexpr MessageId upload_owed{"upload owed", "724ae8c5ec544a83a6c9b9cdb9b6f95f"};
inline constexpr MessageId health_finding{"health finding", "2d8556184b79442aa6771717c38608ac"};
inline constexpr MessageId drill_result{"drill result", "54a267b8a6a54772add9c5aef33e69ac"};
inline constexpr MessageId reload_accepted{"reload accepted", "4e47f00af85e4e4ab1b966c70cafec29"};
inline constexpr MessageId reload_refused{"reload refused", "850088ce27a4471fbe9557ad4ffa7fc6"};
inline constexpr MessageId daemon_ready{"daemon ready", "04098ae4fdcb47929049aa9179e2a375"};
inline constexpr MessageId daemon_stopping{"daemon stopping", "2a2d8e70a38b4a9db98f5b1a1530f9e6"};
inline constexpr MessageId set_pruned{"set pruned", "2ce71bf2c32347f18a1cbdf6ec39f8d9"};

inline constexpr std::array all_message_ids{run_started,    run_succeeded,  run_failed,      fire_missed,
                                            upload_owed,    health_finding, drill_result,    reload_accepted,
                                            reload_refused, daemon_ready,   daemon_stopping, set_pruned};

}  // namespace pgbakd::systemd
