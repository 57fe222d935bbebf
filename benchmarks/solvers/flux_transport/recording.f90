! Frames of a run in one HDF5 file of The Well's layout, by the recorder of libsurrogate_mpi.
module recording
  use, intrinsic :: iso_fortran_env, only: int64, real32, real64
  use hdf5
  use surrogate
  use surrogate_mpi
  use conditions, only: conditions_type
  use constants, only: dp, degree, hour
  use failure, only: give_up_on, message_length
  use grid, only: grid_type, ghosts
  use options, only: options_type
  use parameters, only: parameter_count
  implicit none
  private

  public :: global_shape, first_cell

  type, public :: recording_type
    private
    type(surrogate_mpi_recorder) :: recorder
    character(len=:), allocatable :: path
    logical :: open = .false.
  contains
    procedure :: begin
    procedure :: write => write_frame
    procedure :: finish
  end type recording_type

contains

  ! Collective, as all here.
  subroutine begin(self, o, g)
    class(recording_type), intent(inout) :: self
    type(options_type), intent(in) :: o
    type(grid_type), intent(in) :: g
    integer, parameter :: own = 5
    character(len=16) :: names(parameter_count + own)
    real(real64) :: values(parameter_count + own)
    character(len=message_length) :: message
    integer :: stat

    if (o%output == '') return
    self%path = trim(o%output)
    names(:parameter_count) = o%parameters%name
    names(parameter_count + 1:) = [character(len=16) :: 'west', 'east', 'south', 'north', 'walls']
    values(:parameter_count) = o%parameters%value
    values(parameter_count + 1:) = [o%lon_range, o%lat_range, merge(1.0_dp, 0.0_dp, o%walls)]
    call self%recorder%open(self%path, g%comm, 2, name='flux_transport', description='Surface flux transport of the ' // &
      'radial magnetic field. x is Carrington longitude (also dimensions/lon), y latitude (dimensions/lat). vlon and vlat ' // &
      'are the whole flow at a frame''s time in the Carrington frame; their means and the mean emergence (source) are over ' // &
      'the interval that follows the frame.', time_unit='h', length_unit='deg', &
      spacing=[g%patch%dlon, g%patch%dlat] / degree, &
      origin=[g%patch%west + g%patch%dlon / 2, g%patch%south + g%patch%dlat / 2] / degree, &
      boundary=[merge(SURROGATE_BOUNDARY_PERIODIC, SURROGATE_BOUNDARY_OPEN, g%patch%periodic), &
      merge(SURROGATE_BOUNDARY_WALL, SURROGATE_BOUNDARY_OPEN, g%patch%walls)], &
      parameter_names=names, parameter_values=values, seed=o%seed, precision=merge(real64, real32, o%in_double), &
      overwrite=.true., stat=stat, errmsg=message)
    call give_up_on(stat, '--output', message)
    self%open = .true.
  end subroutine begin

  subroutine write_frame(self, g, time, br, c)
    class(recording_type), intent(in) :: self
    type(grid_type), intent(in) :: g
    real(dp), intent(in) :: time
    real(dp), intent(in), target :: br(1 - ghosts:, 1 - ghosts:)
    type(conditions_type), intent(in), target :: c
    type(surrogate_fields) :: state
    character(len=message_length) :: message
    integer :: stat

    if (.not. self%open) return
    call state%add('br', br(1:g%nx, 1:g%ny), unit='G')
    call state%add('vlon', c%vlon, unit='m/s')
    call state%add('vlat', c%vlat, unit='m/s')
    call state%add('vlon_mean', c%vlon_mean, unit='m/s')
    call state%add('vlat_mean', c%vlat_mean, unit='m/s')
    call state%add('source', c%source, unit='G/h')
    call self%recorder%write(time / hour, state, first_cell(g), global_shape(g), stat=stat, errmsg=message)
    call give_up_on(stat, '--output', message)
  end subroutine write_frame

  pure function first_cell(g)
    type(grid_type), intent(in) :: g
    integer :: first_cell(2)

    first_cell = [g%i0, g%j0] + 1
  end function first_cell

  pure function global_shape(g)
    type(grid_type), intent(in) :: g
    integer :: global_shape(2)

    global_shape = [g%patch%nx, g%patch%ny]
  end function global_shape

  subroutine finish(self, g)
    class(recording_type), intent(inout) :: self
    type(grid_type), intent(in) :: g
    character(len=message_length) :: message
    integer :: stat

    if (.not. self%open) return
    call self%recorder%close(stat=stat, errmsg=message)
    call give_up_on(stat, '--output', message)
    if (g%rank == 0) call name_axes(self%path)
    self%open = .false.
  end subroutine finish

  ! The recorder's axes are x and y; here they have names of their own too.
  subroutine name_axes(path)
    character(len=*), intent(in) :: path
    integer(hid_t) :: file
    integer :: stat

    call h5open_f(stat)
    call h5fopen_f(path, H5F_ACC_RDWR_F, file, stat)
    if (stat < 0) return   ! the recording is whole without them
    call h5lcreate_hard_f(file, 'dimensions/x', file, 'dimensions/lon', stat)
    call h5lcreate_hard_f(file, 'dimensions/y', file, 'dimensions/lat', stat)
    call h5fclose_f(file, stat)
  end subroutine name_axes

end module recording
