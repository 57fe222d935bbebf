! A solver whose domain lies in blocks on the ranks of MPI, with a surrogate in its loop: two decaying tracers.
! Usage: mpirun -n RANKS blocks_f90 BUNDLE OUTPUT [JUMPS]; rank K writes its block to OUTPUT.K.
! The same in C and Python stands beside it.
program blocks
  use, intrinsic :: iso_fortran_env, only: real64, error_unit
  use mpi_f08
  use surrogate
  use surrogate_mpi
  implicit none
  integer, parameter :: nx = 64, ny = 32
  real(real64), allocatable, target :: c(:,:), q(:,:)
  type(surrogate_mpi_model) :: model
  type(surrogate_fields) :: state
  character(len=1024) :: bundle, output, text, message
  integer :: jumps = 4, accepted = 0, rejected = 0, parts(2) = 0, size, rank, stat, unit, ia, ib, ja, jb, i, j

  call MPI_Init()
  call MPI_Comm_size(MPI_COMM_WORLD, size)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  if (command_argument_count() < 2) error stop 'usage: blocks_f90 BUNDLE OUTPUT [JUMPS]'
  call get_command_argument(1, bundle)
  call get_command_argument(2, output)
  call get_command_argument(3, text)
  if (text /= '') read (text, *) jumps

  call MPI_Dims_create(size, 2, parts)  ! blocks along y and x; sizes differ by one cell at most
  ja = rank / parts(2) * ny / parts(1) + 1
  jb = (rank / parts(2) + 1) * ny / parts(1)
  ia = mod(rank, parts(2)) * nx / parts(2) + 1
  ib = (mod(rank, parts(2)) + 1) * nx / parts(2)
  allocate (c(ia:ib,ja:jb), q(ia:ib,ja:jb))
  do j = ja, jb
    do i = ia, ib
      associate (x => (i - 0.5_real64) / nx, y => (j - 0.5_real64) / ny)
        c(i,j) = 16 * x * (1 - x) * y * (1 - y)
        q(i,j) = merge(1, 0, x < 0.5_real64)
      end associate
    end do
  end do

  call model%open(bundle, MPI_COMM_WORLD, stat=stat, errmsg=message)
  if (stat < 0) call fail()
  call state%add('c', c)
  call state%add('q', q)
  do while (accepted + rejected < jumps)
    call model%predict(state, state, origin=[ia, ja], global_shape=[nx, ny], stat=stat, errmsg=message)
    if (stat < 0) call fail()
    if (stat == SURROGATE_REJECTED) then  ! on all ranks: the solver steps itself
      c = c / 2
      q = q / 2
      rejected = rejected + 1
    else  ! the frame is written
      accepted = accepted + 1
    end if
  end do
  call model%close()

  write (text, '(2a,i0)') trim(output), '.', rank
  open (newunit=unit, file=text, access='stream', form='unformatted', status='replace', action='write')
  write (unit) c, q
  close (unit)
  if (rank == 0) print '(2(a,i0))', 'accepted ', accepted, ', rejected ', rejected
  call MPI_Finalize()

contains

  subroutine fail()
    write (error_unit, '(a)') trim(message)
    call MPI_Abort(MPI_COMM_WORLD, 1)
  end subroutine fail

end program blocks
