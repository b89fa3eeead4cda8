#include "source/restore_cluster.hpp"

#include "support/catch.hpp"

using namespace pgbakd;

namespace {

model::Artifact artifact(std::string file, std::string kind) {
    model::Artifact found;
    found.file = std::move(file);
    found.kind = std::move(kind);
    return found;
}

}  // namespace

TEST_CASE("a base backup is put together by stock tools, beside whatever is live") {
    model::BackupSet set;
    set.artifacts = {artifact("16400_20260111_020000.tar.gz", "tablespace"),
                     artifact("base_20260111_020000.tar.gz", "base"),
                     artifact("backup_manifest_20260111_020000.json.gz", "manifest")};
    CHECK(source::restore_cluster_commands(set) ==
          std::vector<std::string>{
              "mkdir --mode=0700 data",
              "tar --extract --file=base_20260111_020000.tar.gz --directory=data",
              "mkdir --mode=0700 tablespace_16400",
              "tar --extract --file=16400_20260111_020000.tar.gz --directory=tablespace_16400",
              "ln --symbolic \"$PWD\"/tablespace_16400 data/pg_tblspc/16400",
              "gunzip --stdout backup_manifest_20260111_020000.json.gz > data/backup_manifest",
              "pg_verifybackup data",
              "printf '%s %s\\n' 16400 \"$PWD\"/tablespace_16400 > data/tablespace_map",
          });
}

TEST_CASE("without tablespaces there is no map of them") {
    model::BackupSet set;
    set.artifacts = {artifact("base_20260111_020000.tar.zst", "base"),
                     artifact("backup_manifest_20260111_020000.json.zst", "manifest")};
    CHECK(source::restore_cluster_commands(set) ==
          std::vector<std::string>{
              "mkdir --mode=0700 data",
              "tar --extract --file=base_20260111_020000.tar.zst --directory=data",
              "zstd --decompress --stdout backup_manifest_20260111_020000.json.zst > data/backup_manifest",
              "pg_verifybackup data",
          });
}
