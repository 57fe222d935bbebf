! What is known of an interval before it is stepped, as the flow and the emergence are prescribed: the fields that a
! recording has beside Br, and that a surrogate may ask for.
module conditions
  use, intrinsic :: iso_fortran_env, only: int64
  use constants, only: dp, hour
  use emergence, only: add_emergence
  use flow, only: flow_type, face_flow, cell_values
  use grid, only: grid_type
  use parameters, only: physics_type
  implicit none
  private

  public :: evaluate

  type, public :: conditions_type
    real(dp), allocatable :: vlon(:, :), vlat(:, :)             ! (nx, ny) the whole flow at the interval's start, m/s
    real(dp), allocatable :: vlon_mean(:, :), vlat_mean(:, :)   ! its mean over the interval, m/s
    real(dp), allocatable :: source(:, :)                       ! mean emergence over the interval, G/h
  end type conditions_type

contains

  ! Of the interval from node `first` to node `last`: the flow is linear between nodes, so the trapezoidal rule is exact.
  subroutine evaluate(c, g, p, seed, f, first, last)
    type(conditions_type), intent(inout) :: c
    type(grid_type), intent(in) :: g
    type(physics_type), intent(in) :: p
    integer(int64), intent(in) :: seed
    type(flow_type), intent(in) :: f
    integer, intent(in) :: first, last
    type(face_flow) :: faces
    real(dp), allocatable :: u(:, :), v(:, :)
    real(dp) :: weight
    integer :: k

    if (.not. allocated(c%vlon)) allocate (c%vlon(g%nx, g%ny), c%vlat(g%nx, g%ny), c%vlon_mean(g%nx, g%ny), &
      c%vlat_mean(g%nx, g%ny), c%source(g%nx, g%ny))
    allocate (u(g%nx, g%ny), v(g%nx, g%ny))
    c%vlon_mean = 0
    c%vlat_mean = 0
    do k = first, last
      weight = merge(0.5_dp, 1.0_dp, k == first .or. k == last) / (last - first)
      call f%at_node(g, k, faces)
      call cell_values(g, faces, u, v)
      c%vlon_mean = c%vlon_mean + weight * u
      c%vlat_mean = c%vlat_mean + weight * v
      if (k > first) cycle
      c%vlon = u
      c%vlat = v
    end do
    c%source = 0
    call add_emergence(g, p, seed, first * p%refresh, last * p%refresh, c%source)
    c%source = c%source * hour / ((last - first) * p%refresh)
  end subroutine evaluate

end module conditions
