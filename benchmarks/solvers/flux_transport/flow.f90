! The whole flow on the faces of a block. It is prescribed: evaluated at nodes in time, whatever the field, and linear
! between them.
module flow
  use, intrinsic :: iso_fortran_env, only: int64
  use mpi_f08, only: MPI_PROC_NULL
  use constants, only: dp, sun_radius
  use background, only: rotation_rate, meridional_speed
  use grid, only: grid_type, cell_lat, face_lat
  use parameters, only: physics_type
  use supergranules, only: add_supergranules
  implicit none
  private

  public :: make_flow, cell_values

  type, public :: face_flow
    real(dp), allocatable :: u(:, :)   ! (0:nx, ny), eastward, m/s
    real(dp), allocatable :: v(:, :)   ! (nx, 0:ny), northward, m/s
  end type face_flow

  type, public :: flow_type
    private
    type(physics_type) :: physics
    integer(int64) :: seed
    integer :: first = -huge(1)           ! number of the node that `before` holds
    type(face_flow) :: before, after      ! of two nodes
  contains
    procedure :: at_node
    procedure :: at_time
    procedure :: fastest
  end type flow_type

contains

  type(flow_type) function make_flow(physics, seed) result(f)
    type(physics_type), intent(in) :: physics
    integer(int64), intent(in) :: seed

    f%physics = physics
    f%seed = seed
  end function make_flow

  ! The flow of node k, at k refreshes.
  subroutine at_node(self, g, k, faces)
    class(flow_type), intent(in) :: self
    type(grid_type), intent(in) :: g
    integer, intent(in) :: k
    type(face_flow), intent(inout) :: faces
    integer :: j

    call provide(faces, g)
    do j = 1, g%ny
      associate (lat => cell_lat(g%patch, g%j0 + j))
        faces%u(:, j) = rotation_rate(self%physics, lat) * cos(lat) * sun_radius
      end associate
    end do
    do j = 0, g%ny
      faces%v(:, j) = meridional_speed(self%physics, face_lat(g%patch, g%j0 + j))
    end do
    call add_supergranules(g, self%physics, self%seed, k * self%physics%refresh, faces%u, faces%v)
    call bound(g, faces)
  end subroutine at_node

  ! Nothing passes a wall. Through an open edge the flow leaves and does not enter: the field outside is not known, and one
  ! continued from the inside grows without limit where the flow gathers it at the edge.
  subroutine bound(g, faces)
    type(grid_type), intent(in) :: g
    type(face_flow), intent(inout) :: faces
    real(dp) :: most   ! speed that passes

    most = merge(0.0_dp, huge(1.0_dp), g%patch%walls)
    if (g%south == MPI_PROC_NULL) faces%v(:, 0) = min(max(faces%v(:, 0), -most), 0.0_dp)
    if (g%north == MPI_PROC_NULL) faces%v(:, g%ny) = max(min(faces%v(:, g%ny), most), 0.0_dp)
    if (g%west == MPI_PROC_NULL) faces%u(0, :) = min(faces%u(0, :), 0.0_dp)
    if (g%east == MPI_PROC_NULL) faces%u(g%nx, :) = max(faces%u(g%nx, :), 0.0_dp)
  end subroutine bound

  ! The flow at a time in [k, k + 1] refreshes.
  subroutine at_time(self, g, k, time, faces)
    class(flow_type), intent(inout) :: self
    type(grid_type), intent(in) :: g
    integer, intent(in) :: k
    real(dp), intent(in) :: time
    type(face_flow), intent(inout) :: faces
    real(dp) :: weight

    call hold(self, g, k)
    call provide(faces, g)
    weight = time / self%physics%refresh - k
    faces%u = self%before%u + weight * (self%after%u - self%before%u)
    faces%v = self%before%v + weight * (self%after%v - self%before%v)
  end subroutine at_time

  subroutine provide(faces, g)
    type(face_flow), intent(inout) :: faces
    type(grid_type), intent(in) :: g

    if (.not. allocated(faces%u)) allocate (faces%u(0:g%nx, g%ny), faces%v(g%nx, 0:g%ny))
  end subroutine provide

  ! Have the nodes k and k + 1 at hand.
  subroutine hold(self, g, k)
    class(flow_type), intent(inout) :: self
    type(grid_type), intent(in) :: g
    integer, intent(in) :: k

    if (k == self%first) return
    if (k == self%first + 1) then
      self%before = self%after
    else
      call self%at_node(g, k, self%before)
    end if
    call self%at_node(g, k + 1, self%after)
    self%first = k
  end subroutine hold

  ! Largest |u| / dx + |v| / dy of this block in [k, k + 1] refreshes, 1/s.
  real(dp) function fastest(self, g, k)
    class(flow_type), intent(inout) :: self
    type(grid_type), intent(in) :: g
    integer, intent(in) :: k
    integer :: j

    call hold(self, g, k)
    fastest = 0
    do j = 1, g%ny
      fastest = max(fastest, crossings(self%before, j), crossings(self%after, j))
    end do

  contains

    ! Largest of a row; the faces' extremes, which need not be of one cell.
    real(dp) function crossings(faces, j)
      type(face_flow), intent(in) :: faces
      integer, intent(in) :: j

      crossings = maxval(max(abs(faces%u(:g%nx - 1, j)), abs(faces%u(1:, j))) / g%row_length(j) &
        + max(abs(faces%v(:, j - 1)), abs(faces%v(:, j))) / g%column_length)
    end function crossings

  end function fastest

  ! Means of the two faces of each cell (nx, ny).
  subroutine cell_values(g, faces, vlon, vlat)
    type(grid_type), intent(in) :: g
    type(face_flow), intent(in) :: faces
    real(dp), intent(out) :: vlon(:, :), vlat(:, :)

    vlon = (faces%u(:g%nx - 1, :) + faces%u(1:, :)) / 2
    vlat = (faces%v(:, :g%ny - 1) + faces%v(:, 1:)) / 2
  end subroutine cell_values

end module flow
