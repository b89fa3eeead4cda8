#include "service/authorization.hpp"

#include "support/catch.hpp"

using namespace pgbakd;

TEST_CASE("whoever has the token is let in, and nobody else") {
    service::TokenGuard guard(std::array<std::byte, 32>{});
    CHECK_FALSE(guard.admits("Bearer "));
    CHECK_FALSE(guard.admits("Bearer 0123456789abcdef"));  // no token is set: nobody has it
    guard.set_token(base::Secret("0123456789abcdef"));
    for (const auto* good : {"Bearer 0123456789abcdef", "bearer 0123456789abcdef", "BEARER  0123456789abcdef "}) {
        CAPTURE(good);
        CHECK(guard.admits(good));
    }
    for (const auto* wrong :
         {"", "Bearer", "Bearer ", "0123456789abcdef", "Basic 0123456789abcdef", "Bearer 0123456789abcde",
          "Bearer 0123456789abcdef0", "Bearer 0123456789ABCDEF", "Bearer 0123456789abcdef,x"}) {
        CAPTURE(wrong);
        CHECK_FALSE(guard.admits(wrong));
    }
    CHECK_FALSE(guard.admits("Bearer " + std::string(16'000, 'a')));
    guard.set_token(base::Secret("another one, longer"));
    CHECK_FALSE(guard.admits("Bearer 0123456789abcdef"));
    CHECK(guard.admits("Bearer another one, longer"));
    guard.set_token({});
    CHECK_FALSE(guard.admits("Bearer "));
}

TEST_CASE("however many were turned away, it is one line") {
    service::Refusals refusals;
    CHECK_FALSE(refusals.any());
    refusals.note("192.0.2.1");
    CHECK(refusals.take_line() == "the API refused 1 request without the right token, the last one from 192.0.2.1");
    CHECK_FALSE(refusals.any());
    for (int i = 0; i < 999; ++i) refusals.note("192.0.2.2");
    CHECK(refusals.take_line() == "the API refused 999 requests without the right token, the last one from 192.0.2.2");
}
