# What `cmake --install` puts where.
#
#   component sdk     headers, libtercet.so, libtercet.a, tercet.pc, the CMake package Tercet, protos,
#                     tercet-conformance; and for each of STORES libtercet-<name>.so and .a,
#                     tercet-<name>.pc, its tables
#   component daemon  tercetd, its sample configuration and unit
#   component doc     licence, readme, docs/
#
# One list, TERCET_PRIVATE_LIBRARIES, names what libtercet.a needs; tercet.pc and TercetConfig.cmake
# are made from it.  tests/integration/install builds a stranger's project against the result.
include(CMakePackageConfigHelpers)

set(TERCET_PRIVATE_LIBRARIES sqlite3 leveldb grpc gpr protobuf-c xxhash)
# Stores in libraries of their own, and what their archives need.
set(STORES)
if(TERCET_POSTGRES)
  list(APPEND STORES postgres)
  set(postgres_DATABASE PostgreSQL)
  set(postgres_PRIVATE_LIBRARY pq)
endif()
if(TERCET_MARIADB)
  list(APPEND STORES mariadb)
  set(mariadb_DATABASE MariaDB)
  set(mariadb_PRIVATE_LIBRARY mariadb)
endif()
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Tercet)
set(made_dir ${PROJECT_BINARY_DIR}/packaging)

# ---- sdk --------------------------------------------------------------------------------------
install(DIRECTORY participant-sdk/include/tercet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT sdk FILES_MATCHING PATTERN "*.h" PATTERN "store_postgres.h" EXCLUDE
        PATTERN "store_mariadb.h" EXCLUDE)
install(TARGETS tercet EXPORT TercetTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk NAMELINK_COMPONENT sdk)
foreach(name ${STORES})
  install(TARGETS tercet_${name} EXPORT TercetTargets
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk NAMELINK_COMPONENT sdk)
  install(FILES $<TARGET_PROPERTY:tercet_${name}_static,IMPORTED_LOCATION>
          DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
  install(FILES participant-sdk/include/tercet/store_${name}.h
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tercet COMPONENT sdk)
endforeach()
# Whichever stores are built: participants without the library need them too.
install(DIRECTORY participant-sdk/fence/sql DESTINATION ${CMAKE_INSTALL_DATADIR}/tercet COMPONENT sdk)
install(EXPORT TercetTargets NAMESPACE Tercet:: DESTINATION ${package_dir} COMPONENT sdk)
install(FILES $<TARGET_PROPERTY:tercet_static,IMPORTED_LOCATION>
        DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
install(TARGETS tercet-conformance RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT sdk)
install(FILES protos/tercet/v1/coordinator.proto protos/tercet/v1/participant.proto
        DESTINATION ${CMAKE_INSTALL_DATADIR}/tercet/protos/tercet/v1 COMPONENT sdk)

configure_package_config_file(cmake/TercetConfig.cmake.in ${made_dir}/TercetConfig.cmake
                              INSTALL_DESTINATION ${package_dir}
                              PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
# Before 1.0 a minor version may break.
write_basic_package_version_file(${made_dir}/TercetConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${made_dir}/TercetConfig.cmake ${made_dir}/TercetConfigVersion.cmake
        DESTINATION ${package_dir} COMPONENT sdk)

list(TRANSFORM TERCET_PRIVATE_LIBRARIES PREPEND -l OUTPUT_VARIABLE pc_private_libraries)
list(APPEND pc_private_libraries ${CMAKE_THREAD_LIBS_INIT})
list(JOIN pc_private_libraries " " TERCET_PC_PRIVATE_LIBRARIES)
# Relative to the file itself, so that the tree may be moved and `cmake --install --prefix` is right.
file(RELATIVE_PATH TERCET_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/tercet.pc.in ${made_dir}/tercet.pc @ONLY)
install(FILES ${made_dir}/tercet.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)
foreach(name ${STORES})
  set(STORE ${name})
  set(DATABASE ${${name}_DATABASE})
  set(STORE_PRIVATE_LIBRARY ${${name}_PRIVATE_LIBRARY})
  configure_file(cmake/tercet-store.pc.in ${made_dir}/tercet-${name}.pc @ONLY)
  install(FILES ${made_dir}/tercet-${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
          COMPONENT sdk)
endforeach()

# ---- daemon -----------------------------------------------------------------------------------
if(TARGET tercetd)
  install(TARGETS tercetd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT daemon)
endif()
file(GLOB sample_configurations CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/coordinator/*.yaml)
install(FILES ${sample_configurations} coordinator/tercetd.service DESTINATION ${CMAKE_INSTALL_DATADIR}/tercet COMPONENT daemon)

# ---- doc --------------------------------------------------------------------------------------
file(GLOB documents CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md
     ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/ARCHITECTURE.md)
install(FILES ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc)
