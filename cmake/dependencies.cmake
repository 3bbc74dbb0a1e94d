# Everything that is not ours, all from Debian 12's packages (packages.txt).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(SQLite3 REQUIRED)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
# Each of a library of ours that is left out without it: libtercet-postgres, libtercet-mariadb.
pkg_check_modules(POSTGRES IMPORTED_TARGET libpq)
set(TERCET_POSTGRES ${POSTGRES_FOUND})
pkg_check_modules(MARIADB IMPORTED_TARGET libmariadb)
set(TERCET_MARIADB ${MARIADB_FOUND})

# gRPC core's C library.  Its pkg-config file and CMake package name some sixty abseil libraries that
# the linker finds by itself.
find_library(GRPC_LIBRARY grpc REQUIRED)
find_library(GPR_LIBRARY gpr REQUIRED)
find_path(GRPC_INCLUDE_DIR grpc/grpc.h REQUIRED)
add_library(grpc_core INTERFACE)
target_include_directories(grpc_core SYSTEM INTERFACE ${GRPC_INCLUDE_DIR})
target_link_libraries(grpc_core INTERFACE ${GRPC_LIBRARY} ${GPR_LIBRARY})

find_library(LEVELDB_LIBRARY leveldb REQUIRED)
find_path(LEVELDB_INCLUDE_DIR leveldb/c.h REQUIRED)
add_library(leveldb_c INTERFACE)
target_include_directories(leveldb_c SYSTEM INTERFACE ${LEVELDB_INCLUDE_DIR})
target_link_libraries(leveldb_c INTERFACE ${LEVELDB_LIBRARY})
