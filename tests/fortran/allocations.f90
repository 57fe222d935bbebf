! Heap allocations of a warm call in each form.  Argument: PLANE (stub; fields c, q).
program allocations
  use, intrinsic :: iso_c_binding, only: c_long
  use, intrinsic :: iso_fortran_env, only: real64
  use surrogate
  implicit none
  interface
    function allocation_count() bind(c) result(count)
      import :: c_long
      integer(c_long) :: count
    end function allocation_count
  end interface
  integer, parameter :: nx = 16, ny = 12
  type(surrogate_model) :: model
  type(surrogate_fields) :: state
  real(real64), target :: ghosted(0:nx+1,0:ny+1,2), dense(nx,ny,2)
  character(len=400) :: path, message
  integer(c_long) :: before, counts(3)
  integer :: stat, round

  call get_command_argument(1, path)
  call model%open(path, threads=1)
  call state%add('c', ghosted(1:nx,1:ny,1))
  call state%add('q', ghosted(1:nx,1:ny,2))
  ghosted = 0.5_real64
  dense = 0.5_real64
  do round = 1, 3
    before = allocation_count()
    call model%predict(dense, dense, stat=stat, errmsg=message)
    counts(1) = allocation_count() - before
    before = allocation_count()
    call model%predict(ghosted(1:nx,1:ny,:), ghosted(1:nx,1:ny,:), step=round, time=0.5_real64, seed=1, stat=stat)
    counts(2) = allocation_count() - before
    before = allocation_count()
    call model%predict(state, state, stat=stat, errmsg=message)
    counts(3) = allocation_count() - before
  end do
  print '(a,1x,i0)', 'dense', counts(1), 'slices', counts(2), 'state', counts(3)
end program allocations
