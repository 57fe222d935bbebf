! The patch of the sphere, its cells, and its blocks on the ranks: equidistant in longitude and latitude.
! Cell (i, j) of a block is cell (i0 + i, j0 + j) of the patch; face i lies between cells i and i + 1.
! Everything is a function of numbers in the whole patch, so that no value depends on the block that it is computed in.
module grid
  use mpi_f08
  use constants, only: dp, pi, sun_radius
  use failure, only: give_up
  implicit none
  private

  public :: make_grid, exchange, cell_lon, cell_lat, face_lon, face_lat, cell_area, longitude_distance

  integer, parameter, public :: ghosts = 2   ! of a block on every side: the limiter's reach

  type, public :: patch_type
    integer :: nx = 0, ny = 0                   ! cells along longitude and latitude
    real(dp) :: west, south, dlon, dlat         ! edges and widths, rad
    logical :: periodic = .false.               ! the full circle; else open in longitude
    logical :: walls = .false.                  ! in latitude; else open
  end type patch_type

  type, public :: grid_type
    type(patch_type) :: patch
    type(MPI_Comm) :: comm
    integer :: rank = 0, ranks = 1
    integer :: nx = 0, ny = 0, i0 = 0, j0 = 0   ! of the block
    integer :: west, east, south, north         ! ranks of the neighbours; MPI_PROC_NULL: none
    real(dp), allocatable :: row_length(:)      ! (ny) width of a row's cells, m
    real(dp), allocatable :: face_length(:)     ! (0:ny) length of the faces between rows, m
    real(dp), allocatable :: area(:)            ! (ny) of a row's cells, m2
    real(dp) :: column_length                   ! height of a cell, m
  end type grid_type

