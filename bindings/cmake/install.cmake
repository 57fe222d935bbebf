# What `cmake --install` and a wheel hold: library, headers, CMake package, pkg-config file, sources that users compile.
include(CMakePackageConfigHelpers)
set(_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/surrogate)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/bindings/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT surrogate-targets NAMESPACE surrogate:: DESTINATION ${_cmake_dir} FILE surrogate-targets.cmake)
if(TARGET surrogate_mpi)
  install(EXPORT surrogate-mpi-targets NAMESPACE surrogate:: DESTINATION ${_cmake_dir} FILE surrogate-mpi-targets.cmake)
endif()
if(TARGET surrogate_fortran_mpi)
  install(EXPORT surrogate-fortran_mpi-targets NAMESPACE surrogate:: DESTINATION ${_cmake_dir}
    FILE surrogate-fortran_mpi-targets.cmake)
endif()
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/surrogate-config.cmake.in
  ${PROJECT_BINARY_DIR}/surrogate-config.cmake INSTALL_DESTINATION ${_cmake_dir}
  PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/surrogate-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/surrogate-config.cmake ${PROJECT_BINARY_DIR}/surrogate-config-version.cmake
  DESTINATION ${_cmake_dir})

file(RELATIVE_PATH _to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix) # a library folder may have levels
set(_packages surrogate)
if(TARGET surrogate_mpi)
  list(APPEND _packages surrogate_mpi)
endif()
foreach(_package IN LISTS _packages)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${_package}.pc.in ${PROJECT_BINARY_DIR}/${_package}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${_package}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

# Fortran module files belong to one compiler version: the source is installed too, to be compiled with the solver.
install(FILES ${PROJECT_SOURCE_DIR}/bindings/fortran/surrogate.f90 DESTINATION ${CMAKE_INSTALL_DATADIR}/surrogate/fortran)
# Engines that need torch are compiled on the user's machine against the torch found there: surrogate engine build torch.
install(FILES ${PROJECT_SOURCE_DIR}/bindings/engines/engine.h DESTINATION ${CMAKE_INSTALL_DATADIR}/surrogate/engines)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/bindings/engines/torch DESTINATION ${CMAKE_INSTALL_DATADIR}/surrogate/engines)
