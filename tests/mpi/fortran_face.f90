! Run under mpirun: fortran_face PLANE VOLUME MODE RECORDING.  Blocks of the frame are, bit by bit, those of one process,
! for both kinds of handle, arrays, slices and named fields; refusals and mistakes are the outcome of all ranks.
program fortran_face
  use, intrinsic :: iso_fortran_env, only: real32, real64, error_unit
  use, intrinsic :: ieee_arithmetic, only: ieee_value, ieee_quiet_nan
  use mpi_f08
  use surrogate
  use surrogate_mpi
  implicit none
  integer, parameter :: nx = 40, ny = 24, mz = 8, my = 12, mx = 18
  character(len=1024) :: plane, volume, word, recording
  integer :: rank, ranks, mode

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks)
  call get_command_argument(1, plane)
  call get_command_argument(2, volume)
  call get_command_argument(3, word)
  call get_command_argument(4, recording)
  do mode = SURROGATE_MPI_BATCH, SURROGATE_MPI_AUTO, -1
    if (surrogate_mpi_mode_name(mode) == word) exit
  end do
  call check(mode >= 0, 'a mode of this name')

  call in_the_plane(MPI_COMM_WORLD)
  call in_the_volume()
  call on_every_second_rank()
  call refused()
  if (recording /= '') call recorded()
  call MPI_Barrier(MPI_COMM_WORLD)
  if (rank == 0) print '(a)', 'all held'
  call MPI_Finalize()

