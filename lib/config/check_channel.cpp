#include "config/check_channel.hpp"

#include "config/unknown_names.hpp"

namespace pgbakd::config {
namespace {

void check_login(Problems& problems, const Node& node) {
    const auto* user = node.find("user");
    const auto* password = node.find("password");
    if (user != nullptr && password == nullptr)
        problems.missing(node, "password", "an account needs its password, as {credential: NAME}");
    if (password != nullptr && user == nullptr) problems.missing(node, "user", "a password needs its account");
}

}  // namespace

void check_channel(Problems& problems, const std::vector<std::string>* jobs, const Named<model::ChannelSpec>& channel) {
    const auto& node = *channel.node;
    if (std::holds_alternative<model::MailPlace>(channel.value.place)) check_login(problems, node);
    const auto* list = node.usable("jobs");
    if (list == nullptr) return;
    if (list->children.empty())
        problems.error(*list, "an empty list: it would be told of no job",
                       "remove the key for all jobs, or remove the channel");
    if (jobs != nullptr) check_names_exist(problems, *list, "job", *jobs, "jobs: see above");
}

}  // namespace pgbakd::config
