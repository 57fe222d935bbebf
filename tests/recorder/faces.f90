! Records three frames of slices through the Fortran module, and meets every refusal. Argument: the path.
program faces
  use, intrinsic :: iso_fortran_env, only: real32, real64, int64
  use surrogate
  implicit none
  integer, parameter :: nx = 6, ny = 4
  type(surrogate_recorder) :: recorder, other
  type(surrogate_fields) :: state
  real(real64), target :: rho(0:nx+1,0:ny+1)
  real(real32), target :: v(nx,ny,2)
  character(len=400) :: path, message
  integer :: n, i, j, stat

  call get_command_argument(1, path)
  call recorder%write(0._real64, state, stat=stat, errmsg=message)
  call expect(stat == SURROGATE_ERROR_ARGUMENT .and. index(message, 'NULL') > 0, 'write before open')
  call recorder%open(path, 2, time_unit='s', spacing=[0.25_real64, 0.5_real64], parameter_names=['gamma', 'nu   '], &
    parameter_values=[1.4_real64, 0.1_real64], boundary=[SURROGATE_BOUNDARY_PERIODIC, SURROGATE_BOUNDARY_WALL], &
    seed=5_int64, trajectory=2)
  call expect(recorder%is_open(), 'open')
  call recorder%open(path, 2, stat=stat, errmsg=message)
  call expect(stat == SURROGATE_ERROR_ARGUMENT .and. index(message, 'open already') > 0, 'open twice')
  call other%open(path, 2, stat=stat, errmsg=message)
  call expect(stat == SURROGATE_ERROR_ARGUMENT .and. index(message, 'exists already') > 0, 'a path that is taken')
  call state%add('rho', rho(1:nx,1:ny), unit='kg/m3')
  call state%add('v', v)
  rho = -1e9_real64
  do n = 0, 2
    do j = 1, ny
      do i = 1, nx
        rho(i,j) = 100*n + 10*j + i
        v(i,j,:) = real(rho(i,j), real32) * [1, -1]
      end do
    end do
    call recorder%write(0.5_real64*n, state, stat=stat, errmsg=message)
    call expect(stat == SURROGATE_OK, trim(message))
  end do
  call recorder%write(0.5_real64, state, stat=stat, errmsg=message)
  call expect(stat == SURROGATE_ERROR_ARGUMENT .and. index(message, 'later') > 0, 'a time that does not increase')
  call recorder%close()
  call expect(.not. recorder%is_open(), 'close')
  call recorder%close()
  print '(a)', 'done'
contains
  subroutine expect(held, what)
    logical, intent(in) :: held
    character(len=*), intent(in) :: what

    if (.not. held) print '(2a)', 'failed: ', what
  end subroutine expect
end program faces
