// What must hold between the keys of a job, and between a job and the rest.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/keys.hpp"
#include "config/longest_gaps.hpp"
#include "config/zones.hpp"

namespace pgbakd::config {

// What a job's check needs to know besides the job.
struct JobSurroundings {
    const Config& config;  // with its zone, if that was found
    const Host& host;
    Zones& zones;
    LongestGaps& gaps;
    bool servers_known = false;          // the section `servers` could be read
    std::vector<std::string> servers{};  // sorted names of those defined
    bool targets_known = false;          // likewise `targets`
    std::vector<std::string> targets{};
    bool channels_known = false;  // likewise `alerts`
    std::vector<std::string> channels{};
    std::map<std::string, model::ServerType> server_types{};       // of those that could be read
    std::map<std::string, model::ClientSpec> clients_elsewhere{};  // by server, where its programs do not run here
};

// Completes the job (zone, default retention, default age) and reports what does not fit.
void check_job(Problems& problems, const JobSurroundings& surroundings, Named<model::JobSpec>& job);

}  // namespace pgbakd::config
