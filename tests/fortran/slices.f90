! Slices, ghost cells, records and size-1 axes give the bits of a dense array, without temporaries.
! Arguments: PLANE LINE VOLUME (stub bundles: fields c, q in 2-D; in 1-D; a, v(3) in 3-D).
program slices
  use, intrinsic :: iso_fortran_env, only: real32, real64
  use surrogate
  implicit none
  integer, parameter :: nx = 8, ny = 6, nz = 4
  type(surrogate_model) :: plane, line, volume
  character(len=400) :: path
  integer :: stat

  call get_command_argument(1, path)
  call plane%open(path)
  call get_command_argument(2, path)
  call line%open(path)
  call get_command_argument(3, path)
  call volume%open(path)
  call two_dimensions()
  call single_precision()
  call one_dimension()
  call three_dimensions()
  call size_one()
  print '(a)', 'all held'

contains

  subroutine two_dimensions()
    real(real64) :: now(nx,ny,2), expected(nx,ny,2), plain(nx,ny,2)
    real(real64), target :: ghosted(0:nx+1,-1:ny+2,2), coarse(2*nx,3*ny,5), records(2,nx,ny), batch(nx,ny,2,3)
    real(real64), target :: c(nx,ny), q(0:nx+1,0:ny+1)
    type(surrogate_fields) :: state, next
    integer :: k

    call random_number(now)
    call plane%predict(expected, now)
    call check(any(abs(expected - now) > 0), 'the model does something')

    ghosted = -1
    ghosted(1:nx,1:ny,:) = now
    call plane%predict(plain, ghosted(1:nx,1:ny,:))
    call check(all(abs(plain - expected) <= 0), 'ghost cells')
    call plane%predict(ghosted(1:nx,1:ny,:), ghosted(1:nx,1:ny,:))
    call check(all(abs(ghosted(1:nx,1:ny,:) - expected) <= 0), 'ghost cells, in place')
    ghosted(1:nx,1:ny,:) = -1
    call check(all(abs(ghosted + 1) <= 0), 'nothing outside the slice is written')

    coarse(1::2,1::3,2::3) = now
    call plane%predict(coarse(1::2,1::3,2::3), coarse(1::2,1::3,2::3))
    call check(all(abs(coarse(1::2,1::3,2::3) - expected) <= 0), 'strided along every axis')

    coarse(2*nx:1:-2,3*ny:1:-3,2:1:-1) = now
    call plane%predict(plain, coarse(2*nx:1:-2,3*ny:1:-3,2:1:-1))
    call check(all(abs(plain - expected) <= 0), 'negative strides')

    do k = 1, 3
      batch(:,:,:,k) = now / k
    end do
    call plane%predict(batch, batch)
    call check(all(abs(batch(:,:,:,1) - expected) <= 0), 'a batch axis behind the channels')
    plain = now / 3
    call plane%predict(plain, plain)
    call check(all(abs(batch(:,:,:,3) - plain) <= 0), 'the last of a batch')

    records(1,:,:) = now(:,:,1)
    records(2,:,:) = now(:,:,2)
    call state%add('q', records(2,:,:))
    call state%add('c', records(1,:,:), unit='1')
    call plane%predict(state, state)
    call check(all(abs(records(1,:,:) - expected(:,:,1)) <= 0) .and. all(abs(records(2,:,:) - expected(:,:,2)) <= 0), 'records')

    records(1,:,:) = now(:,:,1)
    records(2,:,:) = now(:,:,2)
    call next%add('c', c)
    call next%add('q', q(1:nx,1:ny))
    call plane%predict(next, state, step=3, time=1.5_real64, seed=1, member=0, origin=[1, 1], global_shape=[nx, ny])
    call check(all(abs(c - expected(:,:,1)) <= 0) .and. all(abs(q(1:nx,1:ny) - expected(:,:,2)) <= 0), 'states of different layout')
    call state%swap(next)
    call plane%predict(state, next)
    call check(all(abs(records(1,:,:) - now(:,:,1)) <= 0), 'swapped states read the other arrays')
  end subroutine two_dimensions

  subroutine single_precision()
    real(real32) :: now(nx,ny,2), expected(nx,ny,2), ghosted(0:nx+1,0:ny+1,2)

    call random_number(now)
    call plane%predict(expected, now)
    ghosted(1:nx,1:ny,:) = now
    call plane%predict(ghosted(1:nx,1:ny,:), ghosted(1:nx,1:ny,:))
    call check(all(abs(ghosted(1:nx,1:ny,:) - expected) <= 0), 'real32 with ghost cells')
  end subroutine single_precision

  subroutine one_dimension()
    real(real64) :: now(nx,2), expected(nx,2), wide(2*nx,2), batch(nx,2,2)

    call random_number(now)
    call line%predict(expected, now)
    wide(::2,:) = now
    call line%predict(wide(::2,:), wide(::2,:))
    call check(all(abs(wide(::2,:) - expected) <= 0), 'rank 2: one axis and channels')
    batch(:,:,1) = 0
    batch(:,:,2) = now
    call line%predict(batch, batch)
    call check(all(abs(batch(:,:,2) - expected) <= 0), 'rank 3: one axis, channels, batch')
  end subroutine one_dimension

  subroutine three_dimensions()
    real(real64) :: now(nx,ny,nz,4), expected(nx,ny,nz,4), batch(nx,ny,nz,4,2)
    real(real64), target :: ghosted(nx+2,ny+2,nz+2,4), a(nx,ny,nz), v(3,nx,ny,nz), last(nx,ny,nz,3)
    type(surrogate_fields) :: state
    integer :: k

    call random_number(now)
    call volume%predict(expected, now)
    ghosted(2:nx+1,2:ny+1,2:nz+1,:) = now
    call volume%predict(ghosted(2:nx+1,2:ny+1,2:nz+1,:), ghosted(2:nx+1,2:ny+1,2:nz+1,:))
    call check(all(abs(ghosted(2:nx+1,2:ny+1,2:nz+1,:) - expected) <= 0), 'rank 4 with ghost cells')
    batch(:,:,:,:,1) = now
    batch(:,:,:,:,2) = 0
    call volume%predict(batch, batch)
    call check(all(abs(batch(:,:,:,:,1) - expected) <= 0), 'rank 5')

    a = now(:,:,:,1)
    do k = 1, 3
      v(k,:,:,:) = now(:,:,:,k+1)
    end do
    last = now(:,:,:,2:4)
    call state%add('a', a)
    call state%add('v', v, component_axis=1)
    call volume%predict(state, state)
    do k = 1, 3
      call check(all(abs(v(k,:,:,:) - expected(:,:,:,k+1)) <= 0), 'components first')
    end do
    a = now(:,:,:,1)
    call state%clear()
    call state%add('a', a)
    call state%add('v', last)
    call volume%predict(state, state)
    call check(all(abs(last - expected(:,:,:,2:4)) <= 0), 'components last')
  end subroutine three_dimensions

  subroutine size_one()
    real(real64) :: now(nx,1,2), next(nx,1,2), wide(2*nx,3,2)

    call random_number(now)
    call plane%predict(next, now)
    wide(1:nx,2:2,:) = now
    call plane%predict(wide(1:nx,2:2,:), wide(1:nx,2:2,:), stat=stat)
    call check(stat == SURROGATE_OK .and. all(abs(wide(1:nx,2:2,:) - next) <= 0), 'an axis of one cell')
  end subroutine size_one

  subroutine check(holds, what)
    logical, intent(in) :: holds
    character(len=*), intent(in) :: what

    if (.not. holds) error stop 'does not hold: ' // trim(what)
  end subroutine check

end program slices
