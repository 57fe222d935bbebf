! The text of --help.
module usage
  use mpi_f08, only: MPI_COMM_WORLD, MPI_Comm_rank
  use parameters, only: parameter_count, defaults
  implicit none
  private

  public :: print_usage

  character(len=*), parameter :: text(*) = [character(len=120) :: &
    'flux_transport: surface flux transport of the radial magnetic field on a patch of the Sun (MUSCL, SSP-RK2, MPI)', &
    '', &
    '  flux_transport [options]', &
    '', &
    'start', &
    '  --map FILE           a synoptic map: HDF5 with Data (colatitude, longitude) in G, dim1, dim2; without it regions', &
    '                       that emerged before', &
    '  --restart FILE       a frame of a recording; patch, seed, time and physics come from the file', &
    '  --restart-frame K    which (0); negative counts from the end', &
    '  --seed N             of flow and emergence (0)', &
    '  --nx N --ny N        cells along longitude and latitude (512, 128); on restart an integer fraction of the frame''s', &
    '  --lon-range W,E      degrees (0,360: periodic; less is open)', &
    '  --lat-range S,N      degrees (-45,45)', &
    '  --lat-boundary B     open (default) or wall', &
    'run', &
    '  --frames K           number of frames (1)', &
    '  --first-frame H      hours from time 0 to the first (0; on restart the time of the frame)', &
    '  --interval H         hours between frames (4)', &
    '  --cfl C              Courant number (0.5)', &
    'output', &
    '  --output FILE        HDF5 in the layout of The Well', &
    '  --double             store 64-bit numbers (32-bit)', &
    '  --json               report as one line of JSON', &
    'surrogate', &
    '  --surrogate BUNDLE   each interval in one jump of a surrogate, stepping where it refuses', &
    '  --surrogate-mode M   where its program runs: tiles, gather, batch, auto (auto)', &
    '  --surrogate-threads N  of a rank that runs it (0: the cores of the node, shared among those)', &
    'physics']

contains

  subroutine print_usage()
    integer :: rank, k
    character(len=24) :: option

    call MPI_Comm_rank(MPI_COMM_WORLD, rank)
    if (rank /= 0) return
    print '(a)', (trim(text(k)), k = 1, size(text))
    do k = 1, parameter_count
      option = '--' // with_hyphens(defaults(k)%name)
      print '(2x,a,1x,a,a,g0.5,a)', option(:20), trim(defaults(k)%text), ' (', defaults(k)%value, ')'
    end do
  end subroutine print_usage

  pure function with_hyphens(name) result(text)
    character(len=*), intent(in) :: name
    character(len=len(name)) :: text
    integer :: k

    text = name
    do k = 1, len(name)
      if (name(k:k) == '_') text(k:k) = '-'
    end do
  end function with_hyphens

end module usage
