! The command line.
module options
  use, intrinsic :: iso_fortran_env, only: int64
  use constants, only: dp, hour, minute
  use failure, only: give_up
  use parameters, only: parameter_type, parameter_count, defaults, parameter_index
  implicit none
  private

  public :: read_options, nodes_in

  integer, parameter, public :: path_length = 4096

  type, public :: options_type
    type(parameter_type) :: parameters(parameter_count) = defaults
    integer(int64) :: seed = 0
    logical :: seed_given = .false., patch_given = .false., cells_given = .false., walls_given = .false.
    character(len=path_length) :: map = '', restart = '', output = '', surrogate = ''
    integer :: restart_frame = 0
    integer :: nx = 512, ny = 128
    real(dp) :: lon_range(2) = [0, 360], lat_range(2) = [-45, 45]   ! deg
    logical :: walls = .false.
    integer :: frames = 1
    real(dp) :: first_frame = 0    ! h; the start if that is later
    real(dp) :: interval = 4       ! h
    real(dp) :: courant = 0.5_dp
    integer :: threads = 1
    character(len=8) :: mode = 'auto'
    logical :: in_double = .false., json = .false., help = .false.
  end type options_type

contains

  ! Collective: what is wrong is said once, and ends the run.
  type(options_type) function read_options() result(o)
    character(len=path_length) :: name, value
    integer :: k

    k = 1
    do while (k <= command_argument_count())
      name = argument(k)
      if (name(1:2) /= '--') call give_up("'" // trim(name) // "': expected options only; see flux_transport --help")
      k = k + 1
      if (flag(o, name(3:))) cycle
      if (k > command_argument_count()) call give_up(trim(name) // ': its value is missing, or there is no such ' // &
        'option; see flux_transport --help')
      value = argument(k)
      k = k + 1
      call take(o, trim(name(3:)), trim(value))
    end do
    if (.not. o%help) call check(o)
  end function read_options

  function argument(k) result(text)
    integer, intent(in) :: k
    character(len=path_length) :: text

    call get_command_argument(k, text)
  end function argument

  logical function flag(o, name)
    type(options_type), intent(inout) :: o
    character(len=*), intent(in) :: name

    flag = .true.
    select case (name)
    case ('json');   o%json = .true.
    case ('help');   o%help = .true.
    case ('double'); o%in_double = .true.
    case default;    flag = .false.
    end select
  end function flag

  subroutine take(o, name, value)
    type(options_type), intent(inout) :: o
    character(len=*), intent(in) :: name, value
    integer :: k

    select case (name)
    case ('map');               o%map = value
    case ('restart');           o%restart = value
    case ('output');            o%output = value
    case ('surrogate');         o%surrogate = value
    case ('restart-frame');     o%restart_frame = whole(name, value, -1000000)
    case ('nx');                o%nx = whole(name, value, 2); o%cells_given = .true.
    case ('ny');                o%ny = whole(name, value, 2); o%cells_given = .true.
    case ('frames');            o%frames = whole(name, value, 1)
    case ('surrogate-threads'); o%threads = whole(name, value, 0)
    case ('surrogate-mode');    o%mode = one_of(name, value, [character(len=8) :: 'auto', 'tiles', 'gather', 'batch'])
    case ('lat-boundary')
      o%walls = one_of(name, value, [character(len=8) :: 'open', 'wall']) == 'wall'
      o%walls_given = .true.
    case ('lon-range');         o%lon_range = pair(name, value); o%patch_given = .true.
    case ('lat-range');         o%lat_range = pair(name, value); o%patch_given = .true.
    case ('first-frame');       o%first_frame = number(name, value)
    case ('interval');          o%interval = number(name, value)
    case ('cfl');               o%courant = number(name, value)
    case ('seed')
      o%seed = seed_of(value)
      o%seed_given = .true.
    case default
      k = parameter_index(o%parameters, name)
      if (k == 0) call give_up('--' // name // ': there is no such option; see flux_transport --help')
      o%parameters(k)%value = number(name, value)
      o%parameters(k)%given = .true.
      associate (p => o%parameters(k))
        if (.not. (p%value >= p%lower .and. p%value <= p%upper)) call refuse(name, value, &
          text_of(p%lower) // ' to ' // text_of(p%upper) // ' (' // trim(p%text) // ')')
      end associate
    end select
  end subroutine take

  ! What makes no sense together.
  subroutine check(o)
    type(options_type), intent(in) :: o

    associate (width => o%lon_range(2) - o%lon_range(1))
      if (width <= 0 .or. width > 360) call give_up('--lon-range: expected WEST,EAST with at most 360 degrees between')
    end associate
    if (o%lat_range(1) >= o%lat_range(2) .or. maxval(abs(o%lat_range)) > 85) call give_up('--lat-range: expected ' // &
      'SOUTH,NORTH between -85 and 85 degrees: cells get too narrow at the poles')
    if (o%courant <= 0 .or. o%courant > 1) call give_up('--cfl: got ' // text_of(o%courant) // ', expected a ' // &
      'number above 0, at most 1 (0.5 is safe)')
    if (o%interval <= 0) call give_up('--interval: got ' // text_of(o%interval) // ', expected hours above 0')
    if (o%first_frame < 0) call give_up('--first-frame: got ' // text_of(o%first_frame) // ', expected hours from 0')
    if (o%map /= '' .and. o%restart /= '') call give_up('--map, --restart: the start is one of them; leave one out')
    if (o%restart /= '' .and. (o%patch_given .or. o%walls_given)) call give_up('--lon-range, --lat-range, ' // &
      '--lat-boundary: with --restart they are those of its file; leave them out')
    if (o%surrogate /= '' .and. o%frames < 2) call give_up('--surrogate: jumps go from frame to frame; give --frames 2 ' // &
      'or more')
  end subroutine check

  ! Hours as a number of refreshes (s), which they must be.
  integer function nodes_in(name, hours, refresh) result(nodes)
    character(len=*), intent(in) :: name
    real(dp), intent(in) :: hours, refresh

    associate (exact => hours * hour / refresh)
      nodes = nint(exact)
      if (abs(exact - nodes) > 1e-9_dp * max(1.0_dp, abs(exact))) call give_up('--' // name // ': got ' // &
        text_of(hours) // ' hours, expected a multiple of --refresh, ' // text_of(refresh / minute) // ' minutes')
    end associate
  end function nodes_in

  subroutine refuse(name, value, expected)
    character(len=*), intent(in) :: name, value, expected

    call give_up('--' // name // ": got '" // value // "', expected " // expected)
  end subroutine refuse

  function text_of(x) result(text)
    real(dp), intent(in) :: x
    character(len=:), allocatable :: text
    character(len=24) :: buffer

    if (abs(x) < 1e15_dp .and. abs(x - anint(x)) <= 0) then
      write (buffer, '(i0)') int(x, int64)
    else
      write (buffer, '(g0.6)') x
    end if
    text = trim(buffer)
  end function text_of

  real(dp) function number(name, value)
    character(len=*), intent(in) :: name, value
    integer :: stat

    number = 0
    stat = 1
    if (verify(value, '+-.0123456789eEdD') == 0) read (value, *, iostat=stat) number
    if (stat /= 0) call refuse(name, value, 'a number')
  end function number

  integer function whole(name, value, least)
    character(len=*), intent(in) :: name, value
    integer, intent(in) :: least
    character(len=32) :: expected
    integer :: stat

    whole = 0
    stat = 1
    write (expected, '(a,i0)') 'an integer of at least ', least
    if (verify(value, '+-0123456789') == 0) read (value, *, iostat=stat) whole
    if (stat /= 0 .or. whole < least) call refuse(name, value, trim(expected))
  end function whole

  integer(int64) function seed_of(value)
    character(len=*), intent(in) :: value
    integer :: stat

    seed_of = 0
    stat = 1
    if (verify(value, '0123456789') == 0) read (value, *, iostat=stat) seed_of
    if (stat /= 0) call refuse('seed', value, 'an integer of at least 0')
  end function seed_of

  function pair(name, value) result(ends)
    character(len=*), intent(in) :: name, value
    real(dp) :: ends(2)
    integer :: comma

    comma = index(value, ',')
    if (comma == 0) call refuse(name, value, 'two numbers with a comma between them, in degrees')
    ends = [number(name, value(:comma - 1)), number(name, value(comma + 1:))]
  end function pair

  function one_of(name, value, choices) result(choice)
    character(len=*), intent(in) :: name, value, choices(:)
    character(len=len(choices)) :: choice

    choice = value
    if (.not. any(choices == value)) call refuse(name, value, 'one of ' // joined(choices))
  end function one_of

  function joined(words) result(text)
    character(len=*), intent(in) :: words(:)
    character(len=:), allocatable :: text
    integer :: k

    text = trim(words(1))
    do k = 2, size(words)
      text = text // ', ' // trim(words(k))
    end do
  end function joined

end module options