contains

  ! Cut the patch in blocks.  Collective.
  type(grid_type) function make_grid(patch) result(g)
    type(patch_type), intent(in) :: patch
    integer :: parts(2), place(2), j
    character(len=160) :: text

    g%patch = patch
    parts = 0
    call MPI_Comm_size(MPI_COMM_WORLD, g%ranks)
    call MPI_Dims_create(g%ranks, 2, parts)   ! latitude gets the larger part: its messages are contiguous
    call MPI_Cart_create(MPI_COMM_WORLD, 2, parts, [.false., patch%periodic], .false., g%comm)
    call MPI_Comm_rank(g%comm, g%rank)
    call MPI_Cart_coords(g%comm, g%rank, 2, place)
    call MPI_Cart_shift(g%comm, 0, 1, g%south, g%north)
    call MPI_Cart_shift(g%comm, 1, 1, g%west, g%east)
    if (any([patch%ny, patch%nx] / parts < ghosts)) then
      write (text, '(4(a,i0),a)') '--nx, --ny: ', patch%nx, ' x ', patch%ny, ' cells are too few for ', parts(2), ' x ', &
        parts(1), ' blocks; each needs 2 x 2 cells: give fewer ranks'
      call give_up(text)
    end if
    g%j0 = first_cell(patch%ny, parts(1), place(1))
    g%i0 = first_cell(patch%nx, parts(2), place(2))
    g%ny = first_cell(patch%ny, parts(1), place(1) + 1) - g%j0
    g%nx = first_cell(patch%nx, parts(2), place(2) + 1) - g%i0
    g%row_length = [(sun_radius * cos(cell_lat(patch, g%j0 + j)) * patch%dlon, j = 1, g%ny)]
    g%area = [(cell_area(patch, g%j0 + j), j = 1, g%ny)]
    allocate (g%face_length(0:g%ny))
    g%face_length = [(sun_radius * cos(face_lat(patch, g%j0 + j)) * patch%dlon, j = 0, g%ny)]
    g%column_length = sun_radius * patch%dlat
  end function make_grid

  pure integer function first_cell(cells, parts, part)
    integer, intent(in) :: cells, parts, part

    first_cell = part * (cells / parts) + min(part, mod(cells, parts))
  end function first_cell

  pure real(dp) function cell_lon(patch, i)
    type(patch_type), intent(in) :: patch
    integer, intent(in) :: i

    cell_lon = patch%west + (i - 0.5_dp) * patch%dlon
  end function cell_lon

  pure real(dp) function cell_lat(patch, j)
    type(patch_type), intent(in) :: patch
    integer, intent(in) :: j

    cell_lat = patch%south + (j - 0.5_dp) * patch%dlat
  end function cell_lat

  ! The first and the last face of the full circle are one: they get the same number.
  pure real(dp) function face_lon(patch, i)
    type(patch_type), intent(in) :: patch
    integer, intent(in) :: i

    face_lon = patch%west + merge(modulo(i, patch%nx), i, patch%periodic) * patch%dlon
  end function face_lon

  pure real(dp) function face_lat(patch, j)
    type(patch_type), intent(in) :: patch
    integer, intent(in) :: j

    face_lat = patch%south + j * patch%dlat
  end function face_lat

  pure real(dp) function cell_area(patch, j)
    type(patch_type), intent(in) :: patch
    integer, intent(in) :: j

    cell_area = sun_radius**2 * patch%dlon * (sin(face_lat(patch, j)) - sin(face_lat(patch, j - 1)))
  end function cell_area

  ! From longitude b to a, the short way round.
  elemental real(dp) function longitude_distance(a, b)
    real(dp), intent(in) :: a, b

    longitude_distance = (a - b) - 2 * pi * anint((a - b) / (2 * pi))
  end function longitude_distance

  ! Fill a block's ghosts from its neighbours, or with the nearest cell at an open edge or a wall.  Collective.
  subroutine exchange(g, field)
    type(grid_type), intent(in) :: g
    real(dp), intent(inout) :: field(1 - ghosts:, 1 - ghosts:)

    associate (nx => g%nx, ny => g%ny)
      call swap(g, field(1:ghosts, 1:ny), g%west, field(nx + 1:nx + ghosts, 1:ny), g%east)
      call swap(g, field(nx - ghosts + 1:nx, 1:ny), g%east, field(1 - ghosts:0, 1:ny), g%west)
      if (g%west == MPI_PROC_NULL) field(1 - ghosts:0, 1:ny) = spread(field(1, 1:ny), 1, ghosts)
      if (g%east == MPI_PROC_NULL) field(nx + 1:nx + ghosts, 1:ny) = spread(field(nx, 1:ny), 1, ghosts)
      call swap(g, field(1:nx, 1:ghosts), g%south, field(1:nx, ny + 1:ny + ghosts), g%north)
      call swap(g, field(1:nx, ny - ghosts + 1:ny), g%north, field(1:nx, 1 - ghosts:0), g%south)
      if (g%south == MPI_PROC_NULL) field(1:nx, 1 - ghosts:0) = spread(field(1:nx, 1), 2, ghosts)
      if (g%north == MPI_PROC_NULL) field(1:nx, ny + 1:ny + ghosts) = spread(field(1:nx, ny), 2, ghosts)
    end associate
  end subroutine exchange

  ! Send cells one way and receive those that come the same way.
  subroutine swap(g, sent, receiver, received, sender)
    type(grid_type), intent(in) :: g
    real(dp), intent(in) :: sent(:, :)
    real(dp), intent(inout) :: received(:, :)
    integer, intent(in) :: receiver, sender
    real(dp) :: outgoing(size(sent, 1), size(sent, 2)), incoming(size(received, 1), size(received, 2))

    outgoing = sent
    call MPI_Sendrecv(outgoing, size(outgoing), MPI_DOUBLE_PRECISION, receiver, 0, incoming, size(incoming), &
      MPI_DOUBLE_PRECISION, sender, 0, g%comm, MPI_STATUS_IGNORE)
    if (sender /= MPI_PROC_NULL) received = incoming
  end subroutine swap

end module grid
