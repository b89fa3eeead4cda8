#include "alert/channels.hpp"
#include "alert/post.hpp"
#include "unit/alert/support.hpp"

using namespace pgbakd;

TEST_CASE("what stands behind a URL's path, and in its query") {
    struct Row {
        std::string url, fail, waiting;
    };
    for (const auto& [url, fail, waiting] : std::vector<Row>{
             {"https://a/b", "https://a/b/fail", "https://a/b?wait=true"},
             {"https://a/b/", "https://a/b/fail", "https://a/b/?wait=true"},
             {"https://a", "https://a/fail", "https://a?wait=true"},
             {"https://a/b?c=1", "https://a/b/fail?c=1", "https://a/b?c=1&wait=true"},
             {"https://a/b/?c=/", "https://a/b/fail?c=/", "https://a/b/?c=/&wait=true"},
             {"https://a/b?", "https://a/b/fail?", "https://a/b?wait=true"},
             {"https://a/b#c?d", "https://a/b/fail", "https://a/b?wait=true"},
         }) {
        CHECK(alert::with_path(url, "/fail") == fail);
        CHECK(alert::with_parameter(url, "wait=true") == waiting);
    }
}

TEST_CASE("what is no URL is not shown") {
    CHECK_NOTHROW(alert::check_url("HTTPS://hooks.example.com/x", "the URL"));
    for (const auto* const url : {"", "hidden", "https:/hidden", "smtp://hidden", "https://", "https:///hidden",
                                  "https://a/hid den", "https://a/hidden\n", "https://user:hidden@/x"}) {
        INFO(url);
        try {
            alert::check_url(url, "the URL of channel ops");
            FAIL("it was taken");
        } catch (const base::Error& error) {
            CHECK(error.code() == base::ErrorCode::invalid_configuration);
            CHECK((error.message() + error.hint()).find("hid") == std::string::npos);
        }
    }
}
