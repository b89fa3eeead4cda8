// test-alert: the daemon sends a test message to one channel or to all, and says what came of it.
#include <fmt/format.h>

#include "admin/client.hpp"
#include "admin/configuration.hpp"
#include "admin/json_view.hpp"
#include "admin/output.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"

namespace pgbakd::admin {
namespace {

// A minute for each channel that does not answer.
constexpr std::chrono::minutes patience{10};

void print_result(Context& context, const boost::json::object& result) {
    const auto name = base::printable(text_at(result, "channel"));
    if (const auto error = object_at(result, "error"); !error.empty()) {
        context.out << fmt::format("{}: not delivered: {}\n", name, base::printable(text_at(error, "message")));
        const auto hint = text_at(error, "hint");
        if (!hint.empty()) context.out << "  hint: " << base::printable(hint) << '\n';
        return;
    }
    context.out << name << ": delivered\n";
    const auto remark = text_at(result, "remark");
    if (!remark.empty()) context.out << "  " << base::printable(remark) << '\n';
}

}  // namespace

ExitCode perform_test_alert(Context& context, const Arguments& arguments) {
    Client::Limits limits;
    limits.answer = patience;
    std::string target = "/v1/alerts/test";
    if (const auto channel = arguments.find("CHANNEL")) target += "?channel=" + percent_encoded(*channel);
    const auto answer = Client(control_socket(context), limits).post(target);
    if (!answer.good()) throw refusal(answer);
    bool good = true;
    const auto results = list_at(answer.body, "channels");
    for (const auto& value : results) good = good && object_at(as_object(value), "error").empty();
    if (context.json) {
        print_json(context, answer.body);
    } else {
        for (const auto& value : results) print_result(context, as_object(value));
        if (results.empty()) context.out << "there are no channels: see alerts: in the configuration\n";
    }
    return good ? ExitCode::good : ExitCode::failed;
}

}  // namespace pgbakd::admin
