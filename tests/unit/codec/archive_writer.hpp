// Writes the archive again whose events it gets, as any version: what the tests have no program for is made from what
// they have, and writing the same version must give the same file.
#pragma once

#include <functional>

#include "codec/archive_reader.hpp"
#include "support.hpp"

namespace pgbakd::codec::testing {

class ArchiveWriter final : public ArchiveHandler {
  public:
    // minor 0: the version that is read.
    explicit ArchiveWriter(int minor = 0) : minor_(minor) {}
    Buffer output;
    ArchiveHeader header;
    std::vector<ArchiveEntry> entries;
    // What to change before an entry is written.
    std::function<void(ArchiveEntry&)> edit;

    base::Status on_header(const ArchiveHeader& read) override {
        header = read;
        if (minor_ == 0) minor_ = read.minor;
        for (const char c : std::string_view("PGDMP\1")) byte(static_cast<unsigned char>(c));
        for (const int value : {minor_, read.revision, read.integer_size, read.offset_size, read.format})
            byte(static_cast<unsigned>(value));
        if (minor_ >= 15)
            byte(static_cast<unsigned>(read.compression));
        else
            integer(read.minor < 15 ? read.level : read.compression == ArchiveCompression::none ? 0 : -1);
        for (const int value : {read.second, read.minute, read.hour, read.day, read.month, read.year, read.daylight})
            integer(value);
        for (const auto* value : {&read.database, &read.server_version, &read.dump_version}) text(*value);
        integer(read.entries);
        return {};
    }
    base::Status on_toc_entry(ArchiveEntry& entry) override {
        if (edit) edit(entry);
        integer(entry.dump_id);
        integer(entry.has_data ? 1 : 0);
        for (const auto* value : {&entry.table_oid, &entry.oid, &entry.tag, &entry.description}) text(*value);
        integer(entry.section);
        for (const auto* value :
             {&entry.definition, &entry.drop_statement, &entry.copy_statement, &entry.schema, &entry.tablespace})
            text(*value);
        if (minor_ >= 14) text(entry.table_access_method);
        if (minor_ >= 16) integer(entry.relation_kind);
        text(entry.owner);
        text(entry.with_oids);
        for (const auto id : entry.dependencies) text(std::to_string(id));
        text(std::nullopt);
        if (header.format == 1) {
            byte(static_cast<unsigned>(entry.data_position));
            for (int i = 0; i < header.offset_size; ++i)
                byte(static_cast<unsigned>((entry.data_offset >> (8 * i)) & 0xffU));
        } else {
            text(entry.file_name);
        }
        entries.push_back(std::move(entry));
        return {};
    }
    base::Status on_data_begin(std::int32_t dump_id) override {
        const auto entry =
            std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.dump_id == dump_id; });
        in_large_objects_ = entry->is("BLOBS");
        byte(in_large_objects_ ? 3 : 1);
        integer(dump_id);
        return {};
    }
    base::Status on_large_object_begin(std::uint32_t oid) override {
        integer(static_cast<std::int32_t>(oid));
        return {};
    }
    base::Status on_data(Bytes stored) override {
        integer(static_cast<std::int64_t>(stored.size()));
        output.insert(output.end(), stored.begin(), stored.end());
        return {};
    }
    base::Status on_stream_end() override {
        integer(0);
        return {};
    }
    base::Status on_data_end(std::int32_t) override {
        if (in_large_objects_) integer(0);
        return {};
    }

    void byte(unsigned value) { output.push_back(static_cast<std::byte>(value)); }
    void integer(std::int64_t value) {
        byte(value < 0 ? 1 : 0);
        const auto magnitude = static_cast<std::uint64_t>(value < 0 ? -value : value);
        for (int i = 0; i < header.integer_size; ++i) byte(static_cast<unsigned>((magnitude >> (8 * i)) & 0xffU));
    }
    void text(const std::optional<std::string>& value) {
        if (!value) return integer(-1);
        integer(static_cast<std::int64_t>(value->size()));
        for (const char c : *value) output.push_back(static_cast<std::byte>(c));
    }

  private:
    int minor_;
    bool in_large_objects_ = false;
};

// `archive` as another version 1.x.
inline Buffer rewritten(Bytes archive, int minor, std::function<void(ArchiveEntry&)> edit = {}) {
    ArchiveWriter writer(minor);
    writer.edit = std::move(edit);
    ArchiveReader reader(ArchiveForm::custom, writer);
    feed(reader, archive).value();
    return writer.output;
}

}  // namespace pgbakd::codec::testing
