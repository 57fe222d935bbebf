! Kinds, units and the Sun.  Inside, everything is in metres, seconds, radians and gauss.
module constants
  use, intrinsic :: iso_fortran_env, only: dp => real64
  implicit none
  private

  public :: dp

  real(dp), parameter, public :: &
    pi = 3.14159265358979323846_dp, &
    degree = pi / 180, &
    minute = 60, &
    hour = 3600, &
    day = 86400, &
    megametre = 1e6_dp, &
    sun_radius = 695.7_dp * megametre, &                ! IAU 2015 resolution B3
    carrington_rate = 360 * degree / (25.38_dp * day)   ! sidereal, of the frame that longitudes are in
end module constants
