# surrogate.pc, and surrogate_mpi.pc where there is MPI, find their prefix from their own folder, with a library folder
# of one level and of more, as on Debian.
foreach(_libdir lib lib/x86_64-linux-gnu)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G ${GENERATOR} ${SETTINGS}
    -DCMAKE_INSTALL_LIBDIR=${_libdir} -DSURROGATE_TESTS=OFF -DSURROGATE_EXAMPLES=OFF -DSURROGATE_FORTRAN=OFF
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  foreach(_name surrogate surrogate_mpi)
    if(NOT EXISTS ${BUILD}/${_name}.pc AND _name STREQUAL surrogate_mpi)
      continue() # no MPI here
    endif()
    file(STRINGS ${BUILD}/${_name}.pc _line REGEX "^prefix=")
    string(REPLACE "prefix=\${pcfiledir}" "/opt/surrogate/${_libdir}/pkgconfig" _path "${_line}")
    get_filename_component(_prefix "${_path}" ABSOLUTE)
    if(NOT _prefix STREQUAL "/opt/surrogate")
      message(SEND_ERROR "${_libdir}/pkgconfig/${_name}.pc: '${_line}' is ${_prefix}, expected /opt/surrogate")
    endif()
    file(STRINGS ${BUILD}/${_name}.pc _line REGEX "^fortran_module=")
    if(NOT _line STREQUAL "fortran_module=\${prefix}/share/surrogate/fortran/${_name}.f90")
      message(SEND_ERROR "${_libdir}/pkgconfig/${_name}.pc: '${_line}', expected the module's source under \${prefix}")
    endif()
  endforeach()
endforeach()
