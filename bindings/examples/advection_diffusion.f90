! A small solver with a surrogate in its loop: two tracers, periodic, upwind advection and centred diffusion.
! Usage: advection_diffusion_f90 BUNDLE OUTPUT.bin [JUMPS].  The same in C, C++ and Python stands beside it.
program advection_diffusion
  use, intrinsic :: iso_fortran_env, only: real64, error_unit
  use surrogate
  implicit none
  integer, parameter :: nx = 64, ny = 32
  real(real64), parameter :: dt = 1/128._real64, cx = 0.25_real64, cy = 0.125_real64, diffusion = 1/64._real64
  real(real64), target :: c(0:nx+1,0:ny+1), q(0:nx+1,0:ny+1)  ! one ghost cell on each side
  type(surrogate_model) :: model
  type(surrogate_fields) :: state
  character(len=1024) :: bundle, output, text, message
  integer :: jumps = 4, accepted = 0, rejected = 0, k, stat, unit

  if (command_argument_count() < 2) error stop 'usage: advection_diffusion_f90 BUNDLE OUTPUT.bin [JUMPS]'
  call get_command_argument(1, bundle)
  call get_command_argument(2, output)
  call get_command_argument(3, text)
  if (text /= '') read (text, *) jumps

  call model%open(bundle, threads=1, stat=stat, errmsg=message)
  if (stat /= SURROGATE_OK) call fail(message)
  call state%add('c', c(1:nx,1:ny))
  call state%add('q', q(1:nx,1:ny))

  call initialise(c, q)
  do while (accepted + rejected < jumps)
    call model%predict(state, state, stat=stat, errmsg=message)  ! in place: written only if OK
    select case (stat)
    case (SURROGATE_OK)
      accepted = accepted + 1
    case (SURROGATE_REJECTED)  ! the solver steps itself
      do k = 1, nint(model%time_step() / dt)
        call solver_step(c)
        call solver_step(q)
      end do
      rejected = rejected + 1
    case default
      call fail(message)
    end select
  end do

  print '(a,i0,a,i0,a,f8.3)', 'accepted ', accepted, ', rejected ', rejected, ', time ', jumps * model%time_step()
  open (newunit=unit, file=output, access='stream', form='unformatted', status='replace', action='write')
  write (unit) c(1:nx,1:ny), q(1:nx,1:ny)
  close (unit)

contains

  subroutine initialise(c, q)
    real(real64), intent(out) :: c(0:,0:), q(0:,0:)
    real(real64) :: x, y
    integer :: i, j

    do j = 1, ny
      do i = 1, nx
        x = (i - 0.5_real64) / nx
        y = (j - 0.5_real64) / ny
        c(i,j) = 16 * x * (1 - x) * y * (1 - y)
        q(i,j) = merge(1, 0, i <= nx / 2)
      end do
    end do
  end subroutine initialise

  subroutine solver_step(u)
    real(real64), intent(inout) :: u(0:,0:)
    real(real64) :: old(0:nx+1,0:ny+1)

    u(0,1:ny) = u(nx,1:ny)
    u(nx+1,1:ny) = u(1,1:ny)
    u(:,0) = u(:,ny)
    u(:,ny+1) = u(:,1)
    old = u
    associate (o => old(1:nx,1:ny), w => old(0:nx-1,1:ny), e => old(2:,1:ny), s => old(1:nx,0:ny-1), n => old(1:nx,2:))
      u(1:nx,1:ny) = o - cx * (o - w) - cy * (o - s) + diffusion * ((w + e) + (s + n) - 4 * o)
    end associate
  end subroutine solver_step

  subroutine fail(message)
    character(len=*), intent(in) :: message

    write (error_unit, '(a)') trim(message)
    stop 1, quiet=.true.
  end subroutine fail

end program advection_diffusion
