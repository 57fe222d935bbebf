! The Fortran twin of sampled.c: same arguments, same output.
program sampled
  use, intrinsic :: iso_fortran_env, only: real64
  use surrogate
  implicit none
  integer, parameter :: nx = 64, ny = 32, frame_count = 3
  character(len=*), parameter :: caption = 'A red' // char(195) // char(169) // ' Circle'
  real(real64), target :: now(nx,ny,2), next(nx,ny,2,2), frames(nx,ny,2,frame_count)
  type(surrogate_model) :: model
  type(surrogate_fields) :: input, series
  character(len=1024) :: bundle, source, target_file
  integer :: in, out

  call get_command_argument(1, bundle)
  call get_command_argument(2, source)
  call get_command_argument(3, target_file)
  open (newunit=in, file=source, access='stream', form='unformatted', status='old', action='read')
  read (in) now
  open (newunit=out, file=target_file, access='stream', form='unformatted', status='replace', action='write')
  call model%open(bundle, threads=1, preload=.true.)
  if (model%sampler() /= 'flow, euler') error stop 'sampler'
  if (any(model%steps() /= [1, 2, 4])) error stop 'steps'
  if (model%preset_steps() /= 2) error stop 'preset_steps'
  if (model%largest_members() /= 8) error stop 'largest_members'
  if (abs(model%largest_guidance() - 3) > 0) error stop 'largest_guidance'
  if (model%caption_length() /= 3) error stop 'caption_length'

  call model%predict(next(:,:,:,1), now, step=7, seed=11, member=2)
  call model%predict(next(:,:,:,2), now, step=7, seed=11, member=2, steps=4, guidance=2.5_real64, caption=caption)
  call input%add('c', now(:,:,1))
  call input%add('q', now(:,:,2))
  call series%add('c', frames(:,:,1,:), batch_axis=3)
  call series%add('q', frames(:,:,2,:), batch_axis=3)
  call model%rollout(series, input, frame_count, step=7, seed=11, member=2, sampler_steps=4, guidance=2.5_real64, &
    caption=caption)
  write (out) next, frames
  close (out)
end program sampled
