! A surrogate in place of an interval's steps.
module jump
  use, intrinsic :: iso_fortran_env, only: int64
  use mpi_f08, only: MPI_Wtime
  use surrogate
  use surrogate_mpi
  use conditions, only: conditions_type
  use constants, only: dp, hour
  use failure, only: give_up, give_up_on, message_length
  use grid, only: grid_type, ghosts
  use options, only: options_type
  use recording, only: first_cell, global_shape
  implicit none
  private

  type, public :: jumper_type
    type(surrogate_mpi_model) :: model
    logical :: open = .false.
    integer :: accepted = 0, rejected = 0
    real(dp) :: seconds = 0
    character(len=:), allocatable :: mode, choice   ! how the last one went
  contains
    procedure :: begin
    procedure :: take
    procedure :: finish
  end type jumper_type

  character(len=*), parameter :: known(6) = [character(len=9) :: 'br', 'vlon', 'vlat', 'vlon_mean', 'vlat_mean', 'source']

contains

  ! Collective, as all here.
  subroutine begin(self, o, g)
    class(jumper_type), intent(inout) :: self
    type(options_type), intent(in) :: o
    type(grid_type), intent(in) :: g
    character(len=message_length) :: message
    integer :: stat

    if (o%surrogate == '') return
    call self%model%open(trim(o%surrogate), g%comm, mode=mode_number(o%mode), threads=o%threads, stat=stat, errmsg=message)
    call give_up_on(stat, '--surrogate', message)
    self%open = .true.
    self%mode = ''
    self%choice = ''
    call check(self%model%local, o)
  end subroutine begin

  integer function mode_number(name)
    character(len=*), intent(in) :: name

    do mode_number = SURROGATE_MPI_BATCH, SURROGATE_MPI_AUTO + 1, -1
      if (surrogate_mpi_mode_name(mode_number) == name) return
    end do
  end function mode_number

  ! It must jump by the interval, from what this program knows, and predict Br alone.
  subroutine check(model, o)
    type(surrogate_model), intent(in) :: model
    type(options_type), intent(in) :: o
    character(len=160) :: text
    real(dp) :: step
    integer :: k, parameters

    step = model%time_step()
    parameters = model%parameter_count()
    if (model%time_unit() /= 'h' .or. abs(step - o%interval) > 1e-9_dp * o%interval) then
      write (text, '(a,g0.10,a,g0.10,a)') ' jumps by ', step, ' ' // model%time_unit() // ', the frames are ', &
        o%interval, ' h apart; set --interval to that'
      call give_up('--surrogate: ' // model%name() // trim(text))
    end if
    if (model%history() > 1 .or. parameters > 0) call give_up('--surrogate: ' // model%name() // &
      ' wants earlier frames or parameters; this program hands over one frame')
    do k = 1, model%field_count()
      if (.not. any(known == model%field_name(k))) call give_up('--surrogate: ' // model%name() // ' wants the field ' // &
        model%field_name(k) // '; this program has br, vlon, vlat, vlon_mean, vlat_mean and source')
      if (model%field_predicted(k) .neqv. model%field_name(k) == 'br') call give_up('--surrogate: ' // model%name() // &
        ' must predict br and nothing else; it is wrong about ' // model%field_name(k))
    end do
  end subroutine check

  ! Replace a block's br by that of the interval's end; .false.: a guard refused, br is as it was.
  logical function take(self, g, br, c, number, seed)
    class(jumper_type), intent(inout) :: self
    type(grid_type), intent(in) :: g
    real(dp), intent(inout), target :: br(1 - ghosts:, 1 - ghosts:)
    type(conditions_type), intent(inout), target :: c
    integer, intent(in) :: number   ! of the interval since time 0
    integer(int64), intent(in) :: seed
    type(surrogate_fields) :: state
    type(surrogate_mpi_report) :: told
    character(len=message_length) :: message
    integer :: stat, k

    self%seconds = self%seconds - MPI_Wtime()
    do k = 1, self%model%local%field_count()
      select case (self%model%local%field_name(k))
      case ('br');        call state%add('br', br(1:g%nx, 1:g%ny), unit='G')
      case ('vlon');      call state%add('vlon', c%vlon, unit='m/s')
      case ('vlat');      call state%add('vlat', c%vlat, unit='m/s')
      case ('vlon_mean'); call state%add('vlon_mean', c%vlon_mean, unit='m/s')
      case ('vlat_mean'); call state%add('vlat_mean', c%vlat_mean, unit='m/s')
      case ('source');    call state%add('source', c%source, unit='G/h')
      end select
    end do
    call self%model%predict(state, state, step=number, seed=int(iand(seed, int(huge(1), int64))), &
      origin=first_cell(g), global_shape=global_shape(g), stat=stat, errmsg=message)
    call give_up_on(stat, '--surrogate', message)
    take = stat /= SURROGATE_REJECTED
    if (take) self%accepted = self%accepted + 1
    if (.not. take) self%rejected = self%rejected + 1
    told = self%model%report()
    self%mode = surrogate_mpi_mode_name(told%mode)
    self%choice = told%choice
    self%seconds = self%seconds + MPI_Wtime()
  end function take

  subroutine finish(self)
    class(jumper_type), intent(inout) :: self
    integer :: stat

    if (self%open) call self%model%close(stat=stat)
    self%open = .false.
  end subroutine finish

end module jump
