! The Fortran twin of probe.c: same arguments, same forms, same output.
program probe
  use, intrinsic :: iso_fortran_env, only: real32, real64
  use surrogate
  implicit none
  integer, parameter :: nx = 64, ny = 32, g = 2
  real(real64), target :: now(nx,ny,2), dense(nx,ny,2), ghosted(1-g:nx+g,1-g:ny+g,2), records(2,nx,ny), wide(2*nx,3*ny,2)
  real(real32), target :: now32(nx,ny,2), dense32(nx,ny,2), ghosted32(1-g:nx+g,1-g:ny+g,2)
  type(surrogate_model) :: model
  type(surrogate_fields) :: state
  character(len=1024) :: bundle, input, output
  integer :: in, out

  call get_command_argument(1, bundle)
  call get_command_argument(2, input)
  call get_command_argument(3, output)
  open (newunit=in, file=input, access='stream', form='unformatted', status='old', action='read')
  read (in) now
  open (newunit=out, file=output, access='stream', form='unformatted', status='replace', action='write')
  call model%open(bundle, threads=1)
  now32 = real(now, real32)

  call model%predict(dense, now)
  write (out) dense

  ghosted(1:nx,1:ny,:) = now
  call state%add('c', ghosted(1:nx,1:ny,1))
  call state%add('q', ghosted(1:nx,1:ny,2))
  call model%predict(state, state)
  write (out) ghosted(1:nx,1:ny,:)

  records(1,:,:) = now(:,:,1)
  records(2,:,:) = now(:,:,2)
  call state%clear()
  call state%add('c', records(1,:,:))
  call state%add('q', records(2,:,:))
  call model%predict(state, state)
  write (out) records(1,:,:), records(2,:,:)

  wide(::2,::3,:) = now
  call model%predict(wide(::2,::3,:), wide(::2,::3,:))
  write (out) wide(::2,::3,:)

  call model%predict(dense32, now32)
  write (out) dense32
  ghosted32(1:nx,1:ny,:) = now32
  call model%predict(ghosted32(1:nx,1:ny,:), ghosted32(1:nx,1:ny,:))
  write (out) ghosted32(1:nx,1:ny,:)
  close (out)
end program probe
