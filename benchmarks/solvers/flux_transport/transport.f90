! Br on a block and its step: finite volumes, Heun's two stages (SSP-RK2, Shu & Osher 1988).
!     dBr/dt = -1 / (R cos(lat)) (d(u Br)/dlon + d(v Br cos(lat))/dlat) + eta laplace(Br) + S
module transport
  use, intrinsic :: iso_fortran_env, only: int64
  use mpi_f08, only: MPI_Allreduce, MPI_DOUBLE_PRECISION, MPI_MAX, MPI_SUM, MPI_IN_PLACE, MPI_PROC_NULL, &
    MPI_Wtime, operator(==)
  use constants, only: dp
  use emergence, only: add_emergence
  use fluxes, only: face_fluxes
  use flow, only: flow_type, face_flow
  use grid, only: grid_type, ghosts, exchange
  use parameters, only: physics_type
  implicit none
  private

  public :: make_state, advance, totals

  type, public :: state_type
    real(dp), allocatable :: br(:, :)       ! (1 - ghosts:nx + ghosts, 1 - ghosts:ny + ghosts), G
    real(dp) :: time = 0                    ! s
    integer :: steps = 0
    real(dp) :: seconds = 0                 ! spent in them
    real(dp) :: outflow = 0                 ! through this block's part of the patch's edges so far, G m2
    real(dp) :: emerged = 0                 ! net flux that emerged in this block so far, G m2
    real(dp) :: courant
    real(dp), allocatable :: before(:, :), source(:, :), eastward(:, :), northward(:, :)   ! of a step
  end type state_type

  type, public :: flux_totals
    real(dp) :: net, unsigned, outflow, emerged
  end type flux_totals

contains

  type(state_type) function make_state(g, courant) result(s)
    type(grid_type), intent(in) :: g
    real(dp), intent(in) :: courant

    allocate (s%br(1 - ghosts:g%nx + ghosts, 1 - ghosts:g%ny + ghosts), source=0.0_dp)
    allocate (s%before(g%nx, g%ny), s%source(g%nx, g%ny), s%eastward(0:g%nx, g%ny), s%northward(g%nx, 0:g%ny))
    s%courant = courant
  end function make_state

  ! Step to node `last` of the flow, from one of its nodes. Collective.
  subroutine advance(s, g, p, seed, f, last)
    type(state_type), intent(inout) :: s
    type(grid_type), intent(in) :: g
    type(physics_type), intent(in) :: p
    integer(int64), intent(in) :: seed
    type(flow_type), intent(inout) :: f
    integer, intent(in) :: last
    type(face_flow) :: now, next
    real(dp) :: dt
    integer :: node, k, count

    s%seconds = s%seconds - MPI_Wtime()
    do node = nint(s%time / p%refresh), last - 1
      count = steps_needed(s, g, p, f, node)
      dt = p%refresh / count
      call f%at_time(g, node, node * p%refresh, next)
      do k = 1, count
        now = next
        call f%at_time(g, node, node * p%refresh + k * dt, next)
        call step(s, g, p, seed, now, next, node * p%refresh + (k - 1) * dt, dt)
      end do
      s%time = (node + 1) * p%refresh
      s%steps = s%steps + count
    end do
    s%seconds = s%seconds + MPI_Wtime()
  end subroutine advance

  ! Steps from a node to the next: the limits of advection and diffusion together, the same on all ranks.
  integer function steps_needed(s, g, p, f, node)
    type(state_type), intent(in) :: s
    type(grid_type), intent(in) :: g
    type(physics_type), intent(in) :: p
    type(flow_type), intent(inout) :: f
    integer, intent(in) :: node
    real(dp) :: rate(2)   ! each a maximum over the patch, so that blocks do not matter

    rate = [f%fastest(g, node), 2 * p%eta * (1 / minval(g%row_length)**2 + 1 / g%column_length**2)]
    call MPI_Allreduce(MPI_IN_PLACE, rate, 2, MPI_DOUBLE_PRECISION, MPI_MAX, g%comm)
    steps_needed = max(1, ceiling(p%refresh * sum(rate) / s%courant))
  end function steps_needed

  ! One step of Heun; the source is that of the whole step in both stages.
  subroutine step(s, g, p, seed, now, next, time, dt)
    type(state_type), intent(inout) :: s
    type(grid_type), intent(in) :: g
    type(physics_type), intent(in) :: p
    integer(int64), intent(in) :: seed
    type(face_flow), intent(in) :: now, next
    real(dp), intent(in) :: time, dt
    integer :: j

    s%before = s%br(1:g%nx, 1:g%ny)
    s%source = 0
    call add_emergence(g, p, seed, time, time + dt, s%source)
    do j = 1, g%ny
      s%emerged = s%emerged + sum(s%source(:, j)) * g%area(j)
    end do
    call stage(s, g, p, now, dt)
    call stage(s, g, p, next, dt)
    s%br(1:g%nx, 1:g%ny) = (s%before + s%br(1:g%nx, 1:g%ny)) / 2
  end subroutine step

  ! br = br + dt (what the fluxes bring) + source.
  subroutine stage(s, g, p, faces, dt)
    type(state_type), intent(inout) :: s
    type(grid_type), intent(in) :: g
    type(physics_type), intent(in) :: p
    type(face_flow), intent(in) :: faces
    real(dp), intent(in) :: dt
    integer :: j

    call exchange(g, s%br)
    call face_fluxes(g, p%eta, s%br, faces, s%eastward, s%northward)
    associate (nx => g%nx, ny => g%ny, x => s%eastward, y => s%northward)
      do j = 1, ny
        s%br(1:nx, j) = s%br(1:nx, j) + s%source(:, j) &
          - dt / g%area(j) * ((x(1:, j) - x(:nx - 1, j)) + (y(:, j) - y(:, j - 1)))
      end do
      if (g%west == MPI_PROC_NULL) s%outflow = s%outflow - dt / 2 * sum(x(0, :))
      if (g%east == MPI_PROC_NULL) s%outflow = s%outflow + dt / 2 * sum(x(nx, :))
      if (g%south == MPI_PROC_NULL) s%outflow = s%outflow - dt / 2 * sum(y(:, 0))
      if (g%north == MPI_PROC_NULL) s%outflow = s%outflow + dt / 2 * sum(y(:, ny))
    end associate
  end subroutine stage

  ! Sums over all blocks: net and unsigned flux of the field, what left through the edges and what emerged so far, G m2.
  ! They depend on the blocks by round-off. Collective.
  type(flux_totals) function totals(s, g)
    type(state_type), intent(in) :: s
    type(grid_type), intent(in) :: g
    real(dp) :: sums(4)
    integer :: j

    sums = [0.0_dp, 0.0_dp, s%outflow, s%emerged]
    do j = 1, g%ny
      sums(1) = sums(1) + sum(s%br(1:g%nx, j)) * g%area(j)
      sums(2) = sums(2) + sum(abs(s%br(1:g%nx, j))) * g%area(j)
    end do
    call MPI_Allreduce(MPI_IN_PLACE, sums, 4, MPI_DOUBLE_PRECISION, MPI_SUM, g%comm)
    totals = flux_totals(sums(1), sums(2), sums(3), sums(4))
  end function totals

end module transport