contains

  subroutine check(held, what)
    logical, intent(in) :: held
    character(len=*), intent(in) :: what

    if (held) return
    write (error_unit, '(a,i0,2a)') 'rank ', rank, ' does not hold: ', what
    call MPI_Abort(MPI_COMM_WORLD, 1)
  end subroutine check

  ! Cells first..last, from 1, of part `place` of `parts`, from 0.
  pure subroutine part(cells, parts, place, first, last)
    integer, intent(in) :: cells, parts, place
    integer, intent(out) :: first, last

    first = place * cells / parts + 1
    last = (place + 1) * cells / parts
  end subroutine part

  subroutine in_the_plane(comm)
    type(MPI_Comm), intent(in) :: comm
    type(surrogate_model) :: alone
    type(surrogate_mpi_model) :: model, shared
    type(surrogate_mpi_report) :: told
    type(surrogate_fields) :: now, next
    real(real64), target :: whole(0:nx+1,0:ny+1,4), frame(nx,ny,4), block(nx,ny,4), v(nx,ny,2)
    real(real32) :: small(nx,ny,4), small_frame(nx,ny,4), small_block(nx,ny,4)
    integer :: mine, members, ja, jb

    call MPI_Comm_rank(comm, mine)
    call MPI_Comm_size(comm, members)
    call part(ny, members, mine, ja, jb)
    call fill(whole)
    call alone%open(plane, threads=1)
    call alone%predict(frame, whole(1:nx,1:ny,:))
    small = real(whole(1:nx,1:ny,:), real32)
    call alone%predict(small_frame, small)

    call model%open(plane, comm, mode=mode, threads=1)
    call check(model%is_open(), 'the model is open')
    call check(model%local%time_step() == alone%time_step(), 'it tells its facts')
    call model%predict(block(:,ja:jb,:), whole(1:nx,ja:jb,:), origin=[1, ja], global_shape=[nx, ny])
    call check(all(block(:,ja:jb,:3) == frame(:,ja:jb,:3)), 'slices have the bits of one process')
    call now%add('v', whole(1:nx,ja:jb,2:3))
    call now%add('rho', whole(1:nx,ja:jb,1))
    call now%add('mask', whole(1:nx,ja:jb,4))
    call next%add('v', v(:,ja:jb,:))
    call next%add('rho', block(:,ja:jb,1))
    block = 0
    call model%predict(next, now, origin=[1, ja], global_shape=[nx, ny])
    call check(all(v(:,ja:jb,:) == frame(:,ja:jb,2:3)), 'named fields have them too')
    call check(all(block(:,ja:jb,1) == frame(:,ja:jb,1)), 'all of them')
    told = model%report()
    call check(told%ranks == members .and. told%rank == mine, 'the report')
    call check(told%mode == mode .or. mode == SURROGATE_MPI_AUTO, 'the mode that was named')
    call check(len(told%choice) > 0, 'and why')
    shared = model
    call shared%close()
    call check(.not. model%is_open(), 'closing one closes both')

    call model%open(plane, comm%MPI_VAL, mode=mode, threads=1)  ! an integer
    call model%predict(small_block(:,ja:jb,:), small(:,ja:jb,:), origin=[1, ja], global_shape=[nx, ny])
    call check(all(small_block(:,ja:jb,:3) == small_frame(:,ja:jb,:3)), 'by an integer, in single precision')
    call model%close()
    call model%close()
  end subroutine in_the_plane

  subroutine fill(u)
    real(real64), intent(out) :: u(0:,0:,:)
    integer :: i, j, k

    do k = 1, size(u, 3)
      do j = 0, ubound(u, 2)
        do i = 0, ubound(u, 1)
          u(i,j,k) = sin(0.7_real64 * i + 0.3_real64 * j * k) + 0.1_real64 * k
        end do
      end do
    end do
  end subroutine fill

  subroutine in_the_volume()
    type(surrogate_model) :: alone
    type(surrogate_mpi_model) :: model
    real(real64) :: whole(mx,my,mz,4), frame(mx,my,mz,4), block(mx,my,mz,4)
    integer :: ia, ib, ka, kb, columns

    columns = merge(2, 1, mod(ranks, 2) == 0)  ! x is cut in two, z in the rest
    call part(mx, columns, mod(rank, columns), ia, ib)
    call part(mz, ranks / columns, rank / columns, ka, kb)
    call random_seed_and_fill(whole)
    call alone%open(volume, threads=1)
    call alone%predict(frame, whole)
    call model%open(volume, MPI_COMM_WORLD, mode=mode, threads=1)
    call model%predict(block(ia:ib,:,ka:kb,:), whole(ia:ib,:,ka:kb,:), origin=[ia, 1, ka], global_shape=[mx, my, mz])
    call check(all(block(ia:ib,:,ka:kb,:3) == frame(ia:ib,:,ka:kb,:3)), 'three axes have the bits of one process')
    call model%close()
  end subroutine in_the_volume

  subroutine random_seed_and_fill(u)
    real(real64), intent(out) :: u(:,:,:,:)
    integer :: i

    u = reshape([(sin(0.37_real64 * i), i = 1, size(u))], shape(u))
  end subroutine random_seed_and_fill

  subroutine on_every_second_rank()
    type(MPI_Comm) :: half

    call MPI_Comm_split(MPI_COMM_WORLD, mod(rank, 2), rank, half)
    call in_the_plane(half)
    call MPI_Comm_free(half)
  end subroutine on_every_second_rank

  subroutine refused()
    type(surrogate_mpi_model) :: model
    type(surrogate_mpi_rejection) :: why
    real(real64) :: u(0:nx+1,0:ny+1,4), next(nx,ny,4), narrow(nx,ny,3)
    character(len=500) :: msg
    integer :: stat, ja, jb, first

    call model%predict(next, next, stat=stat, errmsg=msg)
    call check(stat == SURROGATE_ERROR_ARGUMENT .and. index(msg, 'not open') > 0, 'a closed model says so')
    call model%open('/no/such/bundle', MPI_COMM_WORLD, stat=stat, errmsg=msg)
    call check(stat == SURROGATE_ERROR_NOT_FOUND .and. index(msg, '/no/such/bundle') > 0, 'a missing bundle is told')
    call model%open(plane, MPI_COMM_NULL, stat=stat, errmsg=msg)
    call check(stat == SURROGATE_ERROR_ARGUMENT, 'a null communicator is refused')

    call model%open(plane, MPI_COMM_WORLD, mode=mode, threads=1)
    call part(ny, ranks, rank, ja, jb)
    call part(ny, ranks, ranks - 1, first, stat)
    call fill(u)
    next = -7
    if (rank == ranks - 1) u(4,ja+2,2) = ieee_value(1.0_real64, ieee_quiet_nan)
    call model%predict(next(:,ja:jb,:), u(1:nx,ja:jb,:), origin=[1, ja], global_shape=[nx, ny], stat=stat, errmsg=msg)
    call check(stat == SURROGATE_REJECTED, 'a NaN of the last rank is refused on all')
    why = model%rejection()
    call check(why%reason == SURROGATE_REASON_INPUT_NOT_FINITE .and. why%rank == ranks - 1, 'with its rank')
    call check(why%field == 2 .and. why%component == 1, 'its field')
    call check(all(why%cell == [4, first + 2, 0]), 'and its cell in the whole domain')
    call check(all(next == -7), 'nothing is written')

    call fill(u)
    if (rank == ranks - 1) then  ! a mistake that the module itself finds
      call model%predict(narrow(:,ja:jb,:), u(1:nx,ja:jb,:3), origin=[1, ja], global_shape=[nx, ny], stat=stat, errmsg=msg)
      call check(stat == SURROGATE_ERROR_SHAPE .and. index(msg, '4 entries') > 0, 'a wrong shape is told')
    else
      call model%predict(next(:,ja:jb,:), u(1:nx,ja:jb,:), origin=[1, ja], global_shape=[nx, ny], stat=stat, errmsg=msg)
      call check(stat < 0, 'and is an error on the others')
    end if
    call model%local%rollout(surrogate_fields(), surrogate_fields(), 2, stat=stat, errmsg=msg)
    call check(stat == SURROGATE_ERROR_UNSUPPORTED, 'what ranks cannot do together is refused')
    call model%predict(next(:,ja:jb,:), u(1:nx,ja:jb,:), origin=[1, ja], global_shape=[nx, ny])
    call model%close()
  end subroutine refused

  subroutine recorded()
    type(surrogate_mpi_recorder) :: recorder
    type(surrogate_fields) :: state
    real(real64), target :: u(0:nx+1,0:ny+1,4)
    integer :: ja, jb

    call part(ny, ranks, rank, ja, jb)
    call fill(u)
    call state%add('rho', u(1:nx,ja:jb,1))
    call recorder%open(recording, MPI_COMM_WORLD, 2, overwrite=.true.)
    call check(recorder%is_open(), 'the recorder is open')
    call recorder%write(0.5_real64, state, origin=[1, ja], global_shape=[nx, ny])
    call recorder%close()
    call check(.not. recorder%is_open(), 'the recorder is closed')
  end subroutine recorded

end program fortran_face
