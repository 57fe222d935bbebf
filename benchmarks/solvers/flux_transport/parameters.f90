! The numbers of the physics: options of the command line, scalars of a recording, and what a restart goes on with.
module parameters
  use constants, only: dp, degree, day, hour, minute, megametre, carrington_rate
  implicit none
  private

  public :: parameter_index, physics_of

  type, public :: parameter_type
    character(len=16) :: name      ! of the scalar; the option has '-' for '_'
    real(dp) :: value              ! its default, at first
    real(dp) :: lower, upper       ! what makes sense
    character(len=64) :: text      ! unit and meaning
    logical :: given = .false.     ! on the command line
  end type parameter_type

  integer, parameter, public :: parameter_count = 12

  ! Rotation: Doppler features, Snodgrass & Ulrich (1990).  Meridional flow: van Ballegooijen et al. (1998).
  type(parameter_type), parameter, public :: defaults(parameter_count) = [ &
    parameter_type('eta', 200.0_dp, 0.0_dp, 1e5_dp, 'km2/s, diffusivity of what the flow does not resolve'), &
    parameter_type('speed', 450.0_dp, 0.0_dp, 5e3_dp, 'm/s, peak outflow of a mean supergranule'), &
    parameter_type('radius', 12.0_dp, 5.0_dp, 200.0_dp, 'Mm, of a supergranule'), &
    parameter_type('lifetime', 36.0_dp, 1.0_dp, 1e4_dp, 'h, from birth to end; half of it at half strength or more'), &
    parameter_type('refresh', 15.0_dp, 0.01_dp, 1440.0_dp, 'min between evaluations of the flow, linear between'), &
    parameter_type('rotation_a', 14.71_dp, 0.0_dp, 100.0_dp, 'deg/day, sidereal, rotation a + b sin2 + c sin4'), &
    parameter_type('rotation_b', -2.39_dp, -100.0_dp, 100.0_dp, 'deg/day'), &
    parameter_type('rotation_c', -1.78_dp, -100.0_dp, 100.0_dp, 'deg/day'), &
    parameter_type('meridional', 11.0_dp, 0.0_dp, 1e3_dp, 'm/s, peak poleward flow'), &
    parameter_type('regions', 6.0_dp, 0.0_dp, 1e3_dp, '1/day, active regions that emerge on the whole Sun'), &
    parameter_type('ephemerals', 500.0_dp, 0.0_dp, 1e5_dp, '1/day, ephemeral regions that emerge on the whole Sun'), &
    parameter_type('start_time', 0.0_dp, -1e12_dp, 1e12_dp, 's, TAI since 1977.01.01_00:00:00, of time 0')]

  ! The same in SI units.
  type, public :: physics_type
    real(dp) :: eta, speed, radius, lifetime, refresh, meridional
    real(dp) :: rotation(3)             ! in the Carrington frame, rad/s
    real(dp) :: regions, ephemerals     ! 1/s
  end type physics_type

contains

  ! Where a name, with '-' or '_', stands in a list; 0: nowhere.
  pure integer function parameter_index(list, name) result(found)
    type(parameter_type), intent(in) :: list(:)
    character(len=*), intent(in) :: name
    character(len=len(name)) :: with_underscores
    integer :: k

    with_underscores = name
    do k = 1, len(name)
      if (name(k:k) == '-') with_underscores(k:k) = '_'
    end do
    do found = size(list), 1, -1
      if (list(found)%name == with_underscores) return
    end do
  end function parameter_index

  pure type(physics_type) function physics_of(list) result(p)
    type(parameter_type), intent(in) :: list(:)

    p%eta = list(parameter_index(list, 'eta'))%value * 1e6_dp
    p%speed = list(parameter_index(list, 'speed'))%value
    p%radius = list(parameter_index(list, 'radius'))%value * megametre
    p%lifetime = list(parameter_index(list, 'lifetime'))%value * hour
    p%refresh = list(parameter_index(list, 'refresh'))%value * minute
    p%meridional = list(parameter_index(list, 'meridional'))%value
    p%rotation = [list(parameter_index(list, 'rotation_a'))%value, list(parameter_index(list, 'rotation_b'))%value, &
      list(parameter_index(list, 'rotation_c'))%value] * degree / day - [carrington_rate, 0.0_dp, 0.0_dp]
    p%regions = list(parameter_index(list, 'regions'))%value / day
    p%ephemerals = list(parameter_index(list, 'ephemerals'))%value / day
  end function physics_of

end module parameters
