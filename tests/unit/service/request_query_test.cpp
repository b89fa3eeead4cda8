#include "service/request_query.hpp"

#include <array>

#include "support/catch.hpp"

using namespace pgbakd;

namespace {

service::Query query_of(std::string_view text) {
    service::HttpRequest request;
    service::read_target("/x?" + std::string(text), request).value();
    return request.query;
}

}  // namespace

TEST_CASE("a page, its size and filters are read within their bounds") {
    struct Row {
        std::string_view text;
        int page, size;
    };
    for (const auto& row : {Row{"", 1, 10}, Row{"page=2", 2, 10}, Row{"page_size=200", 1, 200},
                            Row{"page=1000000&page_size=1", 1'000'000, 1}, Row{"job=&status=", 1, 10}}) {
        CAPTURE(row.text);
        const auto query = service::read_report_query(query_of(row.text)).value();
        CHECK(query.page == row.page);
        CHECK(query.page_size == row.size);
        CHECK_FALSE(query.job);
        CHECK_FALSE(query.status);
    }
    const auto filtered = service::read_report_query(query_of("status=WARNING&job=shop-daily")).value();
    CHECK(filtered.status == model::Outcome::warning);
    CHECK(filtered.job == "shop-daily");
}

TEST_CASE("what is wrong in a query is named, with what is allowed, all of it at once") {
    struct Row {
        std::string_view text, told;
    };
    for (const auto& row :
         {Row{"page=0", "page must be a whole number from 1 to 1000000 (got \"0\")"}, Row{"page=", "got \"\""},
          Row{"page=-1", "got \"-1\""}, Row{"page=1.5", "got \"1.5\""}, Row{"page=+1", "got \"+1\""},
          Row{"page=1000001", "got \"1000001\""}, Row{"page=99999999999999999999", "from 1 to 1000000"},
          Row{"page_size=0", "page_size must be"}, Row{"page_size=201", "from 1 to 200 (got \"201\")"},
          Row{"status=FOO", "status must be one of SUCCESS, WARNING, FAILED, SKIPPED, CANCELLED, INTERRUPTED, RUNNING"},
          Row{"status=success", "got \"success\""}, Row{"job=a/b", "job must be a job's name (got \"a/b\")"},
          Row{"status=%0A%FF", "(got \"??\")"}, Row{"page=0&status=FOO", "; status must be one of"}}) {
        CAPTURE(row.text);
        const auto query = service::read_report_query(query_of(row.text));
        REQUIRE_FALSE(query);
        CHECK(query.error().code() == base::ErrorCode::invalid_argument);
        CAPTURE(query.error().message());
        CHECK(query.error().message().find(row.told) != std::string::npos);
        CHECK_FALSE(query.error().hint().empty());
    }
}

TEST_CASE("parameters that a route does not have, or has twice, are refused with those it has") {
    const std::array<std::string_view, 2> known{"page", "job"};
    CHECK(service::check_parameters(query_of("page=1&job=a"), known));
    const auto unknown = service::check_parameters(query_of("pageNum=1&job=a"), known);
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().message() == "there is no parameter \"pageNum\"");
    CHECK(unknown.error().hint() == "this route has: page, job");
    CHECK(service::check_parameters(query_of("job=a&job=b"), known).error().message() == "job is given twice");
    CHECK(service::check_parameters(query_of("x"), {}).error().hint() == "this route has no parameters");
}

TEST_CASE("wait is true or false") {
    CHECK_FALSE(service::read_wait(query_of("")).value());
    CHECK_FALSE(service::read_wait(query_of("wait=false")).value());
    CHECK(service::read_wait(query_of("wait=true")).value());
    for (const auto* text : {"wait", "wait=", "wait=1", "wait=TRUE"}) {
        CAPTURE(text);
        CHECK_FALSE(service::read_wait(query_of(text)));
    }
}
