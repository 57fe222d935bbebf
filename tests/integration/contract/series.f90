! The Fortran twin of series.c: same arguments, same output.
program series
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use surrogate
  implicit none
  integer, parameter :: nx = 64, ny = 32, members = 4, steps = 3
  real(real64), target :: now(nx,ny,2), mean(nx,ny,2), spread(nx,ny,2), all_members(nx,ny,2,members), frames(nx,ny,2,steps)
  type(surrogate_model) :: model
  type(surrogate_fields) :: input, means, spreads, ensemble, series_of_frames
  character(len=1024) :: bundle, source, target_file
  integer :: in, out

  call get_command_argument(1, bundle)
  call get_command_argument(2, source)
  call get_command_argument(3, target_file)
  open (newunit=in, file=source, access='stream', form='unformatted', status='old', action='read')
  read (in) now
  open (newunit=out, file=target_file, access='stream', form='unformatted', status='replace', action='write')
  call model%open(bundle, threads=1)

  call input%add('c', now(:,:,1))
  call input%add('q', now(:,:,2))
  call means%add('c', mean(:,:,1))
  call means%add('q', mean(:,:,2))
  call spreads%add('c', spread(:,:,1))
  call spreads%add('q', spread(:,:,2))
  call ensemble%add('c', all_members(:,:,1,:), batch_axis=3)
  call ensemble%add('q', all_members(:,:,2,:), batch_axis=3)
  call series_of_frames%add('c', frames(:,:,1,:), batch_axis=3)
  call series_of_frames%add('q', frames(:,:,2,:), batch_axis=3)
  call model%predict_ensemble(means, spreads, input, members, step=7, seed=11, member=2)
  call model%predict_members(ensemble, input, members, step=7, seed=11, member=2)
  call model%rollout(series_of_frames, input, steps, step=7, seed=11, member=2)
  write (out) mean, spread, all_members, frames
  close (out)
end program series
