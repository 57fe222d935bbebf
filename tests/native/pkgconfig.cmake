# surrogate.pc finds its prefix from its own folder, with a library folder of one level and of more, as on Debian.
foreach(_libdir lib lib/x86_64-linux-gnu)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G ${GENERATOR} ${SETTINGS}
    -DCMAKE_INSTALL_LIBDIR=${_libdir} -DSURROGATE_TESTS=OFF -DSURROGATE_EXAMPLES=OFF -DSURROGATE_FORTRAN=OFF
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(STRINGS ${BUILD}/surrogate.pc _line REGEX "^prefix=")
  string(REPLACE "prefix=\${pcfiledir}" "/opt/surrogate/${_libdir}/pkgconfig" _path "${_line}")
  get_filename_component(_prefix "${_path}" ABSOLUTE)
  if(NOT _prefix STREQUAL "/opt/surrogate")
    message(SEND_ERROR "${_libdir}/pkgconfig/surrogate.pc: '${_line}' is ${_prefix}, expected /opt/surrogate")
  endif()
  file(STRINGS ${BUILD}/surrogate.pc _line REGEX "^fortran_module=")
  if(NOT _line STREQUAL "fortran_module=\${prefix}/share/surrogate/fortran/surrogate.f90")
    message(SEND_ERROR "${_libdir}/pkgconfig/surrogate.pc: '${_line}', expected the module's source under \${prefix}")
  endif()
endforeach()
