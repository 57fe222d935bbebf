! Made from surrogate_mpi.fypp by fypp: edit that file, not this one.
!
! Module surrogate_mpi: call a trained model from a Fortran solver whose domain lies in blocks on the ranks of MPI.
! Compile surrogate.f90 and this file with the solver, with the wrapper (mpifort) of the MPI that libsurrogate_mpi was
! built with, and link libsurrogate_mpi and libsurrogate.
!
!     use surrogate
!     use surrogate_mpi
!     type(surrogate_mpi_model) :: model
!     call model%open('flow.surrogate', comm)
!     call model%predict(u_next(1:nx,1:ny,:), u_now(1:nx,1:ny,:), origin=[i0, j0], global_shape=[nx_all, ny_all], &
!       stat=ierr, errmsg=msg)
!     select case (ierr)
!     case (SURROGATE_OK);       t = t + model%local%time_step()
!     case (SURROGATE_REJECTED); call solver_advance(model%local%time_step())  ! on all ranks
!     case default;              error stop msg                                ! on all ranks
!     end select
!     call model%close()
!
! The rules of module surrogate hold here (stat and errmsg, strides, axes and indices from 1, fastest first), and these:
! - comm is an integer or a type(MPI_Comm) of mpi_f08.  It is duplicated.  Ranks count from 0, as MPI's.
! - Calls marked collective are made by all ranks of comm, in the same order; all get the same stat.  A rank without stat
!   stops there, whatever the others do: give it.
! - Closing is collective, so nothing is closed by going out of scope.
! - model = other shares it: closing one of them, on all ranks, closes both.  Bitwise copies are refused, as in module
!   surrogate.
module surrogate_mpi
  use, intrinsic :: iso_c_binding, only: c_ptr, c_double, c_int, c_int32_t, c_int64_t, c_size_t, c_null_ptr, c_loc, &
    c_associated, c_sizeof
  use, intrinsic :: iso_fortran_env, only: real32, real64, int64
  use mpi_f08, only: MPI_Comm
  use surrogate_private, only: SURROGATE_OK, SURROGATE_REASON_NONE, SURROGATE_ERROR_ARGUMENT, surrogate_model, &
    surrogate_fields, c_field, c_open_options, c_step_options, c_recorder_options, c_text, recorder_texts, c_string, from_c, &
    describe, describe_state, step_options, set_open_options, set_recorder_options, take, taken_from, ranks_of, &
    predict_array, report, fail
  implicit none
  private

  integer, parameter, public :: &
    SURROGATE_MPI_AUTO = 0, &
    SURROGATE_MPI_TILES = 1, &
    SURROGATE_MPI_GATHER = 2, &
    SURROGATE_MPI_BATCH = 3

  public :: surrogate_mpi_mode_name

  ! -------------------------------------------------------------------- the structs of surrogate_mpi.h --

  type, bind(c) :: c_mpi_options
    integer(c_size_t) :: struct_size = 0
    integer(c_int32_t) :: mode = SURROGATE_MPI_AUTO, leaders = 0, reader = 0
    real(c_double) :: deadline = 600
    integer(c_int64_t) :: tile_shape(3) = 0
  end type c_mpi_options

  type, bind(c) :: c_mpi_rejection
    integer(c_size_t) :: struct_size = 0
    integer(c_int32_t) :: rank = -1, reason = 0, field = -1, component = 0
    integer(c_int64_t) :: cell(3) = 0
    real(c_double) :: value = 0, lower = 0, upper = 0
  end type c_mpi_rejection

  type, bind(c) :: c_mpi_report
    integer(c_size_t) :: struct_size = 0
    integer(c_int32_t) :: mode = 0
    type(c_ptr) :: choice = c_null_ptr
    integer(c_int32_t) :: ranks = 0, rank = 0, node_ranks = 0, node_rank = 0, nodes = 0, device = -1, threads = 0
    integer(c_int64_t) :: tiles = 0, tile_shape(3) = 0, halo(3) = 0, bytes_sent = 0, bytes_received = 0, minimum_bytes = 0
    real(c_double) :: pack_seconds = 0, exchange_seconds = 0, program_seconds = 0, agree_seconds = 0, output_seconds = 0
    real(c_double) :: open_read_seconds = 0, open_seconds = 0
  end type c_mpi_report

  interface
    function c_mode_name(mode) bind(c, name='surrogate_mpi_mode_name') result(text)
      import :: c_ptr, c_int
      integer(c_int), value :: mode
      type(c_ptr) :: text
    end function c_mode_name
    function c_mpi_open(model, comm, path, open, options) bind(c, name='surrogate_mpi_open_f') result(status)
      import :: c_ptr, c_int, c_open_options, c_mpi_options
      type(c_ptr), intent(out) :: model
      integer(c_int), value :: comm
      type(c_ptr), value :: path
      type(c_open_options), intent(in) :: open
      type(c_mpi_options), intent(in) :: options
      integer(c_int) :: status
    end function c_mpi_open
    function c_mpi_close(model) bind(c, name='surrogate_mpi_close') result(status)
      import :: c_ptr, c_int
      type(c_ptr), value :: model
      integer(c_int) :: status
    end function c_mpi_close
    function c_mpi_local(model) bind(c, name='surrogate_mpi_local') result(local)
      import :: c_ptr
      type(c_ptr), value :: model
      type(c_ptr) :: local
    end function c_mpi_local
    function c_mpi_predict(model, output, input, count, step) bind(c, name='surrogate_mpi_predict') result(status)
      import :: c_ptr, c_int, c_size_t, c_step_options
      type(c_ptr), value :: model, output, input
      integer(c_size_t), value :: count
      type(c_step_options), intent(in) :: step
      integer(c_int) :: status
    end function c_mpi_predict
    function c_mpi_predict_array(model, output, input, dtype, rank, shape, step) &
        bind(c, name='surrogate_mpi_predict_array') result(status)
      import :: c_ptr, c_int, c_int64_t, c_step_options
      type(c_ptr), value :: model, output, input
      integer(c_int), value :: dtype, rank
      integer(c_int64_t), intent(in) :: shape(*)
      type(c_step_options), intent(in) :: step
      integer(c_int) :: status
    end function c_mpi_predict_array
    function c_mpi_last_rejection(model, rejection) bind(c, name='surrogate_mpi_last_rejection') result(status)
      import :: c_ptr, c_int, c_mpi_rejection
      type(c_ptr), value :: model
      type(c_mpi_rejection), intent(inout) :: rejection
      integer(c_int) :: status
    end function c_mpi_last_rejection
    function c_mpi_get_report(model, report) bind(c, name='surrogate_mpi_get_report') result(status)
      import :: c_ptr, c_int, c_mpi_report
      type(c_ptr), value :: model
      type(c_mpi_report), intent(inout) :: report
      integer(c_int) :: status
    end function c_mpi_get_report
    function c_mpi_recorder_open(recorder, comm, path, options, deadline) bind(c, name='surrogate_mpi_recorder_open_f') &
        result(status)
      import :: c_ptr, c_int, c_double, c_recorder_options
      type(c_ptr), intent(out) :: recorder
      integer(c_int), value :: comm
      type(c_ptr), value :: path
      type(c_recorder_options), intent(in) :: options
      real(c_double), value :: deadline
      integer(c_int) :: status
    end function c_mpi_recorder_open
    function c_mpi_recorder_write(recorder, time, fields, count, origin, global_shape) &
        bind(c, name='surrogate_mpi_recorder_write') result(status)
      import :: c_ptr, c_int, c_int64_t, c_size_t, c_double
      type(c_ptr), value :: recorder, fields
      real(c_double), value :: time
      integer(c_size_t), value :: count
      integer(c_int64_t), intent(in) :: origin(*), global_shape(*)
      integer(c_int) :: status
    end function c_mpi_recorder_write
    function c_mpi_recorder_close(recorder) bind(c, name='surrogate_mpi_recorder_close') result(status)
      import :: c_ptr, c_int
      type(c_ptr), value :: recorder
      integer(c_int) :: status
    end function c_mpi_recorder_close
  end interface

  ! ------------------------------------------------------------------------------------- public types --

  ! Where and why a guard refused, the same on all ranks: model%rejection().
  type, public :: surrogate_mpi_rejection
    integer :: rank = -1            ! lowest rank with a value of this reason; -1: a sum over all ranks broke the guard
    integer :: reason = SURROGATE_REASON_NONE
    integer :: field = 0            ! number of the field in the manifest's order; 0: none in particular
    integer :: component = 0        ! component of that field
    integer(int64) :: cell(3) = 0   ! indices in the whole domain, fastest axis first; unused axes 0
    real(real64) :: value = 0       ! the offending value
    real(real64) :: lower = 0, upper = 0  ! the bounds it broke
  end type surrogate_mpi_rejection

  ! How the last prediction went on this rank, as surrogate_mpi_report in surrogate_mpi.h: model%report().
  type, public :: surrogate_mpi_report
    integer :: mode = SURROGATE_MPI_AUTO  ! that was used
    character(len=:), allocatable :: choice  ! one sentence: why
    integer :: ranks = 0, rank = 0, node_ranks = 0, node_rank = 0, nodes = 0
    integer :: device = -1          ! CUDA ordinal; -1: the CPU, or no program
    integer :: threads = 0
    integer(int64) :: tiles = 0     ! that this rank ran
    integer(int64) :: tile_shape(3) = 0, halo(3) = 0  ! fastest axis first; unused axes 0
    integer(int64) :: bytes_sent = 0, bytes_received = 0, minimum_bytes = 0
    real(real64) :: pack_seconds = 0, exchange_seconds = 0, program_seconds = 0, agree_seconds = 0, output_seconds = 0
    real(real64) :: open_read_seconds = 0, open_seconds = 0
  end type surrogate_mpi_report

  ! A bundle that all ranks of a communicator opened.
  type, public :: surrogate_mpi_model
    type(surrogate_model) :: local  ! this rank's part, for what it tells: local%time_step(), local%field_name(1), ...
  contains
    procedure :: close => close_model_of_all
    procedure :: is_open => model_is_open
    procedure :: rejection => model_of_all_rejection
    procedure :: report => model_of_all_report
    procedure, private :: share => share_model_of_all
    generic :: assignment(=) => share
    procedure, private :: predict_state_of_all
    generic :: predict => predict_state_of_all
    procedure, private :: open_model_integer
    generic :: open => open_model_integer
    procedure, private :: open_model_f08
    generic :: open => open_model_f08
    procedure, private :: predict_block_real32_2
    generic :: predict => predict_block_real32_2
    procedure, private :: predict_block_real32_3
    generic :: predict => predict_block_real32_3
    procedure, private :: predict_block_real32_4
    generic :: predict => predict_block_real32_4
    procedure, private :: predict_block_real64_2
    generic :: predict => predict_block_real64_2
    procedure, private :: predict_block_real64_3
    generic :: predict => predict_block_real64_3
    procedure, private :: predict_block_real64_4
    generic :: predict => predict_block_real64_4
  end type surrogate_mpi_model

  ! One recording of all ranks.  A bitwise copy names the same recording: close one of them.
  type, public :: surrogate_mpi_recorder
    private
    type(c_ptr) :: handle = c_null_ptr
    integer :: spatial_rank = 0
  contains
    procedure :: write => write_recorder_of_all
    procedure :: close => close_recorder_of_all
    procedure :: is_open => recorder_of_all_is_open
    procedure, private :: open_recorder_integer
    generic :: open => open_recorder_integer
    procedure, private :: open_recorder_f08
    generic :: open => open_recorder_f08
  end type surrogate_mpi_recorder

