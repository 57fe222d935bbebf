! mpi_parity_fortran CASES ANSWERS: as parity.c, for float64 and fields of one frame; every rank is in every case.
program mpi_parity_fortran
  use, intrinsic :: iso_fortran_env, only: real64, int64, error_unit
  use mpi_f08
  use surrogate
  use surrogate_mpi
  implicit none
  integer, parameter :: word_length = 1024
  character(len=word_length) :: words(5), cases_path, answers_path
  character(len=16 * word_length) :: line
  integer :: rank, ranks, cases, answers, end_of_file

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks)
  call get_command_argument(1, cases_path)
  call get_command_argument(2, answers_path)
  open (newunit=cases, file=cases_path, action='read', status='old')
  if (rank == 0) open (newunit=answers, file=answers_path, action='write', status='replace')
  do
    read (cases, '(a)', iostat=end_of_file) line
    if (end_of_file /= 0) exit
    call run(line)
  end do
  close (cases)
  if (rank == 0) close (answers)
  call MPI_Finalize()

contains

  ! The first words of a line, and where the rest begins.
  subroutine split(text, first, rest)
    character(len=*), intent(in) :: text
    character(len=*), intent(out) :: first(:)
    integer, intent(out) :: rest
    integer :: i, length

    rest = 1
    do i = 1, size(first)
      length = index(text(rest:), ' ')
      first(i) = text(rest:rest + length - 2)
      rest = rest + length
    end do
  end subroutine split

  subroutine run(text)
    character(len=*), intent(in) :: text
    type(surrogate_mpi_model) :: model
    type(surrogate_mpi_report) :: told
    real(real64), allocatable, target :: whole(:,:,:,:), next(:,:,:,:)
    integer :: rest, cells(3), tile(3), low(3), shape(3), axes, stat
    integer, allocatable :: numbers(:)
    character(len=word_length) :: message

    call split(text, words, rest)
    allocate (numbers(8 + 6 * ranks))
    read (text(rest:), *) numbers
    if (numbers(1) /= ranks .or. words(5) /= 'float64') error stop 'a case for all ranks and float64 was expected'
    ! the file counts axes from the slowest, arrays from the fastest
    cells = numbers(5:3:-1)
    tile = numbers(8:6:-1)
    low = numbers(9 + 6 * rank + 2:9 + 6 * rank:-1)
    shape = numbers(9 + 6 * rank + 5:9 + 6 * rank + 3:-1)
    axes = merge(2, 3, cells(3) == 1)
    whole = read_state(trim(words(3)), cells)
    next = whole(low(1)+1:low(1)+shape(1), low(2)+1:low(2)+shape(2), low(3)+1:low(3)+shape(3), :)
    if (any(tile > 0)) then
      call model%open(trim(words(1)), MPI_COMM_WORLD, mode=mode_of(words(2)), threads=numbers(2), reader=ranks - 1, &
        tile_shape=tile(1:axes))
    else
      call model%open(trim(words(1)), MPI_COMM_WORLD, mode=mode_of(words(2)), threads=numbers(2), reader=ranks - 1)
    end if
    if (axes == 2) then
      call model%predict(next(:,:,1,:), &
        whole(low(1)+1:low(1)+shape(1), low(2)+1:low(2)+shape(2), 1, :), step=7, seed=3, origin=low(1:2) + 1, &
        global_shape=cells(1:2), stat=stat, errmsg=message)
    else
      call model%predict(next, &
        whole(low(1)+1:low(1)+shape(1), low(2)+1:low(2)+shape(2), low(3)+1:low(3)+shape(3), :), step=7, seed=3, &
        origin=low + 1, global_shape=cells, stat=stat, errmsg=message)
    end if
    if (stat < 0) write (error_unit, '(a)') trim(message)
    told = model%report()
    call write_block(trim(words(4)), next)
    if (rank == 0) write (answers, '(a,1x,a,1x,i0,1x,a,3(1x,i0))') surrogate_status_name(stat), '-', -1, &
      surrogate_mpi_mode_name(told%mode), told%tiles, told%bytes_received, told%minimum_bytes
    call model%close()
  end subroutine run

  integer function mode_of(name) result(mode)
    character(len=*), intent(in) :: name

    do mode = SURROGATE_MPI_AUTO, SURROGATE_MPI_BATCH
      if (surrogate_mpi_mode_name(mode) == name) return
    end do
    error stop 'no such mode'
  end function mode_of

  ! The whole state u(nx, ny, nz, channels).
  function read_state(path, cells) result(state)
    character(len=*), intent(in) :: path
    integer, intent(in) :: cells(3)
    real(real64), allocatable :: state(:,:,:,:)
    integer :: file
    integer(int64) :: bytes

    inquire (file=path, size=bytes)
    allocate (state(cells(1), cells(2), cells(3), bytes / 8 / product(int(cells, int64))))
    open (newunit=file, file=path, access='stream', form='unformatted', action='read', status='old')
    read (file) state
    close (file)
  end function read_state

  subroutine write_block(output, block)
    character(len=*), intent(in) :: output
    real(real64), intent(in) :: block(:,:,:,:)
    character(len=word_length) :: path
    integer :: file

    write (path, '(a,a,i0)') output, '.', rank
    open (newunit=file, file=path, access='stream', form='unformatted', action='write', status='replace')
    write (file) block
    close (file)
  end subroutine write_block

end program mpi_parity_fortran
