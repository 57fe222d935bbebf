! One run: start, spin up, then frame after frame, each interval stepped or jumped over.
module run
  use mpi_f08, only: MPI_Wtime, MPI_Barrier
  use conditions, only: conditions_type, evaluate
  use constants, only: dp, degree, hour, day
  use emergence, only: add_emergence
  use flow, only: flow_type, make_flow
  use grid, only: grid_type, patch_type, make_grid
  use jump, only: jumper_type
  use options, only: options_type, nodes_in
  use parameters, only: physics_type, physics_of
  use recording, only: recording_type
  use report, only: cost_type, print_report
  use restart, only: restart_type, read_header, read_frame
  use synoptic_map, only: read_map
  use transport, only: state_type, flux_totals, make_state, advance, totals
  implicit none
  private

  public :: run_all

  real(dp), parameter :: past = 20 * day   ! of emergence that a start without a map holds

contains

  ! Collective.
  subroutine run_all(given)
    type(options_type), intent(in) :: given
    type(options_type) :: o
    type(restart_type) :: from
    type(grid_type) :: g
    type(physics_type) :: p
    type(state_type) :: s
    type(flow_type) :: f
    type(flux_totals) :: initial
    type(jumper_type) :: jumper
    type(cost_type), allocatable :: costs(:)

    o = given
    if (o%restart /= '') call read_header(o, from)
    g = make_grid(patch_of(o))
    p = physics_of(o%parameters)
    s = make_state(g, o%courant)
    f = make_flow(p, o%seed)
    call fill(s, g, p, o, from)
    initial = totals(s, g)
    call jumper%begin(o, g)
    allocate (costs(0:o%frames - 1))
    call go_through(s, g, p, o, f, jumper, costs)
    call jumper%finish()
    call print_report(o, g, s, jumper, initial, costs)
  end subroutine run_all

  type(patch_type) function patch_of(o) result(patch)
    type(options_type), intent(in) :: o

    patch%nx = o%nx
    patch%ny = o%ny
    patch%west = o%lon_range(1) * degree
    patch%south = o%lat_range(1) * degree
    patch%dlon = (o%lon_range(2) - o%lon_range(1)) * degree / o%nx
    patch%dlat = (o%lat_range(2) - o%lat_range(1)) * degree / o%ny
    patch%periodic = o%lon_range(2) - o%lon_range(1) > 360 - 1e-9_dp
    patch%walls = o%walls
  end function patch_of

  ! Without map or frame: the regions that emerged in the past, where they emerged.
  subroutine fill(s, g, p, o, from)
    type(state_type), intent(inout) :: s
    type(grid_type), intent(in) :: g
    type(physics_type), intent(in) :: p
    type(options_type), intent(in) :: o
    type(restart_type), intent(in) :: from

    associate (field => s%br(1:g%nx, 1:g%ny))
      if (o%restart /= '') then
        call read_frame(from, g, field)
        s%time = from%time
      else if (o%map /= '') then
        call read_map(trim(o%map), g, field)
      else
        call add_emergence(g, p, o%seed, -past, 0.0_dp, field)
      end if
    end associate
  end subroutine fill

  ! Frame k lies at first + k interval; its conditions look one interval ahead.
  subroutine go_through(s, g, p, o, f, jumper, costs)
    type(state_type), intent(inout) :: s
    type(grid_type), intent(in) :: g
    type(physics_type), intent(in) :: p
    type(options_type), intent(in) :: o
    type(flow_type), intent(inout) :: f
    type(jumper_type), intent(inout) :: jumper
    type(cost_type), intent(out) :: costs(0:)
    type(conditions_type) :: c
    type(recording_type) :: recording
    integer :: first, nodes, k

    nodes = nodes_in('interval', o%interval, p%refresh)
    first = max(nodes_in('first-frame', o%first_frame, p%refresh), nodes_in('restart', s%time / hour, p%refresh))
    call recording%begin(o, g)
    do k = 0, o%frames - 1
      call start(s, g, costs(k))
      if (k == 0) then
        call advance(s, g, p, o%seed, f, first)
      else if (.not. jumped()) then
        call advance(s, g, p, o%seed, f, first + k * nodes)
      end if
      call stop(s, costs(k))
      if (o%output /= '' .or. jumper%open) then
        call evaluate(c, g, p, o%seed, f, first + k * nodes, first + (k + 1) * nodes)
      end if
      call recording%write(g, s%time, s%br, c)
    end do
    call recording%finish(g)

  contains

    ! Whether a surrogate has brought the state to frame k.
    logical function jumped()
      jumped = jumper%open
      if (jumped) jumped = jumper%take(g, s%br, c, (first + (k - 1) * nodes) / nodes, o%seed)
      if (jumped) s%time = (first + k * nodes) * p%refresh
    end function jumped

  end subroutine go_through

  subroutine start(s, g, cost)
    type(state_type), intent(in) :: s
    type(grid_type), intent(in) :: g
    type(cost_type), intent(out) :: cost

    call MPI_Barrier(g%comm)
    cost = cost_type(-s%steps, -MPI_Wtime())
  end subroutine start

  subroutine stop(s, cost)
    type(state_type), intent(in) :: s
    type(cost_type), intent(inout) :: cost

    cost = cost_type(cost%steps + s%steps, cost%seconds + MPI_Wtime())
  end subroutine stop

end module run
