! flux_transport: see options.f90 for the command line, run.f90 for the time loop.
program flux_transport
  use mpi_f08, only: MPI_Init, MPI_Finalize
  use options, only: options_type, read_options
  use run, only: run_all
  use usage, only: print_usage
  implicit none
  type(options_type) :: o

  call MPI_Init()
  o = read_options()
  if (o%help) then
    call print_usage()
  else
    call run_all(o)
  end if
  call MPI_Finalize()
end program flux_transport
