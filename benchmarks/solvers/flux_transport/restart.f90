! The start from a frame of a recording that this program wrote: its patch, its physics and its time, on its cells or on
! an integer fraction of them.
module restart
  use, intrinsic :: iso_fortran_env, only: int64
  use hdf5, only: hid_t
  use mpi_f08, only: MPI_Bcast, MPI_INTEGER, MPI_INTEGER8, MPI_DOUBLE_PRECISION, MPI_COMM_WORLD, MPI_Comm_rank
  use constants, only: dp, hour, degree
  use failure, only: agree, give_up, message_length
  use grid, only: grid_type, patch_type, cell_area
  use hdf5_reader, only: open_file, close_file, array_shape, read_slab, read_attribute
  use options, only: options_type, path_length
  use parameters, only: parameter_count
  implicit none
  private

  public :: read_header, read_frame

  character(len=*), parameter :: array = 't0_fields/br', time_array = 'dimensions/time'
  character(len=*), parameter :: edges(4) = [character(len=5) :: 'west', 'east', 'south', 'north']

  type, public :: restart_type
    character(len=path_length) :: path
    integer :: frame = 0             ! from 0
    integer :: nx = 0, ny = 0        ! of the file
    real(dp) :: time = 0             ! s
  end type restart_type

contains

  ! What the file says becomes what the options say, except for parameters that the command line gives. Collective.
  subroutine read_header(o, r)
    type(options_type), intent(inout) :: o
    type(restart_type), intent(out) :: r
    character(len=message_length) :: error
    real(dp) :: numbers(parameter_count + 6)
    integer :: whole(3), rank
    integer(int64) :: seed

    call MPI_Comm_rank(MPI_COMM_WORLD, rank)
    error = ''
    if (rank == 0) call inspect(o, numbers, whole, seed, error)
    call agree('--restart', error)
    call MPI_Bcast(numbers, size(numbers), MPI_DOUBLE_PRECISION, 0, MPI_COMM_WORLD)
    call MPI_Bcast(whole, size(whole), MPI_INTEGER, 0, MPI_COMM_WORLD)
    call MPI_Bcast(seed, 1, MPI_INTEGER8, 0, MPI_COMM_WORLD)
    r = restart_type(o%restart, whole(1), whole(2), whole(3), numbers(parameter_count + 6) * hour)
    where (.not. o%parameters%given) o%parameters%value = numbers(:parameter_count)
    o%lon_range = numbers(parameter_count + 1:parameter_count + 2)
    o%lat_range = numbers(parameter_count + 3:parameter_count + 4)
    o%walls = numbers(parameter_count + 5) > 0
    if (.not. o%seed_given) o%seed = seed
    if (.not. o%cells_given) o%nx = r%nx
    if (.not. o%cells_given) o%ny = r%ny
    if (modulo(r%nx, o%nx) /= 0 .or. modulo(r%ny, o%ny) /= 0) call refuse_cells(o, r)
  end subroutine read_header

  subroutine refuse_cells(o, r)
    type(options_type), intent(in) :: o
    type(restart_type), intent(in) :: r
    character(len=160) :: text

    write (text, '(4(a,i0),a)') '--nx, --ny: got ', o%nx, ' x ', o%ny, ', expected integer fractions of the frame''s ', &
      r%nx, ' x ', r%ny, ' cells'
    call give_up(text)
  end subroutine refuse_cells

  ! On one rank. numbers: the parameters, the edges, walls, and the frame's time; whole: frame, nx, ny.
  subroutine inspect(o, numbers, whole, seed, error)
    type(options_type), intent(in) :: o
    real(dp), intent(out) :: numbers(:)
    integer, intent(out) :: whole(3)
    integer(int64), intent(out) :: seed
    character(len=*), intent(out) :: error
    integer(hid_t) :: file
    integer, allocatable :: sizes(:)
    logical :: failed
    integer :: k

    call open_file(trim(o%restart), file, error)
    if (error /= '') return
    sizes = array_shape(file, array)
    if (size(sizes) /= 4) then
      error = trim(o%restart) // ' has no array ' // array // ' (trajectory, time, lat, lon); expected a recording of ' // &
        'this program'
      call close_file(file)
      return
    end if
    whole = [merge(o%restart_frame + sizes(3), o%restart_frame, o%restart_frame < 0), sizes(1), sizes(2)]
    if (whole(1) < 0 .or. whole(1) >= sizes(3)) then
      write (error, '(a,i0,3a,i0,a)') '--restart-frame ', o%restart_frame, ': ', trim(o%restart), ' holds ', sizes(3), &
        ' frames'
    else
      do k = 1, parameter_count
        call number(file, 'scalars/' // trim(o%parameters(k)%name), numbers(k), o%restart, error)
      end do
      do k = 1, size(edges)
        call number(file, 'scalars/' // trim(edges(k)), numbers(parameter_count + k), o%restart, error)
      end do
      call number(file, 'scalars/walls', numbers(parameter_count + 5), o%restart, error)
      call read_slab(file, time_array, whole(1:1), [1], numbers(parameter_count + 6:), failed)
      if (failed) error = trim(o%restart) // ' has no ' // time_array
      call read_attribute(file, 'seed', seed, failed)
      if (failed) error = trim(o%restart) // ' has no attribute seed'
    end if
    call close_file(file)
  end subroutine inspect

  subroutine number(file, name, value, path, error)
    integer(hid_t), intent(in) :: file
    character(len=*), intent(in) :: name, path
    real(dp), intent(out) :: value
    character(len=*), intent(inout) :: error
    real(dp) :: values(1)
    logical :: failed

    call read_slab(file, name, [integer ::], [integer ::], values, failed)
    value = values(1)
    if (failed) error = trim(path) // ' has no number ' // name // '; expected a recording of this program'
  end subroutine number

  ! Fill a block's field (nx, ny) with means over the file's cells. Collective.
  subroutine read_frame(r, g, field)
    type(restart_type), intent(in) :: r
    type(grid_type), intent(in) :: g
    real(dp), intent(out) :: field(:, :)
    real(dp), allocatable :: fine(:, :)
    character(len=message_length) :: error

    allocate (fine(r%nx, r%ny))
    error = ''
    if (g%rank == 0) call load(r, fine, error)
    call agree('--restart', error)
    call MPI_Bcast(fine, size(fine), MPI_DOUBLE_PRECISION, 0, g%comm)
    if (r%nx == g%patch%nx .and. r%ny == g%patch%ny) then
      field = fine(g%i0 + 1:g%i0 + g%nx, g%j0 + 1:g%j0 + g%ny)
    else
      call restrict(r, g, fine, field)
    end if
  end subroutine read_frame

  subroutine load(r, fine, error)
    type(restart_type), intent(in) :: r
    real(dp), intent(out) :: fine(:, :)
    character(len=*), intent(out) :: error
    integer(hid_t) :: file
    logical :: failed

    call open_file(trim(r%path), file, error)
    if (error /= '') return
    call read_slab(file, array, [0, 0, r%frame, 0], [r%nx, r%ny, 1, 1], fine, failed)
    if (failed) then
      error = 'cannot read ' // array // ' of ' // trim(r%path)
    else if (.not. all(abs(fine) <= huge(fine))) then
      error = trim(r%path) // ': ' // array // ' holds values that are not finite'
    end if
    call close_file(file)
  end subroutine load

  ! Means weighted with areas, so that a patch keeps its flux.
  subroutine restrict(r, g, fine, field)
    type(restart_type), intent(in) :: r
    type(grid_type), intent(in) :: g
    real(dp), intent(in) :: fine(:, :)
    real(dp), intent(out) :: field(:, :)
    type(patch_type) :: patch
    integer :: cells(2), i, j, m

    cells = [r%nx / g%patch%nx, r%ny / g%patch%ny]   ! of the file in one of ours
    patch = g%patch
    patch%dlon = patch%dlon / cells(1)
    patch%dlat = patch%dlat / cells(2)
    field = 0
    do j = 1, g%ny
      do m = (g%j0 + j - 1) * cells(2) + 1, (g%j0 + j) * cells(2)
        do i = 1, g%nx
          field(i, j) = field(i, j) + sum(fine((g%i0 + i - 1) * cells(1) + 1:(g%i0 + i) * cells(1), m)) &
            * cell_area(patch, m)
        end do
      end do
      field(:, j) = field(:, j) / g%area(j)
    end do
  end subroutine restrict

end module restart
