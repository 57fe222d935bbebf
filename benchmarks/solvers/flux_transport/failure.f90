! The end of a run that cannot go on: one message, on one rank, and exit status 2.
module failure
  use, intrinsic :: iso_fortran_env, only: error_unit
  use mpi_f08, only: MPI_Comm_rank, MPI_Bcast, MPI_Finalize, MPI_Abort, MPI_COMM_WORLD, MPI_CHARACTER
  use surrogate, only: SURROGATE_OK, SURROGATE_ERROR_TIMEOUT
  implicit none
  private

  public :: give_up, give_up_on, agree

  integer, parameter, public :: message_length = 1024

contains

  ! All ranks found the same to be wrong.  Collective.
  subroutine give_up(message)
    character(len=*), intent(in) :: message
    integer :: rank

    call MPI_Comm_rank(MPI_COMM_WORLD, rank)
    if (rank == 0) write (error_unit, '(2a)') 'flux_transport: ', trim(message)
    call MPI_Finalize()
    stop 2, quiet=.true.
  end subroutine give_up

  ! The library's outcome of a collective call, the same on all ranks, if it is an error. After a timeout no collective call
  ! can end any more, MPI_Finalize included.
  subroutine give_up_on(stat, what, message)
    integer, intent(in) :: stat
    character(len=*), intent(in) :: what, message

    if (stat >= SURROGATE_OK) return
    if (stat /= SURROGATE_ERROR_TIMEOUT) call give_up(what // ': ' // message)
    write (error_unit, '(4a)') 'flux_transport: ', what, ': ', trim(message)
    call MPI_Abort(MPI_COMM_WORLD, 2)
  end subroutine give_up_on

  ! What rank 0 found to be wrong, if anything; elsewhere `message` is not read.  Collective.
  subroutine agree(option, message)
    character(len=*), intent(in) :: option, message
    character(len=message_length) :: text

    text = message
    call MPI_Bcast(text, message_length, MPI_CHARACTER, 0, MPI_COMM_WORLD)
    if (text /= '') call give_up(option // ': ' // text)
  end subroutine agree

end module failure
