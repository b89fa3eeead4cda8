// The Error that an action ends with.
#pragma once

#include "base/error.hpp"
#include "support/catch.hpp"

namespace pgbakd::testing {

// The test fails if it ends with none.
template <class Action>
base::Error error_of(Action action) {
    try {
        action();
    } catch (const base::Error& error) {
        return error;
    }
    FAIL("no error was thrown");
    return {base::ErrorCode::internal, ""};
}

}  // namespace pgbakd::testing
