! The start from a synoptic map: HDF5 with Data (colatitude, longitude) in G, and the axes dim1 (longitude) and dim2
! (colatitude) in radians, the last longitude that of the first (files of HipFT and POT3D).
module synoptic_map
  use hdf5, only: hid_t
  use mpi_f08, only: MPI_Bcast, MPI_INTEGER, MPI_DOUBLE_PRECISION
  use constants, only: dp, pi
  use failure, only: agree, message_length
  use grid, only: grid_type, patch_type, cell_lon, cell_lat
  use hdf5_reader, only: open_file, close_file, array_shape, read_slab
  implicit none
  private

  public :: read_map

  type :: map_type
    integer :: shape(2) = 0
    real(dp), allocatable :: field(:, :)     ! (longitude, colatitude)
    real(dp), allocatable :: lon(:), colat(:)
  end type map_type

contains

  ! Fill a block's field (nx, ny). Collective.
  subroutine read_map(path, g, field)
    character(len=*), intent(in) :: path
    type(grid_type), intent(in) :: g
    real(dp), intent(out) :: field(:, :)
    type(map_type) :: map
    integer :: i, j

    call load(path, g, map)
    do j = 1, g%ny
      do i = 1, g%nx
        field(i, j) = cell_mean(map, g%patch, g%i0 + i, g%j0 + j)
      end do
    end do
  end subroutine read_map

  ! Read on one rank, held by all.
  subroutine load(path, g, map)
    character(len=*), intent(in) :: path
    type(grid_type), intent(in) :: g
    type(map_type), intent(out) :: map
    character(len=message_length) :: error

    error = ''
    if (g%rank == 0) call read_file(path, map, error)
    call agree('--map', error)
    call MPI_Bcast(map%shape, 2, MPI_INTEGER, 0, g%comm)
    if (g%rank /= 0) allocate (map%field(map%shape(1), map%shape(2)), map%lon(map%shape(1)), map%colat(map%shape(2)))
    call MPI_Bcast(map%field, size(map%field), MPI_DOUBLE_PRECISION, 0, g%comm)
    call MPI_Bcast(map%lon, size(map%lon), MPI_DOUBLE_PRECISION, 0, g%comm)
    call MPI_Bcast(map%colat, size(map%colat), MPI_DOUBLE_PRECISION, 0, g%comm)
  end subroutine load

  subroutine read_file(path, map, error)
    character(len=*), intent(in) :: path
    type(map_type), intent(inout) :: map
    character(len=*), intent(out) :: error
    integer(hid_t) :: file
    integer, allocatable :: sizes(:)
    logical :: failed(3)

    call open_file(path, file, error)
    if (error /= '') return
    sizes = array_shape(file, 'Data')
    if (size(sizes) /= 2) then
      error = path // ' has no array Data (colatitude, longitude); expected a synoptic map with Data, dim1 and dim2'
    else
      map%shape = sizes
      allocate (map%field(sizes(1), sizes(2)), map%lon(sizes(1)), map%colat(sizes(2)))
      call read_slab(file, 'Data', [0, 0], sizes, map%field, failed(1))
      call read_slab(file, 'dim1', [0], sizes(1:1), map%lon, failed(2))
      call read_slab(file, 'dim2', [0], sizes(2:2), map%colat, failed(3))
      if (any(failed)) then
        error = path // ': cannot read Data, dim1 (longitude) and dim2 (colatitude) in the sizes of Data'
      else if (.not. sound(map)) then
        error = path // ': expected finite Data, dim1 from 0 to 2 pi and dim2 from 0 to pi in equal steps (rad)'
      end if
    end if
    call close_file(file)
  end subroutine read_file

  ! Interpolation counts steps from the first value of each axis.
  pure logical function sound(map)
    type(map_type), intent(in) :: map

    associate (nx => map%shape(1), ny => map%shape(2))
      sound = all(abs(map%field) <= huge(1.0)) .and. abs(map%lon(1)) < 1e-3 .and. abs(map%colat(1)) < 1e-3 .and. &
        abs(map%lon(nx) - 2 * pi) < 1e-3 .and. abs(map%colat(ny) - pi) < 1e-3
    end associate
  end function sound

  ! Mean of linear interpolations at equidistant places, about one a cell of the map.
  pure real(dp) function cell_mean(map, patch, i, j)
    type(map_type), intent(in) :: map
    type(patch_type), intent(in) :: patch
    integer, intent(in) :: i, j
    integer :: places(2), k, m

    places = ceiling([patch%dlon / (2 * pi), patch%dlat / pi] * (map%shape - 1) - 1e-9_dp)
    cell_mean = 0
    do m = 1, places(2)
      do k = 1, places(1)
        cell_mean = cell_mean + interpolated(map, &
          cell_lon(patch, i) + ((k - 0.5_dp) / places(1) - 0.5_dp) * patch%dlon, &
          cell_lat(patch, j) + ((m - 0.5_dp) / places(2) - 0.5_dp) * patch%dlat)
      end do
    end do
    cell_mean = cell_mean / product(places)
  end function cell_mean

  pure real(dp) function interpolated(map, lon, lat)
    type(map_type), intent(in) :: map
    real(dp), intent(in) :: lon, lat
    real(dp) :: x, y
    integer :: i, j

    x = modulo(lon, 2 * pi) / (2 * pi) * (map%shape(1) - 1)
    y = (pi / 2 - lat) / pi * (map%shape(2) - 1)
    i = min(int(x), map%shape(1) - 2)
    j = min(max(int(y), 0), map%shape(2) - 2)
    x = x - i
    y = y - j
    associate (f => map%field)
      interpolated = (1 - y) * ((1 - x) * f(i + 1, j + 1) + x * f(i + 2, j + 1)) &
        + y * ((1 - x) * f(i + 1, j + 2) + x * f(i + 2, j + 2))
    end associate
  end function interpolated

end module synoptic_map
