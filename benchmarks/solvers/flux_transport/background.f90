! The steady, axisymmetric part of the flow, in the frame that rotates at the Carrington rate.
module background
  use constants, only: dp, pi, degree, sun_radius
  use parameters, only: physics_type
  implicit none
  private

  public :: rotation_rate, meridional_speed

contains

  ! a + b sin2(lat) + c sin4(lat), rad/s.
  pure real(dp) function rotation_rate(p, lat)
    type(physics_type), intent(in) :: p
    real(dp), intent(in) :: lat

    rotation_rate = p%rotation(1) + sin(lat)**2 * (p%rotation(2) + sin(lat)**2 * p%rotation(3))
  end function rotation_rate

  ! Northward speed, m/s: v sin(pi lat / 75 deg) below 75 degrees, none above (van Ballegooijen, Cartledge & Priest 1998,
  ! eq. 4).
  pure real(dp) function meridional_speed(p, lat)
    type(physics_type), intent(in) :: p
    real(dp), intent(in) :: lat
    real(dp), parameter :: end_latitude = 75 * degree

    meridional_speed = merge(p%meridional * sin(pi * lat / end_latitude), 0.0_dp, abs(lat) < end_latitude)
  end function meridional_speed

end module background
