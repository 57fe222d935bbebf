! Ensembles, rollouts, histories, predictions beside the solver, guards by sums.
! Arguments: NOISY, HISTORY, OUTCOMES (stub bundles).
program series
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use surrogate
  implicit none
  integer, parameter :: nx = 8, ny = 6, members = 5
  character(len=400) :: noisy, history, outcomes, message
  integer :: stat

  call get_command_argument(1, noisy)
  call get_command_argument(2, history)
  call get_command_argument(3, outcomes)
  call ensembles()
  call histories()
  call beside()
  call by_sums()
  print '(a)', 'all held'

contains

  subroutine ensembles()
    type(surrogate_model) :: model
    type(surrogate_fields) :: now, next, mean, spread, ensemble
    real(real64), target :: u(nx,ny), one(nx,ny), m(nx,ny), s(nx,ny), every(nx,ny,members)
    real(real64) :: by_hand(nx,ny)
    integer :: k, completed

    call model%open(noisy)
    call check(model%stochastic() .and. model%history() == 1, 'what the model is')
    u = 0.25_real64
    call now%add('u', u)
    call next%add('u', one)
    call mean%add('u', m)
    call spread%add('u', s)
    call ensemble%add('u', every, batch_axis=3)
    call model%predict(next, now, stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_PARAMETER, 'a step is needed')
    call model%predict_members(ensemble, now, members, step=3, seed=7)
    do k = 1, members
      call model%predict(next, now, step=3, seed=7, member=k-1)
      call check(same(every(:,:,k), one), 'members are single predictions')
    end do
    call model%predict_ensemble(mean, spread, now, members, step=3, seed=7)
    by_hand = sum(every, 3)/members
    call check(maxval(abs(m - by_hand)) < 1e-6_real64, 'mean')
    by_hand = sqrt(sum((every - reshape([(by_hand, k=1, members)], shape(every)))**2, 3)/(members - 1))
    call check(maxval(abs(s - by_hand)) < 1e-6_real64 .and. minval(s) > 0, 'spread')
    call model%rollout(ensemble, now, members, step=3, completed=completed)
    call check(completed == members, 'frames of a rollout')
    do k = 1, members
      call model%predict(now, now, step=2+k)
      call check(same(every(:,:,k), u), 'a rollout counts its steps')
    end do
    call model%close()
  end subroutine ensembles

  ! u' = u + u(one step before)
  subroutine histories()
    type(surrogate_model) :: model
    type(surrogate_fields) :: now, next, frames, older(1)
    real(real64), target :: u(nx,ny), before(nx,ny), after(nx,ny), all_frames(nx,ny,4)

    call model%open(history)
    call check(model%history() == 2, 'frames that are read')
    u = 2
    before = 1
    call now%add('u', u)
    call older(1)%add('u', before)
    call next%add('u', after)
    call frames%add('u', all_frames, batch_axis=3)
    call model%predict(next, now, history=older)
    call check(all(nint(after) == 3), 'the frame before is read')
    call model%rollout(frames, now, 4, history=older)
    call check(all(nint(all_frames(1,1,:)) == [3, 5, 8, 13]), 'a rollout shifts its history')
    call model%close()
  end subroutine histories

  subroutine beside()
    type(surrogate_model) :: model
    type(surrogate_fields) :: now, next
    real(real64), target :: c(nx,ny), q(nx,ny), c_next(nx,ny), q_next(nx,ny), c_other(nx,ny), q_other(nx,ny)
    type(surrogate_fields) :: other
    integer :: completed

    call model%open(outcomes)
    c = 0.5_real64
    q = 0.125_real64
    c_next = -1
    call now%add('c', c)
    call now%add('q', q)
    call next%add('c', c_next)
    call next%add('q', q_next)
    call other%add('c', c_other)
    call other%add('q', q_other)
    call model%predict_begin(next, now)
    do while (.not. model%predict_done())
    end do
    call check(all(nint(c_next) == -1), 'nothing is written before predict_wait')
    call model%predict(other, now, stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_ARGUMENT .and. index(message, 'is under way') > 0, 'one at a time')
    call model%predict_wait()
    call model%predict(other, now)
    call check(same(c_next, c_other) .and. same(q_next, q_other), 'predict_wait gives what predict does')
    call model%predict_wait(stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_ARGUMENT, 'nothing is under way')
    c(3,2) = 5
    call model%predict_begin(next, now)
    call model%predict_wait(stat=stat, errmsg=message)
    call check(stat == SURROGATE_REJECTED, 'a rejection comes out of predict_wait')
    call model%rollout(next, now, 3, stat=stat, completed=completed)
    call check(stat == SURROGATE_REJECTED .and. completed == 0, 'a rollout tells how far it came')
    call model%close()
  end subroutine beside

  ! The sums of a whole domain decide as predict_wait does.
  subroutine by_sums()
    type(surrogate_model) :: model
    type(surrogate_fields) :: now, next
    real(real64), target :: c(nx,ny), q(nx,ny), c_next(nx,ny), q_next(nx,ny)
    real(real64) :: c_other(nx,ny), q_other(nx,ny)
    real(real64), allocatable :: sums(:)

    call model%open(outcomes)
    c = 0.5_real64
    q = 0.125_real64
    call now%add('c', c)
    call now%add('q', q)
    call next%add('c', c_next)
    call next%add('q', q_next)
    call model%predict(next, now)
    c_other = c_next
    q_other = q_next
    c_next = -1
    allocate (sums(model%partial_count()))
    call model%predict_begin(next, now)
    call model%predict_partials(sums(:1), stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_ARGUMENT .and. index(message, 'count 1 given') > 0, 'one sum is too few')
    call model%predict_partials(sums)
    call check(all(nint(c_next) == -1), 'nothing is written before predict_finish')
    call model%predict_finish(sums)
    call check(same(c_next, c_other) .and. same(q_next, q_other), 'predict_finish gives what predict does')
    call model%predict_partials(sums, stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_ARGUMENT, 'nothing is under way')
    call model%close()
  end subroutine by_sums

  ! Bit for bit.
  logical function same(a, b)
    real(real64), intent(in) :: a(:,:), b(:,:)

    same = all(transfer(a, [0_int64]) == transfer(b, [0_int64]))
  end function same

  subroutine check(held, what)
    logical, intent(in) :: held
    character(len=*), intent(in) :: what

    if (held) return
    print '(2a)', 'does not hold: ', what
    error stop 1
  end subroutine check

end program series