contains

  ! ------------------------------------------------------------------------------------ open and close --

  ! Open a bundle on all ranks of `comm`.  Collective.
  !   path         as in surrogate_model%open; ranks other than `reader` may give ''
  !   mode         SURROGATE_MPI_*: where programs run; absent: chosen by model and sizes
  !   tile_shape   mode TILES: cells of a tile without its halo, fastest axis first; absent: tiles are the blocks
  !   deadline     seconds that a rank may be silent; absent: 600
  !   leaders      mode BATCH: ranks of a node that run programs
  !   reader       the rank that reads the bundle, and that mode GATHER runs on; absent: 0
  ! The others as in surrogate_model%open, equal on all ranks.  A model that this variable held must be closed first.
  subroutine open_model_integer(self, path, comm, mode, tile_shape, deadline, leaders, reader, engine, program, device, precision,&
      & threads, verify, &
      guards, engine_path, engine_options, overlay, stat, errmsg)
    class(surrogate_mpi_model), intent(inout) :: self
    character(len=*), intent(in) :: path
    integer, intent(in) :: comm
    integer, intent(in), optional :: mode, tile_shape(:), leaders, reader, threads
    real(real64), intent(in), optional :: deadline
    character(len=*), intent(in), optional :: engine, program, device, precision, guards, engine_path, engine_options, overlay
    logical, intent(in), optional :: verify
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    call open_model_of_all(self, path, int(comm, c_int), mode, tile_shape, deadline, leaders, reader, engine, program, device,&
        & precision, threads, verify, &
      guards, engine_path, engine_options, overlay, stat, errmsg)
  end subroutine open_model_integer

  subroutine open_model_f08(self, path, comm, mode, tile_shape, deadline, leaders, reader, engine, program, device, precision,&
      & threads, verify, &
      guards, engine_path, engine_options, overlay, stat, errmsg)
    class(surrogate_mpi_model), intent(inout) :: self
    character(len=*), intent(in) :: path
    type(MPI_Comm), intent(in) :: comm
    integer, intent(in), optional :: mode, tile_shape(:), leaders, reader, threads
    real(real64), intent(in), optional :: deadline
    character(len=*), intent(in), optional :: engine, program, device, precision, guards, engine_path, engine_options, overlay
    logical, intent(in), optional :: verify
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    call open_model_of_all(self, path, int(comm%MPI_VAL, c_int), mode, tile_shape, deadline, leaders, reader, engine, program,&
        & device, precision, threads, verify, &
      guards, engine_path, engine_options, overlay, stat, errmsg)
  end subroutine open_model_f08

  subroutine open_model_of_all(self, path, comm, mode, tile_shape, deadline, leaders, reader, engine, program, device, precision,&
      & threads, verify, &
      guards, engine_path, engine_options, overlay, stat, errmsg)
    class(surrogate_mpi_model), intent(inout) :: self
    character(len=*), intent(in) :: path
    integer(c_int), intent(in) :: comm
    integer, intent(in), optional :: mode, tile_shape(:), leaders, reader, threads
    real(real64), intent(in), optional :: deadline
    character(len=*), intent(in), optional :: engine, program, device, precision, guards, engine_path, engine_options, overlay
    logical, intent(in), optional :: verify
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_open_options) :: open
    type(c_mpi_options) :: options
    type(c_text), target :: text(9), where
    type(c_ptr) :: handle
    integer :: n, code

    if (self%is_open()) then
      call fail(SURROGATE_ERROR_ARGUMENT, 'surrogate open: this model is open already; call model%close first, on all ' // &
        'ranks', stat, errmsg)
      return
    end if
    call set_open_options(open, text, engine, program, device, precision, threads, verify, guards, engine_path, &
      engine_options, overlay)
    options%struct_size = c_sizeof(options)
    if (present(mode)) options%mode = int(mode, c_int32_t)
    if (present(leaders)) options%leaders = int(leaders, c_int32_t)
    if (present(reader)) options%reader = int(reader, c_int32_t)
    if (present(deadline)) options%deadline = deadline
    if (present(tile_shape)) then
      n = min(size(tile_shape), 3)
      options%tile_shape(:n) = int(tile_shape(n:1:-1), c_int64_t)
    end if
    code = int(c_mpi_open(handle, comm, path_or_null(where, path), open, options))
    if (code == SURROGATE_OK) call take(self%local, c_mpi_local(handle), handle, c_mpi_predict, c_mpi_predict_array)
    call report(code, stat, errmsg)
  end subroutine open_model_of_all

  type(c_ptr) function path_or_null(holder, path)
    type(c_text), intent(inout), target :: holder
    character(len=*), intent(in) :: path

    path_or_null = c_null_ptr
    if (path /= '') path_or_null = c_string(holder, path)
  end function path_or_null

  ! Collective, unless a call timed out.  A closed model may be closed again.
  subroutine close_model_of_all(self, stat, errmsg)
    class(surrogate_mpi_model), intent(inout) :: self
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    call report(int(c_mpi_close(taken_from(self%local))), stat, errmsg)
  end subroutine close_model_of_all

  impure elemental subroutine share_model_of_all(self, other)
    class(surrogate_mpi_model), intent(inout) :: self
    class(surrogate_mpi_model), intent(in) :: other

    self%local = other%local
  end subroutine share_model_of_all

  logical function model_is_open(self)
    class(surrogate_mpi_model), intent(in) :: self

    model_is_open = self%local%is_open()
  end function model_is_open

  ! ------------------------------------------------------------------------------------------- predict --

  ! Predict this rank's block of the state one time step later.  Collective.
  !   u_next, u_now   u(nx[,ny[,nz]],nc): this rank's block, all channels in the manifest's order
  !   origin          indices of the block's first cell in the whole domain, from 1; global_shape: cells of the domain.
  !                   Both may be left out on a communicator of one rank.
  ! The others as in surrogate_model%predict, equal on all ranks.
  subroutine predict_block_real32_2(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps,&
      & guidance, caption, &
      stat, errmsg)
    class(surrogate_mpi_model), intent(in) :: self
    real(real32), intent(inout), target :: u_next(:,:)
    real(real32), target :: u_now(:,:)  ! read only; no intent, so that it may be u_next itself
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_text), target :: words

    call predict_array(self%local, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_block_real32_2

  subroutine predict_block_real32_3(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps,&
      & guidance, caption, &
      stat, errmsg)
    class(surrogate_mpi_model), intent(in) :: self
    real(real32), intent(inout), target :: u_next(:,:,:)
    real(real32), target :: u_now(:,:,:)  ! read only; no intent, so that it may be u_next itself
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_text), target :: words

    call predict_array(self%local, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_block_real32_3

  subroutine predict_block_real32_4(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps,&
      & guidance, caption, &
      stat, errmsg)
    class(surrogate_mpi_model), intent(in) :: self
    real(real32), intent(inout), target :: u_next(:,:,:,:)
    real(real32), target :: u_now(:,:,:,:)  ! read only; no intent, so that it may be u_next itself
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_text), target :: words

    call predict_array(self%local, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_block_real32_4

  subroutine predict_block_real64_2(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps,&
      & guidance, caption, &
      stat, errmsg)
    class(surrogate_mpi_model), intent(in) :: self
    real(real64), intent(inout), target :: u_next(:,:)
    real(real64), target :: u_now(:,:)  ! read only; no intent, so that it may be u_next itself
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_text), target :: words

    call predict_array(self%local, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_block_real64_2

  subroutine predict_block_real64_3(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps,&
      & guidance, caption, &
      stat, errmsg)
    class(surrogate_mpi_model), intent(in) :: self
    real(real64), intent(inout), target :: u_next(:,:,:)
    real(real64), target :: u_now(:,:,:)  ! read only; no intent, so that it may be u_next itself
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_text), target :: words

    call predict_array(self%local, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_block_real64_3

  subroutine predict_block_real64_4(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps,&
      & guidance, caption, &
      stat, errmsg)
    class(surrogate_mpi_model), intent(in) :: self
    real(real64), intent(inout), target :: u_next(:,:,:,:)
    real(real64), target :: u_now(:,:,:,:)  ! read only; no intent, so that it may be u_next itself
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_text), target :: words

    call predict_array(self%local, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_block_real64_4

  ! The same for a state of named arrays, and models that read a history.
  subroutine predict_state_of_all(self, next, now, step, time, seed, member, parameters, origin, global_shape, steps, guidance,&
      & caption, &
      stat, errmsg, history)
    class(surrogate_mpi_model), intent(in) :: self
    type(surrogate_fields), intent(in), target :: next, now
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(surrogate_fields), intent(in), optional, target :: history(:)

    call self%local%predict(next, now, step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, &
      stat, errmsg, history)
  end subroutine predict_state_of_all

  ! What the last SURROGATE_REJECTED of this model was about.
  type(surrogate_mpi_rejection) function model_of_all_rejection(self) result(rejection)
    class(surrogate_mpi_model), intent(in) :: self
    type(c_mpi_rejection) :: found
    integer :: n

    found%struct_size = c_sizeof(found)
    if (c_mpi_last_rejection(ranks_of(self%local), found) /= SURROGATE_OK) return
    rejection%reason = int(found%reason)
    if (found%reason == SURROGATE_REASON_NONE) return
    n = self%local%spatial_rank()
    rejection%rank = int(found%rank)
    rejection%field = int(found%field) + 1
    rejection%component = int(found%component) + 1
    rejection%cell(:n) = found%cell(n:1:-1) + 1
    rejection%value = found%value
    rejection%lower = found%lower
    rejection%upper = found%upper
  end function model_of_all_rejection

  ! How the last prediction went on this rank.
  type(surrogate_mpi_report) function model_of_all_report(self) result(told)
    class(surrogate_mpi_model), intent(in) :: self
    type(c_mpi_report) :: found
    integer :: n

    found%struct_size = c_sizeof(found)
    if (c_mpi_get_report(ranks_of(self%local), found) /= SURROGATE_OK) found = c_mpi_report()
    n = self%local%spatial_rank()
    told%choice = from_c(found%choice)
    told%mode = int(found%mode)
    told%ranks = int(found%ranks)
    told%rank = int(found%rank)
    told%node_ranks = int(found%node_ranks)
    told%node_rank = int(found%node_rank)
    told%nodes = int(found%nodes)
    told%device = int(found%device)
    told%threads = int(found%threads)
    told%tile_shape(:n) = found%tile_shape(n:1:-1)
    told%halo(:n) = found%halo(n:1:-1)
    told%tiles = found%tiles
    told%bytes_sent = found%bytes_sent
    told%bytes_received = found%bytes_received
    told%minimum_bytes = found%minimum_bytes
    told%pack_seconds = found%pack_seconds
    told%exchange_seconds = found%exchange_seconds
    told%program_seconds = found%program_seconds
    told%agree_seconds = found%agree_seconds
    told%output_seconds = found%output_seconds
    told%open_read_seconds = found%open_read_seconds
    told%open_seconds = found%open_seconds
  end function model_of_all_report

  ! 'tiles'; 'unknown' for a number that is none.
  function surrogate_mpi_mode_name(mode) result(text)
    integer, intent(in) :: mode
    character(len=:), allocatable :: text

    text = from_c(c_mode_name(int(mode, c_int)))
  end function surrogate_mpi_mode_name

  ! ------------------------------------------------------------------------------------------ recorder --

  ! Begin one recording of all ranks at `path`.  Collective; options as in surrogate_recorder%open, equal on all ranks.
  !   deadline     seconds that a rank may be silent; absent: 600
  subroutine open_recorder_integer(self, path, comm, spatial_rank, deadline, name, description, time_unit, length_unit, spacing,&
      & origin, boundary, &
      parameter_names, parameter_values, trajectory, seed, precision, compression, chunk, overwrite, plugin_path, stat, errmsg)
    class(surrogate_mpi_recorder), intent(inout) :: self
    character(len=*), intent(in) :: path
    integer, intent(in) :: comm
    integer, intent(in) :: spatial_rank
    real(real64), intent(in), optional :: deadline
    character(len=*), intent(in), optional :: name, description, time_unit, length_unit, parameter_names(:), plugin_path
    real(real64), intent(in), optional :: spacing(:), origin(:)
    real(real64), intent(in), optional, contiguous, target :: parameter_values(:)
    integer, intent(in), optional :: boundary(:), trajectory, precision, compression, chunk(:)
    integer(int64), intent(in), optional :: seed
    logical, intent(in), optional :: overwrite
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    call open_recorder_of_all(self, path, int(comm, c_int), spatial_rank, deadline, &
      name, description, time_unit, length_unit, spacing, origin, boundary, &
      parameter_names, parameter_values, trajectory, seed, precision, compression, chunk, overwrite, plugin_path, stat, errmsg)
  end subroutine open_recorder_integer

  subroutine open_recorder_f08(self, path, comm, spatial_rank, deadline, name, description, time_unit, length_unit, spacing,&
      & origin, boundary, &
      parameter_names, parameter_values, trajectory, seed, precision, compression, chunk, overwrite, plugin_path, stat, errmsg)
    class(surrogate_mpi_recorder), intent(inout) :: self
    character(len=*), intent(in) :: path
    type(MPI_Comm), intent(in) :: comm
    integer, intent(in) :: spatial_rank
    real(real64), intent(in), optional :: deadline
    character(len=*), intent(in), optional :: name, description, time_unit, length_unit, parameter_names(:), plugin_path
    real(real64), intent(in), optional :: spacing(:), origin(:)
    real(real64), intent(in), optional, contiguous, target :: parameter_values(:)
    integer, intent(in), optional :: boundary(:), trajectory, precision, compression, chunk(:)
    integer(int64), intent(in), optional :: seed
    logical, intent(in), optional :: overwrite
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    call open_recorder_of_all(self, path, int(comm%MPI_VAL, c_int), spatial_rank, deadline, &
      name, description, time_unit, length_unit, spacing, origin, boundary, &
      parameter_names, parameter_values, trajectory, seed, precision, compression, chunk, overwrite, plugin_path, stat, errmsg)
  end subroutine open_recorder_f08

  subroutine open_recorder_of_all(self, path, comm, spatial_rank, deadline, name, description, time_unit, length_unit, spacing,&
      & origin, boundary, &
      parameter_names, parameter_values, trajectory, seed, precision, compression, chunk, overwrite, plugin_path, stat, errmsg)
    class(surrogate_mpi_recorder), intent(inout) :: self
    character(len=*), intent(in) :: path
    integer(c_int), intent(in) :: comm
    integer, intent(in) :: spatial_rank
    real(real64), intent(in), optional :: deadline
    character(len=*), intent(in), optional :: name, description, time_unit, length_unit, parameter_names(:), plugin_path
    real(real64), intent(in), optional :: spacing(:), origin(:)
    real(real64), intent(in), optional, contiguous, target :: parameter_values(:)
    integer, intent(in), optional :: boundary(:), trajectory, precision, compression, chunk(:)
    integer(int64), intent(in), optional :: seed
    logical, intent(in), optional :: overwrite
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_recorder_options) :: options
    type(recorder_texts), target :: texts
    type(c_text), target :: where
    type(c_ptr) :: handle
    real(c_double) :: seconds
    integer :: code

    if (c_associated(self%handle)) then
      call fail(SURROGATE_ERROR_ARGUMENT, 'surrogate recorder: it is open already; call recorder%close first, on all ' // &
        'ranks', stat, errmsg)
      return
    end if
    call set_recorder_options(options, texts, spatial_rank, name, description, time_unit, length_unit, spacing, origin, boundary, &
      parameter_names, parameter_values, trajectory, seed, precision, compression, chunk, overwrite, plugin_path)
    seconds = 0  ! the default
    if (present(deadline)) seconds = deadline
    code = int(c_mpi_recorder_open(handle, comm, c_string(where, path), options, seconds))
    if (code == SURROGATE_OK) then
      self%handle = handle
      self%spatial_rank = max(1, min(spatial_rank, 3))
    end if
    call report(code, stat, errmsg)
  end subroutine open_recorder_of_all

  ! Add the frame of time `time`, each rank its block; it is stored whole or not at all.  Collective.
  !   origin, global_shape   as in surrogate_mpi_model%predict
  subroutine write_recorder_of_all(self, time, state, origin, global_shape, stat, errmsg)
    class(surrogate_mpi_recorder), intent(in) :: self
    real(real64), intent(in) :: time
    type(surrogate_fields), intent(in), target :: state
    integer, intent(in) :: origin(:), global_shape(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_field), allocatable, target :: fields(:)
    type(c_step_options) :: place

    place = step_options(origin=origin, global_shape=global_shape)
    call describe_state(fields, state, self%spatial_rank)
    call report(int(c_mpi_recorder_write(self%handle, real(time, c_double), c_loc(fields), &
      int(state%field_count(), c_size_t), place%origin, place%global_shape)), stat, errmsg)
  end subroutine write_recorder_of_all

  ! End the recording: its frames are joined in one file.  Collective, unless a call timed out.
  subroutine close_recorder_of_all(self, stat, errmsg)
    class(surrogate_mpi_recorder), intent(inout) :: self
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_ptr) :: handle

    handle = self%handle
    self%handle = c_null_ptr
    call report(int(c_mpi_recorder_close(handle)), stat, errmsg)
  end subroutine close_recorder_of_all

  logical function recorder_of_all_is_open(self)
    class(surrogate_mpi_recorder), intent(in) :: self

    recorder_of_all_is_open = c_associated(self%handle)
  end function recorder_of_all_is_open

end module surrogate_mpi
