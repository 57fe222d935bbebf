! Without stat, whatever is not OK stops the program.  Arguments: CASE, BUNDLE.
program stops
  use, intrinsic :: iso_fortran_env, only: real64
  use surrogate
  implicit none
  type(surrogate_model) :: model
  real(real64), target :: now(8,6,2)
  character(len=400) :: which, bundle, message

  call get_command_argument(1, which)
  call get_command_argument(2, bundle)
  now = 0.5_real64
  if (which == 'open') call model%open('/no/such/bundle')
  if (which == 'open_errmsg') call model%open('/no/such/bundle', errmsg=message)
  if (which == 'closed') call model%predict(now, now)
  call model%open(bundle)
  if (which == 'rejected') now = 2
  if (which == 'shape') call model%predict(now(1:7,:,:), now(1:7,:,:))
  call model%predict(now, now)
  print '(a)', 'went on'
end program stops
