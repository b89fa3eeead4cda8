#include "os/extents.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/file.hpp"

namespace pgbakd::os {

void ExtentList::add(DataExtent extent) {
    const auto is_near = [this](const DataExtent& before, const DataExtent& next) {
        return next.offset - (before.offset + before.length) < smallest_hole_;
    };
    const auto append = [&](std::vector<DataExtent>& list, const DataExtent& next) {
        if (!list.empty() && is_near(list.back(), next))
            list.back().length = next.offset + next.length - list.back().offset;
        else
            list.push_back(next);
    };
    append(extents_, extent);
    while (extents_.size() > most_) {
        smallest_hole_ *= 2;
        std::vector<DataExtent> fewer;
        for (const auto& one : extents_) append(fewer, one);
        extents_ = std::move(fewer);
    }
}

std::vector<DataExtent> data_extents(const Descriptor& file, std::uint64_t size, std::size_t most,
                                     std::string_view path) {
    ExtentList extents(most);
    const auto end = static_cast<off_t>(size);
    for (off_t at = 0; at < end;) {
        const auto data = ::lseek(file.get(), at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;  // nothing but a hole up to the end
        if (data < 0 && (errno == EINVAL || errno == EOPNOTSUPP)) return {{0, size}};
        if (data < 0) throw error_of_path(errno, "looking for holes in", path);
        if (data >= end) break;
        const auto hole = ::lseek(file.get(), data, SEEK_HOLE);
        if (hole < 0 && errno == ENXIO) break;  // cut off meanwhile
        if (hole < 0) throw error_of_path(errno, "looking for holes in", path);
        at = std::min(hole, end);
        if (at <= data) break;
        extents.add({static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(at - data)});
    }
    return extents.list();
}

}  // namespace pgbakd::os
