! stat and errmsg of every kind of outcome.  Arguments: BUNDLE (fields c, q; c bounded by 0 and 1; stub), MISSING,
! CONDITION (fields u, forcing, which is read only), VOLUME (fields a, v of 3 components, in 3-D).
program outcomes
  use, intrinsic :: ieee_arithmetic, only: ieee_positive_inf, ieee_value
  use, intrinsic :: iso_fortran_env, only: real32, real64
  use surrogate
  implicit none
  integer, parameter :: nx = 8, ny = 6
  type(surrogate_model) :: model
  type(surrogate_rejection) :: rejection
  real(real64), target :: now(nx,ny,2), next(nx,ny,2)
  character(len=400) :: bundle, missing, message
  character(len=12) :: short
  integer :: stat

  call get_command_argument(1, bundle)
  call get_command_argument(2, missing)

  ! Opening
  message = 'as it was'
  call model%open(missing, stat=stat, errmsg=message)
  call check(stat == SURROGATE_ERROR_NOT_FOUND, 'a missing bundle is NOT_FOUND')
  call check(index(message, trim(missing)) > 0, 'its text names the path: ' // message)
  call check(.not. model%is_open(), 'a failed open opens nothing')
  call check(surrogate_last_error() == trim(message), 'last_error holds the same text')
  call model%open(bundle, engine='nonsense', stat=stat, errmsg=message)
  call check(stat < 0, 'an unknown engine is an error')
  call model%predict(next, now, stat=stat, errmsg=message)
  call check(stat == SURROGATE_ERROR_ARGUMENT .and. index(message, 'not open') > 0, 'a closed model cannot predict')

  message = 'as it was'
  call model%open(bundle, threads=1, verify=.false., stat=stat, errmsg=message)
  call check(stat == SURROGATE_OK .and. message == 'as it was', 'OK leaves errmsg alone')
  call check(model%is_open(), 'open')
  call model%open(missing, stat=stat)
  call check(stat < 0 .and. model%is_open(), 'a failed open keeps the model that was open')

  ! Facts
  call check(model%spatial_rank() == 2 .and. model%field_count() == 2 .and. model%channel_count() == 2, 'counts')
  call check(model%field_name(1) == 'c' .and. model%field_name(2) == 'q' .and. model%field_name(3) == '', 'names')
  call check(model%field_components(2) == 1 .and. model%field_predicted(2), 'components')
  call check(abs(model%time_step() - 0.5_real64) < 1e-15_real64 .and. model%time_unit() == 's', 'time step')
  call check(all(model%multiple_of() == [2, 1]), 'the grid rule stands fastest axis first')
  call check(model%engine() == 'stub' .and. model%name() == 'outcomes', 'engine and name')
  call check(surrogate_version() /= '', 'version')
  call check(surrogate_status_name(SURROGATE_REJECTED) == 'SURROGATE_REJECTED', 'status name')

  ! Predicting
  now = 0.5_real64
  next = -7
  message = 'as it was'
  call model%predict(next, now, stat=stat, errmsg=message)
  call check(stat == SURROGATE_OK .and. message == 'as it was', 'predict')
  call check(all(abs(next + 7) > 0), 'the output is written')
  call model%predict(now, now, stat=stat)
  call check(stat == SURROGATE_OK .and. all(abs(now - next) <= 0), 'the output may be the input')

  next = -7
  now = 0.5_real64
  now(3,5,1) = 1.5_real64
  call model%predict(next, now, stat=stat, errmsg=message)
  call check(stat == SURROGATE_REJECTED, 'out of bounds is REJECTED')
  call check(index(message, "'c' is out of bounds at cell (3,5) (value 1.5") > 0, 'errmsg has Fortran indices: ' // message)
  call check(index(surrogate_last_error(), 'at cell [4, 2] (value') > 0, 'last_error has the library''s text')
  call check(all(abs(next + 7) <= 0), 'REJECTED leaves the output alone')
  rejection = model%rejection()
  call check(rejection%reason == SURROGATE_REASON_INPUT_OUT_OF_BOUNDS, 'the reason is named')
  call check(rejection%field == 1 .and. rejection%component == 1, 'the field and component count from 1')
  call check(all(rejection%cell(1:2) == [3, 5]), 'the cell has Fortran indices')
  call check(abs(rejection%value - 1.5_real64) <= 0 .and. abs(rejection%upper - 1) <= 0, 'value and bound')
  call model%predict(next, now, stat=stat, errmsg=short)
  call check(short == message(:len(short)), 'a short errmsg is cut')

  ! Wrong arrays
  now = 0.5_real64
  call model%predict(next(:,:,1), now(:,:,1), stat=stat, errmsg=message)
  call check(stat == SURROGATE_ERROR_SHAPE .and. index(message, 'rank 2') > 0, 'a wrong rank: ' // message)
  call model%predict(next(:,:,:1), now(:,:,:1), stat=stat, errmsg=message)
  call check(stat == SURROGATE_ERROR_SHAPE .and. index(message, '(8,6,1)') > 0, 'a wrong number of channels: ' // message)
  call model%predict(next(1:4,:,:), now, stat=stat, errmsg=message)
  call check(stat == SURROGATE_ERROR_SHAPE .and. index(message, '(4,6,2)') > 0, 'unequal shapes: ' // message)
  call model%predict(next(1:7,:,:), now(1:7,:,:), stat=stat)
  call check(stat == SURROGATE_ERROR_SHAPE, 'a size against the grid rule')
  call model%predict(next(1:0,:,:), now(1:0,:,:), stat=stat)
  call check(stat < 0, 'an empty array')
  call model%predict(now(3:6,:,:), now(1:4,:,:), stat=stat)
  call check(stat == SURROGATE_ERROR_OVERLAP, 'a partial overlap')
  call model%predict(next, now, parameters=[1._real64], stat=stat)
  call check(stat == SURROGATE_ERROR_PARAMETER .or. stat == SURROGATE_ERROR_ARGUMENT, 'a parameter too many')
  call named()
  call check(all(abs(next + 7) <= 0), 'errors leave the output alone')

  call model%predict(next, now, stat=stat)
  call check(stat == SURROGATE_OK, 'the model goes on after errors')
  call components_and_states()
  call conditions()
  call model%close()
  call model%close()
  call check(.not. model%is_open(), 'closed twice')
  print '(a)', 'all held'

contains

  subroutine named()
    type(surrogate_fields) :: state, output
    real(real32), target :: single(nx,ny)

    call state%add('c', now(:,:,1), unit='1')
    call model%predict(state, state, stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_FIELD .and. index(message, 'q') > 0, 'a missing field: ' // message)
    call state%add('velocity', now(:,:,2))
    call model%predict(state, state, stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_FIELD .and. index(message, 'velocity') > 0, 'an unknown field: ' // message)
    call state%clear()
    call state%add('c', now(:,:,1), unit='furlong')
    call state%add('q', now(:,:,2))
    call check(state%field_count() == 2, 'a cleared state can be filled again')
    call model%predict(state, state, stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_UNIT .and. index(message, 'furlong') > 0, 'a wrong unit: ' // message)
    call state%clear()
    single = 0.5_real32
    call state%add('c', now(:,:,1))
    call state%add('q', single)
    call model%predict(state, state, stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_DTYPE, 'mixed kinds: ' // message)
    call output%add('c', next(:,:,1))
    call output%add('q', next(:,:,2))
    call output%add('extra', next(:,:,2))
    call model%predict(output, state, stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_FIELD, 'more outputs than inputs: ' // message)
  end subroutine named

  subroutine components_and_states()
    type(surrogate_model) :: volume
    real(real64), target :: states(5,4,3,4,2)

    call get_command_argument(4, missing)
    call volume%open(missing)
    states = 0.5_real64
    states(2,3,1,3,2) = ieee_value(states(1,1,1,1,1), ieee_positive_inf)
    call volume%predict(states, states, stat=stat, errmsg=message)
    call check(stat == SURROGATE_REJECTED, 'an infinite value is REJECTED')
    call check(index(message, "'v' is not finite at cell (2,3,1) of component 2 of state 2 (value") > 0, &
      'cells, components and states count from 1: ' // message)
  end subroutine components_and_states

  subroutine conditions()
    type(surrogate_model) :: forced
    type(surrogate_fields) :: state, output, wrong
    real(real64), target :: u(nx,ny), forcing(nx,ny), u_next(nx,ny)

    call get_command_argument(3, missing)
    call forced%open(missing)
    call check(forced%field_predicted(1) .and. .not. forced%field_predicted(2), 'the condition field is not predicted')
    u = 0.25_real64
    forcing = 1
    u_next = -7
    call state%add('forcing', forcing)
    call state%add('u', u)
    call output%add('u', u_next)
    call forced%predict(output, state, stat=stat, errmsg=message)
    call check(stat == SURROGATE_OK .and. all(u_next > 0), 'fields that are only read may be missing: ' // message)
    call wrong%add('forcing', forcing)
    call forced%predict(wrong, state, stat=stat, errmsg=message)
    call check(stat < 0, 'predicted fields may not')
    call wrong%clear()
    call wrong%add('vorticity', u_next)
    call forced%predict(wrong, state, stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_FIELD .and. index(message, 'vorticity') > 0, 'nor unknown ones be asked: ' // message)
  end subroutine conditions

  subroutine check(holds, what)
    logical, intent(in) :: holds
    character(len=*), intent(in) :: what

    if (.not. holds) error stop 'does not hold: ' // trim(what)
  end subroutine check

end program outcomes
