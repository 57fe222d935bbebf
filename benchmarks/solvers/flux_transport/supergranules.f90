! A random field of supergranules that live, drift and die: the flow that spreads flux and gathers it in lanes.
!
! The whole Sun is divided in sites, in rows of latitude that turn with the surface. Each site has two supergranules at a
! time, born half a lifetime apart, so that the sum of their strengths sin2(pi age / lifetime) is constant; each is born
! anywhere in its site, and has its own size and speed. A supergranule is a radial outflow
!     v(r) = V (r / r0) exp((1 - (r / r0)2) / 2),
! fastest at r0 (the kinematic cells of Simon & Weiss 1989 and Simon, Title & Weiss 1995); where the outflows of
! neighbours meet, lanes form. Everything is a function of (seed, row, column, generation) and of time.
module supergranules
  use, intrinsic :: iso_fortran_env, only: int64
  use constants, only: dp, pi, sun_radius
  use background, only: rotation_rate, meridional_speed
  use grid, only: grid_type, cell_lon, cell_lat, face_lon, face_lat, longitude_distance
  use parameters, only: physics_type
  use random_numbers, only: uniforms
  implicit none
  private

  public :: add_supergranules

  integer, parameter :: births = 101, phases = 102   ! kinds of random numbers
  real(dp), parameter :: peak_radius = 0.55_dp       ! r0 in radii of a supergranule
  real(dp), parameter :: reach = 5                   ! in r0; beyond it the outflow is < 3e-5 of its peak, and left out

  type :: supergranule
    real(dp) :: lon, lat, r0, speed
  end type supergranule

contains

  ! Add the outflows at `time` to u on the faces (0:nx, ny) and v on the faces (nx, 0:ny) of a block.
  subroutine add_supergranules(g, p, seed, time, u, v)
    type(grid_type), intent(in) :: g
    type(physics_type), intent(in) :: p
    integer(int64), intent(in) :: seed
    real(dp), intent(in) :: time
    real(dp), intent(inout) :: u(0:, :), v(:, 0:)
    real(dp) :: height, margin, lat, south, north
    integer :: rows, columns, row, column, age

    if (p%speed <= 0) return
    rows = max(1, nint(sqrt(pi) * sun_radius / p%radius))   ! a site has the area of a supergranule
    height = pi / rows
    margin = height + 1.3_dp * reach * peak_radius * p%radius / sun_radius
    south = face_lat(g%patch, g%j0) - margin
    north = face_lat(g%patch, g%j0 + g%ny) + margin
    do row = 1, rows
      lat = -pi / 2 + (row - 0.5_dp) * height
      if (lat < south .or. lat > north) cycle
      columns = max(1, nint(2 * pi * cos(lat) / height))
      do column = 1, columns
        do age = 0, 1
          call add_outflow(g, living(p, seed, time, row, column, columns, height, lat, age), u, v)
        end do
      end do
    end do
  end subroutine add_supergranules

  ! The younger (age 0) or older (1) supergranule of a site.
  pure type(supergranule) function living(p, seed, time, row, column, columns, height, site_lat, age) result(s)
    type(physics_type), intent(in) :: p
    integer(int64), intent(in) :: seed
    real(dp), intent(in) :: time, height, site_lat
    integer, intent(in) :: row, column, columns, age
    real(dp) :: random(4), phase(4), halves, lived
    integer :: generation

    phase = uniforms(seed, phases, row, column, 0)
    halves = time / (p%lifetime / 2) + phase(1)
    generation = floor(halves) - age
    lived = (halves - generation) / 2   ! in lifetimes
    random = uniforms(seed, births, row, column, generation)
    s%lat = site_lat + (random(1) - 0.5_dp) * height
    s%lon = (column + random(2)) * 2 * pi / columns + rotation_rate(p, site_lat) * time
    s%lat = s%lat + meridional_speed(p, site_lat) / sun_radius * (lived - 0.5_dp) * p%lifetime
    s%r0 = peak_radius * p%radius * (0.75_dp + 0.5_dp * random(3))
    s%speed = p%speed * (0.6_dp + 0.8_dp * random(4)) * sin(pi * lived)**2
  end function living

  ! Both components are products of a function of longitude and one of latitude: few exponentials for many faces.
  subroutine add_outflow(g, s, u, v)
    type(grid_type), intent(in) :: g
    type(supergranule), intent(in) :: s
    real(dp), intent(inout) :: u(0:, :), v(:, 0:)
    real(dp) :: along_u(0:g%nx), along_v(g%nx), x, y
    integer :: first, last, j_first, j_last, image, images, i, j

    j_first = max(0, floor((s%lat - reach * s%r0 / sun_radius - g%patch%south) / g%patch%dlat) - g%j0)
    j_last = min(g%ny, ceiling((s%lat + reach * s%r0 / sun_radius - g%patch%south) / g%patch%dlat) - g%j0)
    if (j_first > j_last) return
    images = merge(1, 0, g%patch%periodic)
    do image = -images, images
      call columns_in_reach(g, s, image, first, last)
      if (first > last) cycle
      do i = first, last
        x = distance_east(s, face_lon(g%patch, g%i0 + i))
        along_u(i) = s%speed * x * exp((1 - x**2) / 2)
      end do
      do i = max(1, first), last
        x = distance_east(s, cell_lon(g%patch, g%i0 + i))
        along_v(i) = s%speed * exp((1 - x**2) / 2)
      end do
      do j = max(1, j_first), j_last
        y = (cell_lat(g%patch, g%j0 + j) - s%lat) * sun_radius / s%r0
        u(first:last, j) = u(first:last, j) + exp(-y**2 / 2) * along_u(first:last)
      end do
      first = max(1, first)
      do j = j_first, j_last
        y = (face_lat(g%patch, g%j0 + j) - s%lat) * sun_radius / s%r0
        v(first:last, j) = v(first:last, j) + y * exp(-y**2 / 2) * along_v(first:last)
      end do
    end do
  end subroutine add_outflow

  ! From the middle of a supergranule, in r0.
  pure real(dp) function distance_east(s, lon)
    type(supergranule), intent(in) :: s
    real(dp), intent(in) :: lon

    distance_east = longitude_distance(lon, s%lon) * cos(s%lat) * sun_radius / s%r0
  end function distance_east

  ! The faces of a block that a supergranule, or its image a circle further, may reach. They are counted in the whole
  ! patch before the block and the image are looked at: so all blocks take the same ones.
  pure subroutine columns_in_reach(g, s, image, first, last)
    type(grid_type), intent(in) :: g
    type(supergranule), intent(in) :: s
    integer, intent(in) :: image
    integer, intent(out) :: first, last
    real(dp) :: middle, east, half

    middle = g%patch%west + g%patch%nx * g%patch%dlon / 2
    east = middle - g%patch%west + longitude_distance(s%lon, middle)   ! of the patch's edge
    half = min(reach * s%r0 / (sun_radius * cos(s%lat)), pi - 2 * g%patch%dlon)   ! images must not overlap near the poles
    associate (shift => image * g%patch%nx - g%i0)
      first = max(0, floor((east - half) / g%patch%dlon) + shift)
      last = min(g%nx, ceiling((east + half) / g%patch%dlon) + shift)
    end associate
  end subroutine columns_in_reach

end module supergranules
