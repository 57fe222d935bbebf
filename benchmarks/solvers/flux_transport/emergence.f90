! Bipoles that emerge at random times and places: active regions and ephemeral regions. Each is a pair of Gaussians of
! opposite flux that grows with the rate (2 / T) sin2(pi s / T) for T; its flux in any interval is known in closed form,
! so that it does not depend on steps, and its net flux on the grid is zero to round-off.
module emergence
  use, intrinsic :: iso_fortran_env, only: int64
  use constants, only: dp, pi, degree, hour, megametre, sun_radius
  use grid, only: grid_type, cell_lon, cell_lat, cell_area, longitude_distance
  use parameters, only: physics_type
  use random_numbers, only: uniforms, normal
  implicit none
  private

  public :: add_emergence

  integer, parameter :: active = 201, ephemeral = 202   ! kinds of regions, and of random numbers
  real(dp), parameter :: longest_growth = 24 * hour
  real(dp), parameter :: reach = 4.5_dp                 ! of a Gaussian, in standard deviations
  real(dp), parameter :: maxwell = 1e-4_dp              ! in G m2

  type :: bipole
    real(dp) :: start, growth      ! s
    real(dp) :: lon(2), lat(2)     ! of the positive and the negative pole
    real(dp) :: width, flux        ! standard deviation of a pole, m; flux of a pole, G m2
  end type bipole

contains

  ! Add what emerges between the times t1 and t2 to a block's field (nx, ny), in G.
  subroutine add_emergence(g, p, seed, t1, t2, field)
    type(grid_type), intent(in) :: g
    type(physics_type), intent(in) :: p
    integer(int64), intent(in) :: seed
    real(dp), intent(in) :: t1, t2
    real(dp), intent(inout) :: field(:, :)

    call add_kind(g, active, p%regions, seed, t1, t2, field)
    call add_kind(g, ephemeral, p%ephemerals, seed, t1, t2, field)
  end subroutine add_emergence

  ! Region k begins at a random time in [k, k + 1] / rate.
  subroutine add_kind(g, what, rate, seed, t1, t2, field)
    type(grid_type), intent(in) :: g
    integer, intent(in) :: what
    real(dp), intent(in) :: rate, t1, t2
    integer(int64), intent(in) :: seed
    real(dp), intent(inout) :: field(:, :)
    type(bipole) :: b
    real(dp) :: grown
    integer :: k

    if (rate <= 0) return
    do k = floor((t1 - longest_growth) * rate) - 1, floor(t2 * rate)
      b = region(what, rate, seed, k)
      grown = grown_part(b, t2) - grown_part(b, t1)
      if (grown <= 0) cycle
      call add_pole(g, b, 1, grown * b%flux, field)
      call add_pole(g, b, 2, -grown * b%flux, field)
    end do
  end subroutine add_kind

  ! Of a region's flux that has emerged at a time.
  pure real(dp) function grown_part(b, time)
    type(bipole), intent(in) :: b
    real(dp), intent(in) :: time
    real(dp) :: s

    s = min(max((time - b%start) / b%growth, 0.0_dp), 1.0_dp)
    grown_part = s - sin(2 * pi * s) / (2 * pi)
  end function grown_part

  ! Active regions: in two belts, tilted by Joy's law (32.1 deg sin(lat), Stenflo & Kosovichev 2012) with scatter,
  ! leading polarities of an odd cycle (Hale: positive in the north). Ephemeral regions: anywhere, in any direction.
  pure type(bipole) function region(what, rate, seed, k) result(b)
    integer, intent(in) :: what, k
    real(dp), intent(in) :: rate
    integer(int64), intent(in) :: seed
    real(dp) :: r(4), q(4), lon, lat, angle, distance
    integer :: poles(2)

    r = uniforms(seed, what, k, 1, 0)
    q = uniforms(seed, what, k, 2, 0)
    lon = 2 * pi * r(1)
    poles = [1, 2]
    if (what == active) then
      lat = sign((8 + 12 * (r(2) + q(4))) * degree, r(3) - 0.5_dp)
      angle = -32.1_dp * degree * sin(lat) + 10 * degree * normal(q(1), q(2))   ! of the leading pole, from west
      if (lat < 0) poles = [2, 1]
      b%flux = 3e20_dp * 30**r(4) * maxwell
      b%width = 5 * megametre * (b%flux / (1e21_dp * maxwell))**0.35_dp
      b%growth = (0.5_dp + 0.5_dp * r(4)) * longest_growth
    else
      lat = asin(2 * r(2) - 1)
      angle = 2 * pi * q(1)
      b%flux = 1e19_dp * 10**r(4) * maxwell
      b%width = 3 * megametre
      b%growth = 6 * hour
    end if
    b%start = (k + q(3)) / rate
    distance = 5 * b%width / sun_radius   ! between the poles
    b%lon(poles) = lon + [0.5_dp, -0.5_dp] * distance * cos(angle) / cos(lat)
    b%lat(poles) = lat + [0.5_dp, -0.5_dp] * distance * sin(angle)
  end function region

  ! Add a Gaussian of the given flux on the grid. Its values are divided by its own sum over all cells in reach, those
  ! outside the patch and the block too: so its flux is exact on any grid, and the same in all blocks.
  subroutine add_pole(g, b, pole, flux, field)
    type(grid_type), intent(in) :: g
    type(bipole), intent(in) :: b
    integer, intent(in) :: pole
    real(dp), intent(in) :: flux
    real(dp), intent(inout) :: field(:, :)
    real(dp), allocatable :: bell_x(:), bell_y(:)
    real(dp) :: east, north, middle, total
    integer :: i1, i2, j1, j2, i, j, image, images, shift

    north = b%lat(pole) - g%patch%south
    j1 = floor((north - reach * b%width / sun_radius) / g%patch%dlat)
    j2 = ceiling((north + reach * b%width / sun_radius) / g%patch%dlat) + 1
    if (j2 <= g%j0 .or. j1 > g%j0 + g%ny) return
    middle = g%patch%west + g%patch%nx * g%patch%dlon / 2
    east = middle - g%patch%west + longitude_distance(b%lon(pole), middle)
    associate (half => reach * b%width / (sun_radius * cos(b%lat(pole))))
      i1 = floor((east - half) / g%patch%dlon)
      i2 = ceiling((east + half) / g%patch%dlon) + 1
    end associate
    bell_x = [(exp(-(longitude_distance(cell_lon(g%patch, i), b%lon(pole)) * cos(b%lat(pole)) &
      * sun_radius / b%width)**2 / 2), i = i1, i2)]
    bell_y = [(exp(-((cell_lat(g%patch, j) - b%lat(pole)) * sun_radius / b%width)**2 / 2), j = j1, j2)]
    total = sum(bell_x) * sum(bell_y * [(cell_area(g%patch, j), j = j1, j2)])
    images = merge(1, 0, g%patch%periodic)
    do image = -images, images
      shift = image * g%patch%nx - g%i0
      do j = max(1, j1 - g%j0), min(g%ny, j2 - g%j0)
        do i = max(1, i1 + shift), min(g%nx, i2 + shift)
          field(i, j) = field(i, j) + flux / total * bell_y(j + g%j0 - j1 + 1) * bell_x(i - shift - i1 + 1)
        end do
      end do
    end do
  end subroutine add_pole

end module emergence
