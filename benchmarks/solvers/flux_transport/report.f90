! What a run tells at its end.
module report
  use mpi_f08, only: MPI_Allreduce, MPI_DOUBLE_PRECISION, MPI_MAX, MPI_IN_PLACE
  use constants, only: dp, hour
  use grid, only: grid_type
  use jump, only: jumper_type
  use options, only: options_type
  use transport, only: state_type, flux_totals, totals
  implicit none
  private

  public :: print_report

  type, public :: cost_type
    integer :: steps = 0
    real(dp) :: seconds = 0
  end type cost_type

contains

  ! Seconds are those of the slowest rank. Collective.
  subroutine print_report(o, g, s, jumper, initial, costs)
    type(options_type), intent(in) :: o
    type(grid_type), intent(in) :: g
    type(state_type), intent(in) :: s
    type(jumper_type), intent(in) :: jumper
    type(flux_totals), intent(in) :: initial
    type(cost_type), intent(in) :: costs(:)
    type(flux_totals) :: final
    real(dp) :: seconds(size(costs) + 3)

    final = totals(s, g)
    seconds = [costs%seconds, s%seconds, jumper%seconds, maxval(abs(s%br(1:g%nx, 1:g%ny)))]
    call MPI_Allreduce(MPI_IN_PLACE, seconds, size(seconds), MPI_DOUBLE_PRECISION, MPI_MAX, g%comm)
    if (g%rank /= 0) return
    associate (n => size(costs))
      if (o%json) then
        call print_json(g, s, jumper, initial, final, costs%steps, seconds(:n), seconds(n + 1:))
      else
        call print_text(g, s, jumper, initial, final, seconds(n + 1:))
      end if
    end associate
  end subroutine print_report

  ! more: seconds in steps, seconds in jumps, largest |Br|.
  subroutine print_json(g, s, jumper, initial, final, steps, seconds, more)
    type(grid_type), intent(in) :: g
    type(state_type), intent(in) :: s
    type(jumper_type), intent(in) :: jumper
    type(flux_totals), intent(in) :: initial, final
    integer, intent(in) :: steps(:)
    real(dp), intent(in) :: seconds(:), more(:)
    character(len=*), parameter :: entry = '(3a)'
    integer :: k

    write (*, '(a)', advance='no') '{"nx": ' // whole(g%patch%nx) // ', "ny": ' // whole(g%patch%ny) // ', "ranks": ' // &
      whole(g%ranks) // ', "hours": ' // number(s%time / hour) // ', "steps": ' // whole(s%steps) // ', "seconds": ' // &
      number(more(1)) // ', "max_br": ' // number(more(3)) // ', "net_flux_initial": ' // number(initial%net) // &
      ', "net_flux_final": ' // number(final%net) // ', "unsigned_flux_initial": ' // number(initial%unsigned) // &
      ', "unsigned_flux_final": ' // number(final%unsigned) // ', "flux_emerged": ' // number(final%emerged) // &
      ', "flux_out": ' // number(final%outflow) // ', "seconds_per_interval": ['
    do k = 1, size(seconds)
      write (*, entry, advance='no') merge('  ', ', ', k == 1), number(seconds(k))
    end do
    write (*, '(a)', advance='no') '], "steps_per_interval": ['
    do k = 1, size(steps)
      write (*, entry, advance='no') merge('  ', ', ', k == 1), whole(steps(k))
    end do
    write (*, '(a)', advance='no') ']'
    if (jumper%open .or. jumper%accepted + jumper%rejected > 0) write (*, '(a)', advance='no') ', "surrogate": ' // &
      '{"mode": "' // jumper%mode // '", "accepted": ' // whole(jumper%accepted) // ', "rejected": ' // &
      whole(jumper%rejected) // ', "seconds": ' // number(more(2)) // '}'
    write (*, '(a)') '}'
  end subroutine print_json

  subroutine print_text(g, s, jumper, initial, final, more)
    type(grid_type), intent(in) :: g
    type(state_type), intent(in) :: s
    type(jumper_type), intent(in) :: jumper
    type(flux_totals), intent(in) :: initial, final
    real(dp), intent(in) :: more(:)

    print '(3(a,i0),a,f0.2,a)', 'flux_transport: ', g%patch%nx, ' x ', g%patch%ny, ' cells on ', g%ranks, &
      ' rank(s), time ', s%time / hour, ' h'
    print '(a,i0,a,f0.3,a,f0.1,a)', '  ', s%steps, ' steps in ', more(1), ' s; largest |Br| ', more(3), ' G'
    print '(4(a,es11.4),a)', '  net flux ', initial%net, ' -> ', final%net, ' G m2: emerged ', final%emerged, ', left ', &
      final%outflow, ' G m2'
    print '(2(a,es11.4),a)', '  unsigned flux ', initial%unsigned, ' -> ', final%unsigned, ' G m2'
    if (jumper%accepted + jumper%rejected > 0) print '(2(a,i0),a,f0.3,4a)', '  ', jumper%accepted, &
      ' jumps by the surrogate, ', jumper%rejected, ' refused, in ', more(2), ' s; mode ', jumper%mode, ': ', jumper%choice
  end subroutine print_text

  function whole(k) result(text)
    integer, intent(in) :: k
    character(len=:), allocatable :: text
    character(len=16) :: buffer

    write (buffer, '(i0)') k
    text = trim(buffer)
  end function whole

  function number(x) result(text)
    real(dp), intent(in) :: x
    character(len=:), allocatable :: text
    character(len=32) :: buffer

    write (buffer, '(es25.16e3)') x
    text = trim(adjustl(buffer))
  end function number

end module report
