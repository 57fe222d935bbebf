! Made from surrogate.fypp by fypp: edit that file, not this one.
!
! Module surrogate: call a trained field-to-field model from a Fortran solver.  Compile this one file with the solver
! (module files belong to one compiler version) and link libsurrogate; it needs nothing else.
!
!     use surrogate
!     type(surrogate_model) :: model
!     call model%open('flow.surrogate')
!     call model%predict(u_next(1:nx,1:ny,:), u_now(1:nx,1:ny,:), stat=ierr, errmsg=msg)
!     select case (ierr)
!     case (SURROGATE_OK);       t = t + model%time_step()
!     case (SURROGATE_REJECTED); call solver_advance(model%time_step())
!     case default;              error stop msg
!     end select
!
! - stat gets SURROGATE_OK, SURROGATE_REJECTED or a negative SURROGATE_ERROR_*; errmsg gets the reason unless OK, and
!   is left alone if OK.  Without stat every outcome but OK is an `error stop` with that reason.
! - Outputs are written only if OK.  u_next may be u_now; any other overlap is refused.
! - Slices, ghost cells and components of a record are described by their strides and never copied.
! - Axis numbers and indices count from 1 and stand in Fortran's order, fastest axis first.  In errmsg too: what stands
!   in (parentheses), as the cell of a rejection, is Fortran's.  Shapes in [brackets] are the library's, slowest axis
!   first; surrogate_last_error returns the library's text as it is, cells in [brackets] counted from 0.
! - Give arrays that are added to a surrogate_fields the TARGET attribute: the state remembers where they are.
! - model = other shares it: the library's handle is freed when the last copy is closed or goes out of scope.
!   Bitwise copies (allocate with source=; in gfortran also of a type that holds a model) own nothing: they are refused
!   when used and free nothing.  Assign the model itself.
!
! The file holds two modules: surrogate, at its end, is what solvers use; surrogate_private is what that is made of, and
! may change: module surrogate_mpi shares it.
module surrogate_private
  use, intrinsic :: iso_c_binding, only: c_ptr, c_funptr, c_char, c_double, c_int, c_int32_t, c_int64_t, c_intptr_t, &
    c_size_t, c_null_ptr, c_null_funptr, c_null_char, c_loc, c_associated, c_f_pointer, c_sizeof
  use, intrinsic :: iso_fortran_env, only: real32, real64, int64
  implicit none

  integer, parameter :: SURROGATE_OK = 0
  integer, parameter :: SURROGATE_REJECTED = 1
  integer, parameter :: SURROGATE_ERROR_ARGUMENT = -1
  integer, parameter :: SURROGATE_ERROR_NOT_FOUND = -2
  integer, parameter :: SURROGATE_ERROR_CORRUPT = -3
  integer, parameter :: SURROGATE_ERROR_SCHEMA = -4
  integer, parameter :: SURROGATE_ERROR_SHAPE = -5
  integer, parameter :: SURROGATE_ERROR_DTYPE = -6
  integer, parameter :: SURROGATE_ERROR_FIELD = -7
  integer, parameter :: SURROGATE_ERROR_UNIT = -8
  integer, parameter :: SURROGATE_ERROR_OVERLAP = -9
  integer, parameter :: SURROGATE_ERROR_ENGINE = -10
  integer, parameter :: SURROGATE_ERROR_EXECUTION = -11
  integer, parameter :: SURROGATE_ERROR_MEMORY = -12
  integer, parameter :: SURROGATE_ERROR_UNSUPPORTED = -13
  integer, parameter :: SURROGATE_ERROR_PARAMETER = -14
  integer, parameter :: SURROGATE_ERROR_WRITE = -15
  integer, parameter :: SURROGATE_ERROR_TIMEOUT = -16
  integer, parameter :: SURROGATE_ERROR_MPI = -17
  integer, parameter :: SURROGATE_ERROR_INTERNAL = -99
  integer, parameter :: SURROGATE_REASON_NONE = 0
  integer, parameter :: SURROGATE_REASON_INPUT_NOT_FINITE = 1
  integer, parameter :: SURROGATE_REASON_OUTPUT_NOT_FINITE = 2
  integer, parameter :: SURROGATE_REASON_INPUT_OUT_OF_BOUNDS = 3
  integer, parameter :: SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS = 4
  integer, parameter :: SURROGATE_REASON_INPUT_OUT_OF_RANGE = 5
  integer, parameter :: SURROGATE_REASON_INPUT_UNLIKE_TRAINING = 6
  integer, parameter :: SURROGATE_REASON_NOT_CONSERVED = 7
  integer, parameter :: SURROGATE_REASON_JUMP_OUT_OF_RANGE = 8
  integer, parameter :: SURROGATE_REASON_SPREAD_TOO_LARGE = 9
  integer, parameter :: SURROGATE_BOUNDARY_PERIODIC = 1
  integer, parameter :: SURROGATE_BOUNDARY_WALL = 2
  integer, parameter :: SURROGATE_BOUNDARY_OPEN = 3

  integer, parameter :: max_rank = 6       ! SURROGATE_MAX_RANK
  integer(int64), parameter :: quiet_nan = int(z'7FF8000000000000', int64)  ! raises no flag, whatever the host traps
  integer, parameter :: stack_fields = 32  ! states of more fields cost an allocation a call
  integer(c_int32_t), parameter :: dtype_real32 = 1, dtype_real64 = 2

  ! ------------------------------------------------------------------------ the structs of surrogate.h --

  type, bind(c) :: c_field  ! no default values: arrays of it live on the stack of every call
    type(c_ptr) :: name, unit, data
    integer(c_int32_t) :: dtype, memory, device, rank, component_axis, batch_axis
    integer(c_int64_t) :: shape(max_rank), strides(max_rank)
    type(c_ptr) :: reserved(2)
  end type c_field

  type, bind(c) :: c_open_options
    integer(c_size_t) :: struct_size = 0
    type(c_ptr) :: engine = c_null_ptr, program = c_null_ptr, device = c_null_ptr, precision = c_null_ptr
    integer(c_int32_t) :: threads = 0, verify = 0
    type(c_ptr) :: guards = c_null_ptr, engine_path = c_null_ptr, engine_options = c_null_ptr
    type(c_funptr) :: log = c_null_funptr
    type(c_ptr) :: log_user = c_null_ptr, overlay = c_null_ptr, record_calls = c_null_ptr
    integer(c_int32_t) :: preload = 0
  end type c_open_options

  type, bind(c) :: c_step_options
    integer(c_size_t) :: struct_size = 0
    integer(c_int64_t) :: step = -1
    real(c_double) :: time = 0
    integer(c_int64_t) :: seed = 0, member = 0
    type(c_ptr) :: parameters = c_null_ptr
    integer(c_size_t) :: parameter_count = 0
    integer(c_int64_t) :: origin(3) = 0, global_shape(3) = 0
    type(c_ptr) :: stream = c_null_ptr
    integer(c_int64_t) :: members = 1, steps = 0
    real(c_double) :: guidance = 0
    type(c_ptr) :: caption = c_null_ptr
  end type c_step_options

  type, bind(c) :: c_rejection
    integer(c_size_t) :: struct_size = 0
    integer(c_int32_t) :: reason = 0, field = -1, component = 0
    integer(c_int64_t) :: cell(3) = 0, batch = 0
    real(c_double) :: value = 0, lower = 0, upper = 0
    integer(c_int64_t) :: call = 0
  end type c_rejection

  type, bind(c) :: c_info
    integer(c_size_t) :: struct_size = 0
    type(c_ptr) :: name = c_null_ptr, path = c_null_ptr, engine = c_null_ptr, program = c_null_ptr
    type(c_ptr) :: device = c_null_ptr, precision = c_null_ptr, choice = c_null_ptr
    integer(c_int32_t) :: field_count = 0, channel_count = 0, parameter_count = 0, spatial_rank = 0
    real(c_double) :: time_step = 0
    type(c_ptr) :: time_unit = c_null_ptr
    integer(c_int64_t) :: fixed_shape(3) = 0, multiple_of(3) = 0, minimum_shape(3) = 0
    real(c_double) :: spacing(3) = 0
    type(c_ptr) :: spacing_unit = c_null_ptr
    integer(c_int32_t) :: boundary(3) = 0
    integer(c_int64_t) :: receptive_field(3) = 0, stride(3) = 0
    integer(c_int32_t) :: reduces_over_space = 0, stochastic = 0, threads = 0, history = 0, partial_count = 0
    type(c_ptr) :: sampler = c_null_ptr, steps = c_null_ptr
    integer(c_int32_t) :: step_count = 0, caption_length = 0
    integer(c_int64_t) :: preset_steps = 0, largest_members = 0
    real(c_double) :: largest_guidance = 0
  end type c_info

  type, bind(c) :: c_field_info
    integer(c_size_t) :: struct_size = 0
    type(c_ptr) :: name = c_null_ptr, unit = c_null_ptr, staggering = c_null_ptr
    integer(c_int32_t) :: components = 0, predicted = 0
  end type c_field_info

  type, bind(c) :: c_recorder_options
    integer(c_size_t) :: struct_size = 0
    type(c_ptr) :: name = c_null_ptr, description = c_null_ptr, time_unit = c_null_ptr, length_unit = c_null_ptr
    real(c_double) :: spacing(3) = 0, origin(3) = 0
    integer(c_int32_t) :: boundary(3) = 0
    type(c_ptr) :: parameter_names = c_null_ptr, parameter_values = c_null_ptr
    integer(c_size_t) :: parameter_count = 0
    integer(c_int64_t) :: trajectory = -1, seed = 0
    integer(c_int32_t) :: precision = 0, compression = 0
    integer(c_int64_t) :: chunk(3) = 0
    integer(c_int32_t) :: overwrite = 0
    type(c_ptr) :: plugin_path = c_null_ptr
  end type c_recorder_options

  interface
    function c_recorder_open(recorder, path, options) bind(c, name='surrogate_recorder_open') result(status)
      import :: c_ptr, c_char, c_int, c_recorder_options
      type(c_ptr), intent(out) :: recorder
      character(kind=c_char), intent(in) :: path(*)
      type(c_recorder_options), intent(in) :: options
      integer(c_int) :: status
    end function c_recorder_open
    function c_recorder_write(recorder, time, fields, count) bind(c, name='surrogate_recorder_write') result(status)
      import :: c_ptr, c_int, c_size_t, c_double
      type(c_ptr), value :: recorder, fields
      real(c_double), value :: time
      integer(c_size_t), value :: count
      integer(c_int) :: status
    end function c_recorder_write
    function c_recorder_close(recorder) bind(c, name='surrogate_recorder_close') result(status)
      import :: c_ptr, c_int
      type(c_ptr), value :: recorder
      integer(c_int) :: status
    end function c_recorder_close
    function c_version() bind(c, name='surrogate_version') result(text)
      import :: c_ptr
      type(c_ptr) :: text
    end function c_version
    function c_last_error() bind(c, name='surrogate_last_error') result(text)
      import :: c_ptr
      type(c_ptr) :: text
    end function c_last_error
    function c_status_name(status) bind(c, name='surrogate_status_name') result(text)
      import :: c_ptr, c_int
      integer(c_int), value :: status
      type(c_ptr) :: text
    end function c_status_name
    function c_reason_name(reason) bind(c, name='surrogate_reason_name') result(text)
      import :: c_ptr, c_int
      integer(c_int), value :: reason
      type(c_ptr) :: text
    end function c_reason_name
    function c_open(model, path, options) bind(c, name='surrogate_open') result(status)
      import :: c_ptr, c_char, c_int, c_open_options
      type(c_ptr), intent(out) :: model
      character(kind=c_char), intent(in) :: path(*)
      type(c_open_options), intent(in) :: options
      integer(c_int) :: status
    end function c_open
    subroutine c_close(model) bind(c, name='surrogate_close')
      import :: c_ptr
      type(c_ptr), value :: model
    end subroutine c_close
    ! Fields and arrays go by address: the library writes through what they describe.
    function c_predict(model, output, input, count, step) bind(c, name='surrogate_predict') result(status)
      import :: c_ptr, c_int, c_size_t, c_step_options
      type(c_ptr), value :: model, output, input
      integer(c_size_t), value :: count
      type(c_step_options), intent(in) :: step
      integer(c_int) :: status
    end function c_predict
    function c_predict_array(model, output, input, dtype, rank, shape, step) bind(c, name='surrogate_predict_array') &
        result(status)
      import :: c_ptr, c_int, c_int64_t, c_step_options
      type(c_ptr), value :: model, output, input
      integer(c_int), value :: dtype, rank
      integer(c_int64_t), intent(in) :: shape(*)
      type(c_step_options), intent(in) :: step
      integer(c_int) :: status
    end function c_predict_array
    function c_begin(model, output, input, count, step) bind(c, name='surrogate_predict_begin') result(status)
      import :: c_ptr, c_int, c_size_t, c_step_options
      type(c_ptr), value :: model, output, input
      integer(c_size_t), value :: count
      type(c_step_options), intent(in) :: step
      integer(c_int) :: status
    end function c_begin
    function c_test(model, done) bind(c, name='surrogate_predict_test') result(status)
      import :: c_ptr, c_int
      type(c_ptr), value :: model
      integer(c_int), intent(inout) :: done
      integer(c_int) :: status
    end function c_test
    function c_wait(model) bind(c, name='surrogate_predict_wait') result(status)
      import :: c_ptr, c_int
      type(c_ptr), value :: model
      integer(c_int) :: status
    end function c_wait
    function c_partials(model, partials, count) bind(c, name='surrogate_predict_partials') result(status)
      import :: c_ptr, c_int, c_size_t
      type(c_ptr), value :: model, partials
      integer(c_size_t), value :: count
      integer(c_int) :: status
    end function c_partials
    function c_finish(model, totals, count) bind(c, name='surrogate_predict_finish') result(status)
      import :: c_ptr, c_int, c_size_t
      type(c_ptr), value :: model, totals
      integer(c_size_t), value :: count
      integer(c_int) :: status
    end function c_finish
    function c_ensemble(model, mean, spread, input, count, step) bind(c, name='surrogate_predict_ensemble') &
        result(status)
      import :: c_ptr, c_int, c_size_t, c_step_options
      type(c_ptr), value :: model, mean, spread, input
      integer(c_size_t), value :: count
      type(c_step_options), intent(in) :: step
      integer(c_int) :: status
    end function c_ensemble
    function c_members(model, output, input, count, step) bind(c, name='surrogate_predict_members') result(status)
      import :: c_ptr, c_int, c_size_t, c_step_options
      type(c_ptr), value :: model, output, input
      integer(c_size_t), value :: count
      type(c_step_options), intent(in) :: step
      integer(c_int) :: status
    end function c_members
    function c_rollout(model, completed, output, input, count, steps, step) bind(c, name='surrogate_rollout') &
        result(status)
      import :: c_ptr, c_int, c_int64_t, c_size_t, c_step_options
      type(c_ptr), value :: model, output, input
      integer(c_int64_t), intent(inout) :: completed
      integer(c_size_t), value :: count
      integer(c_int64_t), value :: steps
      type(c_step_options), intent(in) :: step
      integer(c_int) :: status
    end function c_rollout
    function c_last_rejection(model, rejection) bind(c, name='surrogate_last_rejection') result(status)
      import :: c_ptr, c_int, c_rejection
      type(c_ptr), value :: model
      type(c_rejection), intent(inout) :: rejection
      integer(c_int) :: status
    end function c_last_rejection
    function c_get_info(model, info) bind(c, name='surrogate_get_info') result(status)
      import :: c_ptr, c_int, c_info
      type(c_ptr), value :: model
      type(c_info), intent(inout) :: info
      integer(c_int) :: status
    end function c_get_info
    function c_get_field_info(model, index, info) bind(c, name='surrogate_get_field_info') result(status)
      import :: c_ptr, c_int, c_field_info
      type(c_ptr), value :: model
      integer(c_int), value :: index
      type(c_field_info), intent(inout) :: info
      integer(c_int) :: status
    end function c_get_field_info
    function c_strlen(text) bind(c, name='strlen') result(length)
      import :: c_ptr, c_size_t
      type(c_ptr), value :: text
      integer(c_size_t) :: length
    end function c_strlen
  end interface

  ! ------------------------------------------------------------------------------------- public types --

  type :: c_text  ! a C string that we own
    character(kind=c_char), allocatable :: text(:)
  end type c_text

  type :: recorder_texts  ! what c_recorder_options points to
    type(c_text) :: text(5)
    type(c_text), allocatable :: names(:)
    type(c_ptr), allocatable :: pointers(:)
  end type recorder_texts

  ! Where and why a guard refused: model%rejection().
  type :: surrogate_rejection
    integer :: reason = SURROGATE_REASON_NONE
    integer :: field = 0            ! number of the field in the manifest's order; 0: none in particular
    integer :: component = 0        ! component of that field
    integer(int64) :: cell(3) = 0   ! indices of the first offending cell, fastest axis first; unused axes 0
    integer(int64) :: batch = 0     ! which state of a batch
    real(real64) :: value = 0       ! the offending value
    real(real64) :: lower = 0, upper = 0  ! the bounds it broke
    integer(int64) :: call = 0      ! number of the refused call
  end type surrogate_rejection

  ! A state as named arrays of the solver, described and never owned.
  type :: surrogate_fields
    private
    integer :: count = 0
    type(c_field), allocatable :: field(:)
    type(c_text), allocatable :: name(:), unit(:)
  contains
    procedure :: clear => clear_state
    procedure :: field_count => state_field_count
    procedure :: swap => swap_states
    procedure, private :: add_real32_1
    generic :: add => add_real32_1
    procedure, private :: add_real32_2
    generic :: add => add_real32_2
    procedure, private :: add_real32_3
    generic :: add => add_real32_3
    procedure, private :: add_real32_4
    generic :: add => add_real32_4
    procedure, private :: add_real32_5
    generic :: add => add_real32_5
    procedure, private :: add_real64_1
    generic :: add => add_real64_1
    procedure, private :: add_real64_2
    generic :: add => add_real64_2
    procedure, private :: add_real64_3
    generic :: add => add_real64_3
    procedure, private :: add_real64_4
    generic :: add => add_real64_4
    procedure, private :: add_real64_5
    generic :: add => add_real64_5
  end type surrogate_fields

  type :: shared_model  ! one opened bundle, shared by all copies of its surrogate_model
    type(c_ptr) :: handle = c_null_ptr
    type(c_ptr) :: ranks = c_null_ptr  ! what `handle` is a part of, if many ranks opened it: theirs to close
    type(c_ptr) :: target = c_null_ptr  ! what the two functions are called with: `ranks` if there are many, else `handle`
    procedure(c_predict), pointer, nopass :: predict => null()
    procedure(c_predict_array), pointer, nopass :: predict_array => null()
    integer :: owners = 0
    integer :: spatial_rank = 0, channel_count = 0
    integer, allocatable :: components(:)  ! of each field
  end type shared_model

  ! An opened bundle.
  type :: surrogate_model
    private
    type(shared_model), pointer :: shared => null()
    integer(c_intptr_t) :: home = 0  ! address of this very variable when it got its share: tells it from its bitwise copies
  contains
    procedure :: open => open_model
    procedure :: close => close_model
    procedure :: is_open
    procedure :: name => model_name
    procedure :: engine => model_engine
    procedure :: program_name => model_program
    procedure :: choice => model_choice
    procedure :: time_step => model_time_step
    procedure :: time_unit => model_time_unit
    procedure :: spatial_rank => model_spatial_rank
    procedure :: channel_count => model_channel_count
    procedure :: parameter_count => model_parameter_count
    procedure :: fixed_shape => model_fixed_shape
    procedure :: multiple_of => model_multiple_of
    procedure :: minimum_shape => model_minimum_shape
    procedure :: receptive_field => model_receptive_field
    procedure :: field_count => model_field_count
    procedure :: field_name => model_field_name
    procedure :: field_unit => model_field_unit
    procedure :: field_components => model_field_components
    procedure :: field_predicted => model_field_predicted
    procedure :: rejection => model_rejection
    procedure :: history => model_history
    procedure :: stochastic => model_stochastic
    procedure :: sampler => model_sampler
    procedure :: steps => model_steps
    procedure :: preset_steps => model_preset_steps
    procedure :: largest_members => model_largest_members
    procedure :: largest_guidance => model_largest_guidance
    procedure :: caption_length => model_caption_length
    procedure :: predict_begin
    procedure :: predict_done
    procedure :: predict_wait
    procedure :: partial_count => model_partial_count
    procedure :: predict_partials
    procedure :: predict_finish
    procedure :: predict_ensemble
    procedure :: predict_members
    procedure :: rollout => rollout_state
    procedure, private :: predict_state
    generic :: predict => predict_state
    procedure, private :: predict_real32_2
    generic :: predict => predict_real32_2
    procedure, private :: predict_real32_3
    generic :: predict => predict_real32_3
    procedure, private :: predict_real32_4
    generic :: predict => predict_real32_4
    procedure, private :: predict_real32_5
    generic :: predict => predict_real32_5
    procedure, private :: predict_real64_2
    generic :: predict => predict_real64_2
    procedure, private :: predict_real64_3
    generic :: predict => predict_real64_3
    procedure, private :: predict_real64_4
    generic :: predict => predict_real64_4
    procedure, private :: predict_real64_5
    generic :: predict => predict_real64_5
    procedure, private :: share
    generic :: assignment(=) => share
    final :: finalise
  end type surrogate_model

  ! A recording of the solver's states, in The Well's layout (HDF5).  A bitwise copy names the same recording; which of
  ! them closes it does not matter: the library tells a closed recording from an open one.
  type :: surrogate_recorder
    private
    type(c_ptr) :: handle = c_null_ptr
    integer :: spatial_rank = 0
  contains
    procedure :: open => open_recorder
    procedure :: write => write_recorder
    procedure :: close => close_recorder
    procedure :: is_open => recorder_is_open
  end type surrogate_recorder

  interface describe
    module procedure describe_real32_1
    module procedure describe_real32_2
    module procedure describe_real32_3
    module procedure describe_real32_4
    module procedure describe_real32_5
    module procedure describe_real64_1
    module procedure describe_real64_2
    module procedure describe_real64_3
    module procedure describe_real64_4
    module procedure describe_real64_5
  end interface describe

contains

  ! ------------------------------------------------------------------------------------ open and close --

  ! Open the bundle folder at `path`; the options are those of surrogate_open_options.  A model that this variable
  ! held is released only if opening succeeds.
  !   engine, program, device, precision   names; absent: chosen by the library
  !   threads          CPU threads of a prediction; 0 or absent: what the engine finds
  !   verify           .true.: replay the bundle's example pair too
  !   guards           JSON object that replaces guards of the manifest
  !   engine_path      ':'-separated folders searched first for engines
  !   engine_options   JSON object for the engine
  !   overlay          folder of programs lowered for this machine; '': none; absent: the user's
  !   record_calls     path of a recording of every accepted prediction
  !   preload          .true.: load the programs of all steps of a generative model now, not at their first use
  subroutine open_model(self, path, engine, program, device, precision, threads, verify, guards, engine_path, &
      engine_options, overlay, record_calls, stat, errmsg, preload)
    class(surrogate_model), intent(inout), target :: self
    character(len=*), intent(in) :: path
    character(len=*), intent(in), optional :: engine, program, device, precision, guards, engine_path, engine_options
    character(len=*), intent(in), optional :: overlay, record_calls
    integer, intent(in), optional :: threads
    logical, intent(in), optional :: verify, preload
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_open_options) :: options
    type(c_text), target :: text(9)
    type(c_ptr) :: handle
    integer :: code

    call set_open_options(options, text, engine, program, device, precision, threads, verify, guards, engine_path, &
      engine_options, overlay, record_calls, preload)
    code = int(c_open(handle, to_c(path), options))
    if (code == SURROGATE_OK) call take(self, handle, handle, c_predict, c_predict_array)
    call report(code, stat, errmsg)
  end subroutine open_model

  ! `text` holds what the options point to.
  subroutine set_open_options(options, text, engine, program, device, precision, threads, verify, guards, engine_path, &
      engine_options, overlay, record_calls, preload)
    type(c_open_options), intent(out) :: options
    type(c_text), intent(inout), target :: text(9)
    character(len=*), intent(in), optional :: engine, program, device, precision, guards, engine_path, engine_options
    character(len=*), intent(in), optional :: overlay, record_calls
    integer, intent(in), optional :: threads
    logical, intent(in), optional :: verify, preload

    options%struct_size = c_sizeof(options)
    options%engine = c_string(text(1), engine)
    options%program = c_string(text(2), program)
    options%device = c_string(text(3), device)
    options%precision = c_string(text(4), precision)
    options%guards = c_string(text(5), guards)
    options%engine_path = c_string(text(6), engine_path)
    options%engine_options = c_string(text(7), engine_options)
    options%overlay = c_string(text(8), overlay)
    options%record_calls = c_string(text(9), record_calls)
    if (present(threads)) options%threads = int(threads, c_int32_t)
    if (present(verify)) options%verify = merge(1_c_int32_t, 0_c_int32_t, verify)
    if (present(preload)) options%preload = merge(1_c_int32_t, 0_c_int32_t, preload)
  end subroutine set_open_options

  ! Make `self` the first owner of an opened bundle, in place of what it held: `predict` is called with `target`, which
  ! is `handle`, or what many ranks opened and `handle` is a part of.
  subroutine take(self, handle, target, predict, predict_array)
    class(surrogate_model), intent(inout), target :: self
    type(c_ptr), intent(in) :: handle, target
    procedure(c_predict) :: predict
    procedure(c_predict_array) :: predict_array
    type(c_info) :: info
    type(c_field_info) :: field
    integer :: k, code

    call self%close()
    allocate (self%shared)
    self%home = address(c_loc(self%home))
    associate (shared => self%shared)
      shared%handle = handle
      shared%target = target
      if (.not. c_associated(handle, target)) shared%ranks = target
      shared%predict => predict
      shared%predict_array => predict_array
      shared%owners = 1
      info%struct_size = c_sizeof(info)
      code = int(c_get_info(handle, info))
      shared%spatial_rank = int(info%spatial_rank)
      shared%channel_count = int(info%channel_count)
      allocate (shared%components(info%field_count))
      do k = 1, size(shared%components)
        field%struct_size = c_sizeof(field)
        code = int(c_get_field_info(handle, int(k - 1, c_int), field))
        shared%components(k) = int(field%components)
      end do
    end associate
  end subroutine take

  ! What many ranks opened, null if one process did or the model is closed.
  type(c_ptr) function ranks_of(self)
    class(surrogate_model), intent(in), target :: self

    ranks_of = c_null_ptr
    if (owns(self)) ranks_of = self%shared%ranks
  end function ranks_of

  ! What many ranks opened, for all of them to close: no copy can be used after that.
  type(c_ptr) function taken_from(self) result(ranks)
    class(surrogate_model), intent(inout), target :: self

    ranks = ranks_of(self)
    if (c_associated(ranks)) self%shared%handle = c_null_ptr
    call close_model(self)
  end function taken_from

  ! Give this variable's share back; the last one frees the model.  A closed model may be closed again.
  impure elemental subroutine close_model(self)
    class(surrogate_model), intent(inout), target :: self

    if (shares(self)) then
      self%shared%owners = self%shared%owners - 1
      if (self%shared%owners == 0) then
        if (.not. c_associated(self%shared%ranks)) call c_close(self%shared%handle)
        deallocate (self%shared)
      end if
    end if
    self%shared => null()
    self%home = 0
  end subroutine close_model

  impure elemental subroutine finalise(self)
    type(surrogate_model), intent(inout), target :: self

    call close_model(self)
  end subroutine finalise

  ! model = other: both are the same opened bundle from now on.
  impure elemental subroutine share(self, other)
    class(surrogate_model), intent(inout), target :: self
    class(surrogate_model), intent(in) :: other
    type(shared_model), pointer :: shared

    shared => other%shared
    if (associated(shared)) shared%owners = shared%owners + 1  ! first, for model = model
    call close_model(self)
    self%shared => shared
    if (associated(shared)) self%home = address(c_loc(self%home))
  end subroutine share

  logical function is_open(self)
    class(surrogate_model), intent(in), target :: self

    is_open = owns(self)
  end function is_open

  logical function owns(self)
    class(surrogate_model), intent(in), target :: self

    owns = .false.
    if (shares(self)) owns = c_associated(self%shared%handle)
  end function owns

  logical function shares(self)
    class(surrogate_model), intent(in), target :: self

    shares = associated(self%shared) .and. self%home == address(c_loc(self%home))
  end function shares

  ! ------------------------------------------------------------------------------------------- predict --

  ! Predict the state one time step later.
  !   u_next, u_now    u(nx[,ny[,nz]],nc) or u(nx[,ny[,nz]],nc,nbatch): all channels in the manifest's order.  Channels that
  !                    are not predicted are left alone.
  !   step             number of the step, counted by the solver (stochastic models need it)
  !   time             time of u_now, in the manifest's unit
  !   seed, member     of the random numbers of stochastic models; the member counts from 0
  !   parameters       scalar parameters in the manifest's order
  !   origin           global indices of the first cell, from 1; global_shape: of the whole domain, for blocks of it
  !   steps            evaluations of a generative model's net, one of model%steps(); absent: the bundle's preset
  !   guidance         weight of its condition, 0 to model%largest_guidance(); caption: what the frame should show
  subroutine predict_real32_2(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps, guidance,&
      & caption, &
      stat, errmsg)
    class(surrogate_model), intent(in), target :: self
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

    call predict_array(self, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_real32_2

  subroutine predict_real32_3(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps, guidance,&
      & caption, &
      stat, errmsg)
    class(surrogate_model), intent(in), target :: self
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

    call predict_array(self, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_real32_3

  subroutine predict_real32_4(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps, guidance,&
      & caption, &
      stat, errmsg)
    class(surrogate_model), intent(in), target :: self
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

    call predict_array(self, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_real32_4

  subroutine predict_real32_5(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps, guidance,&
      & caption, &
      stat, errmsg)
    class(surrogate_model), intent(in), target :: self
    real(real32), intent(inout), target :: u_next(:,:,:,:,:)
    real(real32), target :: u_now(:,:,:,:,:)  ! read only; no intent, so that it may be u_next itself
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_text), target :: words

    call predict_array(self, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_real32_5

  subroutine predict_real64_2(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps, guidance,&
      & caption, &
      stat, errmsg)
    class(surrogate_model), intent(in), target :: self
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

    call predict_array(self, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_real64_2

  subroutine predict_real64_3(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps, guidance,&
      & caption, &
      stat, errmsg)
    class(surrogate_model), intent(in), target :: self
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

    call predict_array(self, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_real64_3

  subroutine predict_real64_4(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps, guidance,&
      & caption, &
      stat, errmsg)
    class(surrogate_model), intent(in), target :: self
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

    call predict_array(self, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_real64_4

  subroutine predict_real64_5(self, u_next, u_now, step, time, seed, member, parameters, origin, global_shape, steps, guidance,&
      & caption, &
      stat, errmsg)
    class(surrogate_model), intent(in), target :: self
    real(real64), intent(inout), target :: u_next(:,:,:,:,:)
    real(real64), target :: u_now(:,:,:,:,:)  ! read only; no intent, so that it may be u_next itself
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_text), target :: words

    call predict_array(self, describe(u_next), describe(u_now), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words), stat, errmsg)
  end subroutine predict_real64_5

  ! The same for a state of named arrays.  Fields that are only read may be missing in `next`.
  !   history          older frames of a model that reads several: the one a time step before `now` first
  subroutine predict_state(self, next, now, step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, &
      stat, errmsg, history)
    class(surrogate_model), intent(in), target :: self
    type(surrogate_fields), intent(in), target :: next, now
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(surrogate_fields), intent(in), optional, target :: history(:)
    type(c_field), target :: small(stack_fields, 2)
    type(c_field), allocatable, target :: large(:,:)
    type(c_field), pointer :: fields(:,:)
    type(c_text), target :: words

    if (.not. usable(self, stat, errmsg)) return
    if (next%count > now%count) call abstain(self%shared)
    if (.not. may_write(next, now, stat, errmsg)) return
    if (frames(history)*now%count > stack_fields) then
      allocate (large(frames(history)*now%count, 2))
      fields => large
    else
      fields => small
    end if
    call read_from(fields(:, 2), now, self%shared%spatial_rank, history)
    call write_to(fields(:now%count, 1), fields(:now%count, 2), next, now, self%shared%spatial_rank)
    call report(int(self%shared%predict(self%shared%target, c_loc(fields(1, 1)), c_loc(fields(1, 2)), &
      int(now%count, c_size_t), step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption,&
          & words))), stat, errmsg)
  end subroutine predict_state

  ! Begin what predict does on a thread of the library's, and go on: the arrays are borrowed until predict_wait, which
  ! decides, writes `next`, and gives the outcome.  The arrays of both states need TARGET or POINTER in the caller.
  subroutine predict_begin(self, next, now, step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, &
      stat, errmsg, history)
    class(surrogate_model), intent(in), target :: self
    type(surrogate_fields), intent(in), target :: next, now
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(surrogate_fields), intent(in), optional, target :: history(:)
    type(c_field), allocatable, target :: output(:), input(:)
    type(c_text), target :: words

    if (.not. alone(self, stat, errmsg)) return
    if (.not. may_write(next, now, stat, errmsg)) return
    allocate (output(now%count), input(frames(history)*now%count))
    call read_from(input, now, self%shared%spatial_rank, history)
    call write_to(output, input, next, now, self%shared%spatial_rank)
    call report(int(c_begin(self%shared%handle, c_loc(output), c_loc(input), int(now%count, c_size_t), &
      step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words))), stat, errmsg)
  end subroutine predict_begin

  ! Whether predict_wait would return at once; .false. with nothing under way.
  logical function predict_done(self)
    class(surrogate_model), intent(in), target :: self
    integer(c_int) :: done

    predict_done = .false.
    if (.not. owns(self)) return
    done = 0
    if (c_test(self%shared%handle, done) == SURROGATE_OK) predict_done = done /= 0
  end function predict_done

  subroutine predict_wait(self, stat, errmsg)
    class(surrogate_model), intent(in), target :: self
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    if (.not. alone(self, stat, errmsg)) return
    call report(int(c_wait(self%shared%handle)), stat, errmsg)
  end subroutine predict_wait

  ! Instead of predict_wait, where several ranks hold the domain: wait for the program and take the sums of this rank's
  ! part, partial_count() numbers for each state of the batch, to be added over all ranks (MPI_SUM).  Untouched unless OK;
  ! an error of the program ends the call.
  subroutine predict_partials(self, partials, stat, errmsg)
    class(surrogate_model), intent(in), target :: self
    real(real64), intent(inout), contiguous, target :: partials(:)  ! few numbers: a slice may be copied
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    if (.not. alone(self, stat, errmsg)) return
    call report(int(c_partials(self%shared%handle, c_loc(partials), size(partials, kind=c_size_t))), stat, errmsg)
  end subroutine predict_partials

  ! What predict_wait does, decided by the sums over all ranks: all of them come to the same outcome.
  subroutine predict_finish(self, totals, stat, errmsg)
    class(surrogate_model), intent(in), target :: self
    real(real64), intent(in), contiguous, target :: totals(:)
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    if (.not. alone(self, stat, errmsg)) return
    call report(int(c_finish(self%shared%handle, c_loc(totals), size(totals, kind=c_size_t))), stat, errmsg)
  end subroutine predict_finish

  ! Mean and standard deviation (divisor members - 1) over `members` members of a stochastic model.
  subroutine predict_ensemble(self, mean, spread, now, members, step, time, seed, member, parameters, origin, global_shape, steps,&
      & guidance, caption, &
      stat, errmsg, history)
    class(surrogate_model), intent(in), target :: self
    type(surrogate_fields), intent(in), target :: mean, spread, now
    integer, intent(in) :: members
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(surrogate_fields), intent(in), optional, target :: history(:)
    type(c_field), allocatable, target :: means(:), spreads(:), input(:)
    type(c_step_options) :: options
    type(c_text), target :: words

    if (.not. alone(self, stat, errmsg)) return
    if (.not. may_write(mean, now, stat, errmsg)) return
    if (.not. may_write(spread, now, stat, errmsg)) return
    allocate (means(now%count), spreads(now%count), input(frames(history)*now%count))
    call read_from(input, now, self%shared%spatial_rank, history)
    call write_to(means, input, mean, now, self%shared%spatial_rank)
    call write_to(spreads, input, spread, now, self%shared%spatial_rank)
    options = step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words)
    options%members = int(members, c_int64_t)
    call report(int(c_ensemble(self%shared%handle, c_loc(means), c_loc(spreads), c_loc(input), &
      int(now%count, c_size_t), options)), stat, errmsg)
  end subroutine predict_ensemble

  ! All members: the arrays of `every` have a batch axis of `members` (give batch_axis where it is not told by the rank).
  subroutine predict_members(self, every, now, members, step, time, seed, member, parameters, origin, global_shape, steps,&
      & guidance, caption, &
      stat, errmsg, history)
    class(surrogate_model), intent(in), target :: self
    type(surrogate_fields), intent(in), target :: every, now
    integer, intent(in) :: members
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(surrogate_fields), intent(in), optional, target :: history(:)
    type(c_field), allocatable, target :: output(:), input(:)
    type(c_step_options) :: options
    type(c_text), target :: words

    if (.not. alone(self, stat, errmsg)) return
    if (.not. may_write(every, now, stat, errmsg)) return
    allocate (output(now%count), input(frames(history)*now%count))
    call read_from(input, now, self%shared%spatial_rank, history)
    call write_to(output, input, every, now, self%shared%spatial_rank)
    options = step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption, words)
    options%members = int(members, c_int64_t)
    call report(int(c_members(self%shared%handle, c_loc(output), c_loc(input), int(now%count, c_size_t), options)), &
      stat, errmsg)
  end subroutine predict_members

  ! `steps` frames, each from the ones before; `step` and `time` count on.
  !   next             with a batch axis of `steps`: every frame; without: the last, and it may be `now`
  !   completed        how many frames were accepted, whatever the outcome: they are written
  !   sampler_steps    what is `steps` in predict
  subroutine rollout_state(self, next, now, steps, step, time, seed, member, parameters, origin, global_shape, sampler_steps,&
      & guidance, caption, &
      stat, errmsg, history, completed)
    class(surrogate_model), intent(in), target :: self
    type(surrogate_fields), intent(in), target :: next, now
    integer, intent(in) :: steps
    integer, intent(in), optional :: step, seed, member, sampler_steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(surrogate_fields), intent(in), optional, target :: history(:)
    integer, intent(out), optional :: completed
    type(c_field), allocatable, target :: output(:), input(:)
    type(c_text), target :: words
    integer(c_int64_t) :: done
    integer :: code

    if (present(completed)) completed = 0
    if (.not. alone(self, stat, errmsg)) return
    if (.not. may_write(next, now, stat, errmsg)) return
    allocate (output(now%count), input(frames(history)*now%count))
    call read_from(input, now, self%shared%spatial_rank, history)
    call write_to(output, input, next, now, self%shared%spatial_rank)
    done = 0
    code = int(c_rollout(self%shared%handle, done, c_loc(output), c_loc(input), int(now%count, c_size_t), &
      int(steps, c_int64_t), step_options(step, time, seed, member, parameters, origin, global_shape, sampler_steps, guidance,&
          & caption, words)))
    if (present(completed)) completed = int(done)
    call report(code, stat, errmsg)
  end subroutine rollout_state

  ! Frames that are read: the newest and those of its history.
  pure integer function frames(history)
    type(surrogate_fields), intent(in), optional :: history(:)

    frames = 1
    if (present(history)) frames = 1 + size(history)
  end function frames

  logical function may_write(next, now, stat, errmsg)
    type(surrogate_fields), intent(in) :: next, now
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    may_write = next%count <= now%count
    if (.not. may_write) call fail(SURROGATE_ERROR_FIELD, 'surrogate predict: the state to be written has ' // &
      decimal(next%count) // ' fields, the state to be read ' // decimal(now%count) // &
      '; add every field of the model to both', stat, errmsg)
  end function may_write

  ! `input` describes `now` already.
  subroutine write_to(output, input, next, now, spatial_rank)
    type(c_field), intent(inout) :: output(:)
    type(c_field), intent(in) :: input(:)
    type(surrogate_fields), intent(in), target :: next, now
    integer, intent(in) :: spatial_rank
    integer :: k

    do k = 1, next%count
      output(k) = named_field(next, k, spatial_rank)
    end do
    call fill_missing(output, input, next, now)
  end subroutine write_to

  subroutine read_from(input, now, spatial_rank, history)
    type(c_field), intent(inout) :: input(:)
    type(surrogate_fields), intent(in), target :: now
    integer, intent(in) :: spatial_rank
    type(surrogate_fields), intent(in), optional, target :: history(:)
    integer :: j, k

    do k = 1, now%count
      input(k) = named_field(now, k, spatial_rank)
    end do
    if (.not. present(history)) return
    do j = 1, size(history)
      do k = 1, min(now%count, history(j)%count)
        input(j*now%count + k) = named_field(history(j), k, spatial_rank)
      end do
      do k = history(j)%count + 1, now%count  ! a frame that lacks fields: the library tells which
        input(j*now%count + k) = input(1)
      end do
    end do
  end subroutine read_from

  ! Axes behind the spatial ones are components, then states of a batch, unless the caller told which is which.
  type(c_field) function named_field(state, k, spatial_rank) result(field)
    type(surrogate_fields), intent(in), target :: state
    integer, intent(in) :: k, spatial_rank
    integer :: extra

    field = state%field(k)
    field%name = c_loc(state%name(k)%text)
    if (allocated(state%unit(k)%text)) field%unit = c_loc(state%unit(k)%text)
    if (field%component_axis /= -1 .or. field%batch_axis /= -1) return
    extra = int(field%rank) - spatial_rank
    if (extra == 1 .or. extra == 2) field%component_axis = int(extra - 1, c_int32_t)
    if (extra == 2) field%batch_axis = 0
  end function named_field

  ! The library wants an entry for each field: those missing in `next` get one without data, which it accepts for
  ! fields that are only read.
  subroutine fill_missing(output, input, next, now)
    type(c_field), intent(inout) :: output(:)
    type(c_field), intent(in) :: input(:)
    type(surrogate_fields), intent(in) :: next, now
    integer :: k, j, last

    last = next%count
    if (last == size(output)) return
    do k = 1, now%count
      do j = 1, next%count
        if (same_text(now%name(k)%text, next%name(j)%text)) exit
      end do
      if (j <= next%count .or. last == size(output)) cycle
      last = last + 1
      output(last) = input(k)
      output(last)%data = c_null_ptr
    end do
    do k = last + 1, size(output)  ! only if `next` names a field that `now` lacks: let the library say so
      output(k) = output(1)
    end do
  end subroutine fill_missing

  ! The short form: all channels in one array.
  subroutine predict_array(self, next, now, options, stat, errmsg)
    class(surrogate_model), intent(in), target :: self
    type(c_field), intent(in) :: next, now
    type(c_step_options), intent(in) :: options
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    integer :: channel_axis, code

    if (.not. usable(self, stat, errmsg)) return
    channel_axis = int(now%rank) - self%shared%spatial_rank  ! in C's order, from 1: 2 behind a batch axis
    if (.not. fits(self%shared, next, now, channel_axis, stat, errmsg)) then
      return
    else if (channel_axis == 1 .and. dense(next) .and. dense(now)) then
      code = int(self%shared%predict_array(self%shared%target, next%data, now%data, now%dtype, now%rank, now%shape, options))
      call report(code, stat, errmsg)
    else
      call report(predict_channels(self%shared, next, now, channel_axis, options), stat, errmsg)
    end if
  end subroutine predict_array

  ! What is wrong here is wrong on this rank alone, if there are many: let it be the outcome of all.
  logical function fits(shared, next, now, channel_axis, stat, errmsg)
    type(shared_model), intent(in) :: shared
    type(c_field), intent(in) :: next, now
    integer, intent(in) :: channel_axis
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    character(len=:), allocatable :: wrong

    fits = channel_axis == 1 .or. channel_axis == 2
    if (fits) fits = all(next%shape == now%shape) .and. now%shape(channel_axis) == shared%channel_count
    if (fits) return
    if (channel_axis /= 1 .and. channel_axis /= 2) then
      wrong = 'the arrays have rank ' // decimal(int(now%rank)) // '; this model has ' // decimal(shared%spatial_rank) // &
        ' spatial axes and takes rank ' // decimal(shared%spatial_rank + 1) // &
        ', channels last (one more for a batch axis behind them)'
    else if (any(next%shape /= now%shape)) then
      wrong = 'u_next is ' // shape_text(next) // ', u_now is ' // shape_text(now) // '; give both the same shape'
    else
      wrong = 'the arrays are ' // shape_text(now) // ', their channel axis should have ' // &
        decimal(shared%channel_count) // ' entries'
    end if
    call abstain(shared)
    call fail(SURROGATE_ERROR_SHAPE, 'surrogate predict: ' // wrong, stat, errmsg)
  end function fits

  ! Take part in a prediction of many ranks with an error, so that the others do not wait.
  subroutine abstain(shared)
    type(shared_model), intent(in) :: shared
    integer :: code

    if (c_associated(shared%ranks)) code = int(shared%predict(shared%ranks, c_null_ptr, c_null_ptr, 0_c_size_t, c_step_options()))
  end subroutine abstain

  ! Strided arrays: each field is a range of channels.
  integer function predict_channels(shared, next, now, channel_axis, options) result(code)
    type(shared_model), intent(in) :: shared
    type(c_field), intent(in) :: next, now
    integer, intent(in) :: channel_axis
    type(c_step_options), intent(in) :: options
    type(c_field), target :: small(stack_fields, 2)
    type(c_field), allocatable, target :: large(:,:)
    type(c_field), pointer :: fields(:,:)
    integer :: k, first, count

    count = size(shared%components)
    if (count > stack_fields) then
      allocate (large(count, 2))
      fields => large
    else
      fields => small
    end if
    first = 0
    do k = 1, count
      fields(k, 1) = channels(next, channel_axis, first, shared%components(k))
      fields(k, 2) = channels(now, channel_axis, first, shared%components(k))
      first = first + shared%components(k)
    end do
    code = int(shared%predict(shared%target, c_loc(fields(1, 1)), c_loc(fields(1, 2)), int(count, c_size_t), options))
  end function predict_channels

  type(c_field) function channels(whole, axis, first, count)
    type(c_field), intent(in) :: whole
    integer, intent(in) :: axis, first, count

    channels = whole
    if (c_associated(whole%data)) channels%data = moved(whole%data, first * whole%strides(axis))
    channels%shape(axis) = count
    channels%component_axis = int(axis - 1, c_int32_t)
    if (axis == 2) channels%batch_axis = 0
  end function channels

  ! `words` holds the caption that the options point to.
  type(c_step_options) function step_options(step, time, seed, member, parameters, origin, global_shape, steps, guidance, caption,&
      & words) &
      result(options)
    integer, intent(in), optional :: step, seed, member, steps
    real(real64), intent(in), optional :: time, guidance
    real(real64), intent(in), optional, contiguous, target :: parameters(:)
    integer, intent(in), optional :: origin(:), global_shape(:)
    character(len=*), intent(in), optional :: caption
    type(c_text), intent(inout), optional, target :: words
    integer :: n

    options%struct_size = c_sizeof(options)
    options%time = transfer(quiet_nan, options%time)
    options%guidance = options%time
    if (present(steps)) options%steps = int(steps, c_int64_t)
    if (present(guidance)) options%guidance = guidance
    if (present(caption)) options%caption = c_string(words, caption)
    if (present(step)) options%step = int(step, c_int64_t)
    if (present(time)) options%time = time
    if (present(seed)) options%seed = int(seed, c_int64_t)
    if (present(member)) options%member = int(member, c_int64_t)
    if (present(parameters)) then
      options%parameters = c_loc(parameters)
      options%parameter_count = size(parameters, kind=c_size_t)
    end if
    if (present(origin)) then
      n = min(size(origin), 3)
      options%origin(:n) = int(origin(n:1:-1), c_int64_t) - 1
    end if
    if (present(global_shape)) then
      n = min(size(global_shape), 3)
      options%global_shape(:n) = int(global_shape(n:1:-1), c_int64_t)
    end if
  end function step_options

  ! -------------------------------------------------------------------------------------------- states --

  ! Add the array `u` as the field `name`: rho(nx,ny), v(nx,ny,3), v(nx,ny,3,nbatch).
  !   unit             unit of the values, compared with the manifest's; absent: not checked
  !   component_axis   number of the axis that counts components, as 1 in v(3,nx,ny)
  !   batch_axis       number of the axis that counts independent states.  With both absent, axes behind the spatial
  !                    ones are components and batch, in this order; with one given, the other is none.
  subroutine add_real32_1(self, name, u, unit, component_axis, batch_axis)
    class(surrogate_fields), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real32), intent(in), target :: u(:)
    character(len=*), intent(in), optional :: unit
    integer, intent(in), optional :: component_axis, batch_axis

    call add_field(self, name, describe(u), unit, component_axis, batch_axis)
  end subroutine add_real32_1

  subroutine add_real32_2(self, name, u, unit, component_axis, batch_axis)
    class(surrogate_fields), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real32), intent(in), target :: u(:,:)
    character(len=*), intent(in), optional :: unit
    integer, intent(in), optional :: component_axis, batch_axis

    call add_field(self, name, describe(u), unit, component_axis, batch_axis)
  end subroutine add_real32_2

  subroutine add_real32_3(self, name, u, unit, component_axis, batch_axis)
    class(surrogate_fields), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real32), intent(in), target :: u(:,:,:)
    character(len=*), intent(in), optional :: unit
    integer, intent(in), optional :: component_axis, batch_axis

    call add_field(self, name, describe(u), unit, component_axis, batch_axis)
  end subroutine add_real32_3

  subroutine add_real32_4(self, name, u, unit, component_axis, batch_axis)
    class(surrogate_fields), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real32), intent(in), target :: u(:,:,:,:)
    character(len=*), intent(in), optional :: unit
    integer, intent(in), optional :: component_axis, batch_axis

    call add_field(self, name, describe(u), unit, component_axis, batch_axis)
  end subroutine add_real32_4

  subroutine add_real32_5(self, name, u, unit, component_axis, batch_axis)
    class(surrogate_fields), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real32), intent(in), target :: u(:,:,:,:,:)
    character(len=*), intent(in), optional :: unit
    integer, intent(in), optional :: component_axis, batch_axis

    call add_field(self, name, describe(u), unit, component_axis, batch_axis)
  end subroutine add_real32_5

  subroutine add_real64_1(self, name, u, unit, component_axis, batch_axis)
    class(surrogate_fields), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(in), target :: u(:)
    character(len=*), intent(in), optional :: unit
    integer, intent(in), optional :: component_axis, batch_axis

    call add_field(self, name, describe(u), unit, component_axis, batch_axis)
  end subroutine add_real64_1

  subroutine add_real64_2(self, name, u, unit, component_axis, batch_axis)
    class(surrogate_fields), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(in), target :: u(:,:)
    character(len=*), intent(in), optional :: unit
    integer, intent(in), optional :: component_axis, batch_axis

    call add_field(self, name, describe(u), unit, component_axis, batch_axis)
  end subroutine add_real64_2

  subroutine add_real64_3(self, name, u, unit, component_axis, batch_axis)
    class(surrogate_fields), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(in), target :: u(:,:,:)
    character(len=*), intent(in), optional :: unit
    integer, intent(in), optional :: component_axis, batch_axis

    call add_field(self, name, describe(u), unit, component_axis, batch_axis)
  end subroutine add_real64_3

  subroutine add_real64_4(self, name, u, unit, component_axis, batch_axis)
    class(surrogate_fields), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(in), target :: u(:,:,:,:)
    character(len=*), intent(in), optional :: unit
    integer, intent(in), optional :: component_axis, batch_axis

    call add_field(self, name, describe(u), unit, component_axis, batch_axis)
  end subroutine add_real64_4

  subroutine add_real64_5(self, name, u, unit, component_axis, batch_axis)
    class(surrogate_fields), intent(inout) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(in), target :: u(:,:,:,:,:)
    character(len=*), intent(in), optional :: unit
    integer, intent(in), optional :: component_axis, batch_axis

    call add_field(self, name, describe(u), unit, component_axis, batch_axis)
  end subroutine add_real64_5

  subroutine add_field(self, name, field, unit, component_axis, batch_axis)
    class(surrogate_fields), intent(inout) :: self
    character(len=*), intent(in) :: name
    type(c_field), intent(in) :: field
    character(len=*), intent(in), optional :: unit
    integer, intent(in), optional :: component_axis, batch_axis
    integer :: k

    call reserve(self, self%count + 1)
    self%count = self%count + 1
    k = self%count
    self%field(k) = field
    if (present(component_axis)) self%field(k)%component_axis = field%rank - int(component_axis, c_int32_t)
    if (present(batch_axis)) self%field(k)%batch_axis = field%rank - int(batch_axis, c_int32_t)
    self%name(k)%text = to_c(name)
    if (present(unit)) self%unit(k)%text = to_c(unit)
  end subroutine add_field

  subroutine reserve(self, count)
    class(surrogate_fields), intent(inout) :: self
    integer, intent(in) :: count
    type(c_field), allocatable :: field(:)
    type(c_text), allocatable :: name(:), unit(:)

    if (allocated(self%field)) then
      if (count <= size(self%field)) return
    end if
    allocate (field(2*count + 6), name(2*count + 6), unit(2*count + 6))
    if (self%count > 0) then
      field(:self%count) = self%field(:self%count)
      name(:self%count) = self%name(:self%count)
      unit(:self%count) = self%unit(:self%count)
    end if
    call move_alloc(field, self%field)
    call move_alloc(name, self%name)
    call move_alloc(unit, self%unit)
  end subroutine reserve

  subroutine clear_state(self)
    class(surrogate_fields), intent(inout) :: self

    self%count = 0
    if (allocated(self%field)) deallocate (self%field, self%name, self%unit)
  end subroutine clear_state

  integer function state_field_count(self)
    class(surrogate_fields), intent(in) :: self

    state_field_count = self%count
  end function state_field_count

  ! Exchange which arrays two states describe: call now%swap(next).
  subroutine swap_states(self, other)
    class(surrogate_fields), intent(inout) :: self
    type(surrogate_fields), intent(inout) :: other
    type(surrogate_fields) :: held

    held%count = self%count
    self%count = other%count
    other%count = held%count
    call move_alloc(self%field, held%field)
    call move_alloc(other%field, self%field)
    call move_alloc(held%field, other%field)
    call move_alloc(self%name, held%name)
    call move_alloc(other%name, self%name)
    call move_alloc(held%name, other%name)
    call move_alloc(self%unit, held%unit)
    call move_alloc(other%unit, self%unit)
    call move_alloc(held%unit, other%unit)
  end subroutine swap_states

  ! ---------------------------------------------------------------------------------- describing arrays --

  ! Address, shape and byte strides, in C's order of axes.  The distance of two neighbouring elements is the stride, so
  ! that a slice is described without contiguous copies; an axis of one element has none, any will do.
  type(c_field) function describe_real32_1(u) result(field)
    real(real32), intent(in), target :: u(:)

    field = blank_field(dtype_real32, int(shape(u), c_int64_t))
    if (size(u) == 0) return
    field%data = c_loc(u(1))
    if (size(u, 1) > 1) field%strides(1) = address(c_loc(u(2))) - address(field%data)
  end function describe_real32_1

  type(c_field) function describe_real32_2(u) result(field)
    real(real32), intent(in), target :: u(:,:)

    field = blank_field(dtype_real32, int(shape(u), c_int64_t))
    if (size(u) == 0) return
    field%data = c_loc(u(1,1))
    if (size(u, 1) > 1) field%strides(2) = address(c_loc(u(2,1))) - address(field%data)
    if (size(u, 2) > 1) field%strides(1) = address(c_loc(u(1,2))) - address(field%data)
  end function describe_real32_2

  type(c_field) function describe_real32_3(u) result(field)
    real(real32), intent(in), target :: u(:,:,:)

    field = blank_field(dtype_real32, int(shape(u), c_int64_t))
    if (size(u) == 0) return
    field%data = c_loc(u(1,1,1))
    if (size(u, 1) > 1) field%strides(3) = address(c_loc(u(2,1,1))) - address(field%data)
    if (size(u, 2) > 1) field%strides(2) = address(c_loc(u(1,2,1))) - address(field%data)
    if (size(u, 3) > 1) field%strides(1) = address(c_loc(u(1,1,2))) - address(field%data)
  end function describe_real32_3

  type(c_field) function describe_real32_4(u) result(field)
    real(real32), intent(in), target :: u(:,:,:,:)

    field = blank_field(dtype_real32, int(shape(u), c_int64_t))
    if (size(u) == 0) return
    field%data = c_loc(u(1,1,1,1))
    if (size(u, 1) > 1) field%strides(4) = address(c_loc(u(2,1,1,1))) - address(field%data)
    if (size(u, 2) > 1) field%strides(3) = address(c_loc(u(1,2,1,1))) - address(field%data)
    if (size(u, 3) > 1) field%strides(2) = address(c_loc(u(1,1,2,1))) - address(field%data)
    if (size(u, 4) > 1) field%strides(1) = address(c_loc(u(1,1,1,2))) - address(field%data)
  end function describe_real32_4

  type(c_field) function describe_real32_5(u) result(field)
    real(real32), intent(in), target :: u(:,:,:,:,:)

    field = blank_field(dtype_real32, int(shape(u), c_int64_t))
    if (size(u) == 0) return
    field%data = c_loc(u(1,1,1,1,1))
    if (size(u, 1) > 1) field%strides(5) = address(c_loc(u(2,1,1,1,1))) - address(field%data)
    if (size(u, 2) > 1) field%strides(4) = address(c_loc(u(1,2,1,1,1))) - address(field%data)
    if (size(u, 3) > 1) field%strides(3) = address(c_loc(u(1,1,2,1,1))) - address(field%data)
    if (size(u, 4) > 1) field%strides(2) = address(c_loc(u(1,1,1,2,1))) - address(field%data)
    if (size(u, 5) > 1) field%strides(1) = address(c_loc(u(1,1,1,1,2))) - address(field%data)
  end function describe_real32_5

  type(c_field) function describe_real64_1(u) result(field)
    real(real64), intent(in), target :: u(:)

    field = blank_field(dtype_real64, int(shape(u), c_int64_t))
    if (size(u) == 0) return
    field%data = c_loc(u(1))
    if (size(u, 1) > 1) field%strides(1) = address(c_loc(u(2))) - address(field%data)
  end function describe_real64_1

  type(c_field) function describe_real64_2(u) result(field)
    real(real64), intent(in), target :: u(:,:)

    field = blank_field(dtype_real64, int(shape(u), c_int64_t))
    if (size(u) == 0) return
    field%data = c_loc(u(1,1))
    if (size(u, 1) > 1) field%strides(2) = address(c_loc(u(2,1))) - address(field%data)
    if (size(u, 2) > 1) field%strides(1) = address(c_loc(u(1,2))) - address(field%data)
  end function describe_real64_2

  type(c_field) function describe_real64_3(u) result(field)
    real(real64), intent(in), target :: u(:,:,:)

    field = blank_field(dtype_real64, int(shape(u), c_int64_t))
    if (size(u) == 0) return
    field%data = c_loc(u(1,1,1))
    if (size(u, 1) > 1) field%strides(3) = address(c_loc(u(2,1,1))) - address(field%data)
    if (size(u, 2) > 1) field%strides(2) = address(c_loc(u(1,2,1))) - address(field%data)
    if (size(u, 3) > 1) field%strides(1) = address(c_loc(u(1,1,2))) - address(field%data)
  end function describe_real64_3

  type(c_field) function describe_real64_4(u) result(field)
    real(real64), intent(in), target :: u(:,:,:,:)

    field = blank_field(dtype_real64, int(shape(u), c_int64_t))
    if (size(u) == 0) return
    field%data = c_loc(u(1,1,1,1))
    if (size(u, 1) > 1) field%strides(4) = address(c_loc(u(2,1,1,1))) - address(field%data)
    if (size(u, 2) > 1) field%strides(3) = address(c_loc(u(1,2,1,1))) - address(field%data)
    if (size(u, 3) > 1) field%strides(2) = address(c_loc(u(1,1,2,1))) - address(field%data)
    if (size(u, 4) > 1) field%strides(1) = address(c_loc(u(1,1,1,2))) - address(field%data)
  end function describe_real64_4

  type(c_field) function describe_real64_5(u) result(field)
    real(real64), intent(in), target :: u(:,:,:,:,:)

    field = blank_field(dtype_real64, int(shape(u), c_int64_t))
    if (size(u) == 0) return
    field%data = c_loc(u(1,1,1,1,1))
    if (size(u, 1) > 1) field%strides(5) = address(c_loc(u(2,1,1,1,1))) - address(field%data)
    if (size(u, 2) > 1) field%strides(4) = address(c_loc(u(1,2,1,1,1))) - address(field%data)
    if (size(u, 3) > 1) field%strides(3) = address(c_loc(u(1,1,2,1,1))) - address(field%data)
    if (size(u, 4) > 1) field%strides(2) = address(c_loc(u(1,1,1,2,1))) - address(field%data)
    if (size(u, 5) > 1) field%strides(1) = address(c_loc(u(1,1,1,1,2))) - address(field%data)
  end function describe_real64_5

  pure type(c_field) function blank_field(dtype, extents) result(field)
    integer(c_int32_t), intent(in) :: dtype
    integer(c_int64_t), intent(in) :: extents(:)
    integer :: k, rank

    rank = size(extents)
    field%name = c_null_ptr
    field%unit = c_null_ptr
    field%data = c_null_ptr
    field%dtype = dtype
    field%memory = 0
    field%device = 0
    field%rank = int(rank, c_int32_t)
    field%component_axis = -1
    field%batch_axis = -1
    field%shape = 0
    field%strides = 0
    field%shape(:rank) = extents(rank:1:-1)
    field%strides(rank) = element_bytes(dtype)
    do k = rank - 1, 1, -1
      field%strides(k) = field%strides(k + 1) * field%shape(k + 1)
    end do
    field%reserved = c_null_ptr
  end function blank_field

  pure logical function dense(field)
    type(c_field), intent(in) :: field
    integer(c_int64_t) :: expected
    integer :: k

    expected = element_bytes(field%dtype)
    dense = .true.
    do k = int(field%rank), 1, -1
      if (field%shape(k) > 1 .and. field%strides(k) /= expected) dense = .false.
      expected = expected * field%shape(k)
    end do
  end function dense

  pure integer(c_int64_t) function element_bytes(dtype)
    integer(c_int32_t), intent(in) :: dtype

    element_bytes = merge(4_c_int64_t, 8_c_int64_t, dtype == dtype_real32)
  end function element_bytes

  pure integer(c_intptr_t) function address(pointer)
    type(c_ptr), intent(in) :: pointer

    address = transfer(pointer, address)
  end function address

  pure type(c_ptr) function moved(pointer, bytes)
    type(c_ptr), intent(in) :: pointer
    integer(c_int64_t), intent(in) :: bytes

    moved = transfer(address(pointer) + int(bytes, c_intptr_t), moved)
  end function moved

  ! ------------------------------------------------------------------------------------------ recorder --

  ! Begin a recording at `path`; the file appears with the first frame.  A recording that this variable held must be
  ! closed first.
  !   spatial_rank     number of spatial axes of the fields: 1, 2 or 3
  !   name, description, time_unit, length_unit   texts of the file
  !   spacing, origin  distance of cells and coordinate of the first, fastest axis first; absent: coordinates count cells
  !   boundary         SURROGATE_BOUNDARY_* of each axis, fastest first; 0: not known
  !   parameter_names, parameter_values   scalar parameters of the run
  !   trajectory, seed attributes: number of the run in its data set, seed of its initial state
  !   precision        real32 or real64, the kind that fields are stored in; absent: their own
  !   compression      deflate level of the finished file, 1..9; 0 or absent: none
  !   chunk            cells of a chunk, fastest axis first
  !   overwrite        .true.: replace a recording that stands at the path
  !   plugin_path      ':'-separated folders searched first for libsurrogate_recorder
  subroutine open_recorder(self, path, spatial_rank, name, description, time_unit, length_unit, spacing, origin, boundary, &
      parameter_names, parameter_values, trajectory, seed, precision, compression, chunk, overwrite, plugin_path, stat, errmsg)
    class(surrogate_recorder), intent(inout) :: self
    character(len=*), intent(in) :: path
    integer, intent(in) :: spatial_rank
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
    type(c_ptr) :: handle
    integer :: code

    if (c_associated(self%handle)) then
      call fail(SURROGATE_ERROR_ARGUMENT, 'surrogate recorder: it is open already; call recorder%close first', stat, errmsg)
      return
    end if
    call set_recorder_options(options, texts, spatial_rank, name, description, time_unit, length_unit, spacing, origin, boundary, &
      parameter_names, parameter_values, trajectory, seed, precision, compression, chunk, overwrite, plugin_path)
    code = int(c_recorder_open(handle, to_c(path), options))
    if (code == SURROGATE_OK) then
      self%handle = handle
      self%spatial_rank = max(1, min(spatial_rank, 3))
    end if
    call report(code, stat, errmsg)
  end subroutine open_recorder

  ! `texts` holds what the options point to, besides the values of the parameters.
  subroutine set_recorder_options(options, texts, spatial_rank, name, description, time_unit, length_unit, spacing, origin,&
      & boundary, &
      parameter_names, parameter_values, trajectory, seed, precision, compression, chunk, overwrite, plugin_path)
    type(c_recorder_options), intent(out) :: options
    type(recorder_texts), intent(out), target :: texts
    integer, intent(in) :: spatial_rank
    character(len=*), intent(in), optional :: name, description, time_unit, length_unit, parameter_names(:), plugin_path
    real(real64), intent(in), optional :: spacing(:), origin(:)
    real(real64), intent(in), optional, contiguous, target :: parameter_values(:)
    integer, intent(in), optional :: boundary(:), trajectory, precision, compression, chunk(:)
    integer(int64), intent(in), optional :: seed
    logical, intent(in), optional :: overwrite
    integer :: k, n, given

    options%struct_size = c_sizeof(options)
    options%name = c_string(texts%text(1), name)
    options%description = c_string(texts%text(2), description)
    options%time_unit = c_string(texts%text(3), time_unit)
    options%length_unit = c_string(texts%text(4), length_unit)
    options%plugin_path = c_string(texts%text(5), plugin_path)
    n = max(1, min(spatial_rank, 3))
    do k = 1, n  ! axis k of Fortran is axis n - k + 1 of C
      if (present(spacing)) options%spacing(n - k + 1) = spacing(k)
      if (present(origin)) options%origin(n - k + 1) = origin(k)
      if (present(boundary)) options%boundary(n - k + 1) = int(boundary(k), c_int32_t)
      if (present(chunk)) options%chunk(n - k + 1) = int(chunk(k), c_int64_t)
    end do
    given = 0
    if (present(parameter_names) .and. present(parameter_values)) given = min(size(parameter_names), size(parameter_values))
    if (given > 0) then
      allocate (texts%names(given), texts%pointers(given))
      do k = 1, given
        texts%pointers(k) = c_string(texts%names(k), parameter_names(k))
      end do
      options%parameter_count = int(given, c_size_t)
      options%parameter_names = c_loc(texts%pointers)
      options%parameter_values = c_loc(parameter_values)
    end if
    if (present(trajectory)) options%trajectory = int(trajectory, c_int64_t)
    if (present(seed)) options%seed = seed
    if (present(precision)) options%precision = merge(dtype_real32, merge(dtype_real64, -1_c_int32_t, &
      precision == real64), precision == real32)
    if (present(compression)) options%compression = int(compression, c_int32_t)
    if (present(overwrite)) options%overwrite = merge(1_c_int32_t, 0_c_int32_t, overwrite)
  end subroutine set_recorder_options

  ! Add the frame of time `time`: every field of `state`, which is the same for all frames but for the values.
  subroutine write_recorder(self, time, state, stat, errmsg)
    class(surrogate_recorder), intent(in) :: self
    real(real64), intent(in) :: time
    type(surrogate_fields), intent(in), target :: state
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_field), allocatable, target :: fields(:)

    call describe_state(fields, state, self%spatial_rank)
    call report(int(c_recorder_write(self%handle, real(time, c_double), c_loc(fields), int(state%count, c_size_t))), &
      stat, errmsg)
  end subroutine write_recorder

  ! All fields of a state; one at least, for its address.
  subroutine describe_state(fields, state, spatial_rank)
    type(c_field), intent(out), allocatable :: fields(:)
    type(surrogate_fields), intent(in), target :: state
    integer, intent(in) :: spatial_rank
    integer :: k

    allocate (fields(max(1, state%count)))
    do k = 1, state%count
      fields(k) = named_field(state, k, spatial_rank)
    end do
  end subroutine describe_state

  ! End the recording: its frames are joined in one file.  A closed recorder may be closed again.
  subroutine close_recorder(self, stat, errmsg)
    class(surrogate_recorder), intent(inout) :: self
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg
    type(c_ptr) :: handle

    handle = self%handle
    self%handle = c_null_ptr
    call report(int(c_recorder_close(handle)), stat, errmsg)
  end subroutine close_recorder

  logical function recorder_is_open(self)
    class(surrogate_recorder), intent(in) :: self

    recorder_is_open = c_associated(self%handle)
  end function recorder_is_open

  ! --------------------------------------------------------------------------------- what a model is --

  type(c_info) function info_of(self) result(info)
    class(surrogate_model), intent(in), target :: self

    info%struct_size = c_sizeof(info)
    if (owns(self)) then
      if (c_get_info(self%shared%handle, info) /= SURROGATE_OK) info = c_info()
    end if
  end function info_of

  function model_name(self) result(text)
    class(surrogate_model), intent(in), target :: self
    character(len=:), allocatable :: text
    type(c_info) :: info

    info = info_of(self)
    text = from_c(info%name)
  end function model_name

  function model_engine(self) result(text)
    class(surrogate_model), intent(in), target :: self
    character(len=:), allocatable :: text
    type(c_info) :: info

    info = info_of(self)
    text = from_c(info%engine)
  end function model_engine

  function model_program(self) result(text)
    class(surrogate_model), intent(in), target :: self
    character(len=:), allocatable :: text
    type(c_info) :: info

    info = info_of(self)
    text = from_c(info%program)
  end function model_program

  function model_choice(self) result(text)
    class(surrogate_model), intent(in), target :: self
    character(len=:), allocatable :: text
    type(c_info) :: info

    info = info_of(self)
    text = from_c(info%choice)
  end function model_choice

  function model_time_unit(self) result(text)
    class(surrogate_model), intent(in), target :: self
    character(len=:), allocatable :: text
    type(c_info) :: info

    info = info_of(self)
    text = from_c(info%time_unit)
  end function model_time_unit

  function model_sampler(self) result(text)
    class(surrogate_model), intent(in), target :: self
    character(len=:), allocatable :: text
    type(c_info) :: info

    info = info_of(self)
    text = from_c(info%sampler)
  end function model_sampler

  ! t2 - t1, in the manifest's unit; 0 for a model that is not open.
  real(real64) function model_time_step(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_time_step = info%time_step
  end function model_time_step

  ! Whether the model draws random numbers, and needs `step`.
  logical function model_stochastic(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_stochastic = info%stochastic /= 0
  end function model_stochastic

  ! Evaluations of a generative model's net that a call may ask for; none for another model.
  function model_steps(self) result(steps)
    class(surrogate_model), intent(in), target :: self
    integer, allocatable :: steps(:)
    type(c_info) :: info
    integer(c_int64_t), pointer :: known(:)

    info = info_of(self)
    allocate (steps(info%step_count))
    if (info%step_count == 0) return
    call c_f_pointer(info%steps, known, [info%step_count])
    steps = int(known)
  end function model_steps

  ! Largest weight of its condition; 0: it has no guidance.
  real(real64) function model_largest_guidance(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_largest_guidance = info%largest_guidance
  end function model_largest_guidance

  ! history: frames that the program reads; 1: the newest alone.  partial_count: of predict_partials, for each state.
  ! preset_steps: of a call that asks for none.  largest_members: 0: any number.  caption_length: in words, 0: none.
  integer function model_field_count(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_field_count = int(info%field_count)
  end function model_field_count

  integer function model_channel_count(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_channel_count = int(info%channel_count)
  end function model_channel_count

  integer function model_parameter_count(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_parameter_count = int(info%parameter_count)
  end function model_parameter_count

  integer function model_spatial_rank(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_spatial_rank = int(info%spatial_rank)
  end function model_spatial_rank

  integer function model_history(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_history = int(info%history)
  end function model_history

  integer function model_partial_count(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_partial_count = int(info%partial_count)
  end function model_partial_count

  integer function model_preset_steps(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_preset_steps = int(info%preset_steps)
  end function model_preset_steps

  integer function model_largest_members(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_largest_members = int(info%largest_members)
  end function model_largest_members

  integer function model_caption_length(self)
    class(surrogate_model), intent(in), target :: self
    type(c_info) :: info

    info = info_of(self)
    model_caption_length = int(info%caption_length)
  end function model_caption_length

  ! Over spatial axes, fastest first.
  function model_fixed_shape(self) result(extents)
    class(surrogate_model), intent(in), target :: self
    integer, allocatable :: extents(:)
    type(c_info) :: info
    integer :: n

    info = info_of(self)
    n = int(info%spatial_rank)
    extents = int(info%fixed_shape(n:1:-1))
  end function model_fixed_shape

  function model_multiple_of(self) result(extents)
    class(surrogate_model), intent(in), target :: self
    integer, allocatable :: extents(:)
    type(c_info) :: info
    integer :: n

    info = info_of(self)
    n = int(info%spatial_rank)
    extents = int(info%multiple_of(n:1:-1))
  end function model_multiple_of

  function model_minimum_shape(self) result(extents)
    class(surrogate_model), intent(in), target :: self
    integer, allocatable :: extents(:)
    type(c_info) :: info
    integer :: n

    info = info_of(self)
    n = int(info%spatial_rank)
    extents = int(info%minimum_shape(n:1:-1))
  end function model_minimum_shape

  function model_receptive_field(self) result(extents)
    class(surrogate_model), intent(in), target :: self
    integer, allocatable :: extents(:)
    type(c_info) :: info
    integer :: n

    info = info_of(self)
    n = int(info%spatial_rank)
    extents = int(info%receptive_field(n:1:-1))
  end function model_receptive_field

  type(c_field_info) function field_of(self, number) result(field)
    class(surrogate_model), intent(in), target :: self
    integer, intent(in) :: number

    field%struct_size = c_sizeof(field)
    if (owns(self)) then
      if (c_get_field_info(self%shared%handle, int(number - 1, c_int), field) /= SURROGATE_OK) field = c_field_info()
    end if
  end function field_of

  ! Facts of field `number` = 1 .. field_count(); blank, 0 or .false. for a number that is none.
  function model_field_name(self, number) result(text)
    class(surrogate_model), intent(in), target :: self
    integer, intent(in) :: number
    character(len=:), allocatable :: text
    type(c_field_info) :: field

    field = field_of(self, number)
    text = from_c(field%name)
  end function model_field_name

  function model_field_unit(self, number) result(text)
    class(surrogate_model), intent(in), target :: self
    integer, intent(in) :: number
    character(len=:), allocatable :: text
    type(c_field_info) :: field

    field = field_of(self, number)
    text = from_c(field%unit)
  end function model_field_unit

  integer function model_field_components(self, number)
    class(surrogate_model), intent(in), target :: self
    integer, intent(in) :: number
    type(c_field_info) :: field

    field = field_of(self, number)
    model_field_components = int(field%components)
  end function model_field_components

  logical function model_field_predicted(self, number)
    class(surrogate_model), intent(in), target :: self
    integer, intent(in) :: number
    type(c_field_info) :: field

    field = field_of(self, number)
    model_field_predicted = field%predicted /= 0
  end function model_field_predicted

  ! What the last SURROGATE_REJECTED of this model was about.
  type(surrogate_rejection) function model_rejection(self) result(rejection)
    class(surrogate_model), intent(in), target :: self
    type(c_rejection) :: found
    integer :: n

    if (.not. owns(self)) return
    found%struct_size = c_sizeof(found)
    if (c_last_rejection(self%shared%handle, found) /= SURROGATE_OK) return
    rejection%reason = int(found%reason)
    if (found%reason == SURROGATE_REASON_NONE) return
    n = self%shared%spatial_rank
    rejection%field = int(found%field) + 1
    rejection%component = int(found%component) + 1
    rejection%cell(:n) = found%cell(n:1:-1) + 1
    rejection%batch = found%batch + 1
    rejection%value = found%value
    rejection%lower = found%lower
    rejection%upper = found%upper
    rejection%call = found%call
  end function model_rejection

  ! ------------------------------------------------------------------------------------ texts and errors --

  ! Version of the library that is loaded.
  function surrogate_version() result(text)
    character(len=:), allocatable :: text

    text = from_c(c_version())
  end function surrogate_version

  ! The library's text of this thread's last REJECTED or ERROR.  errmsg also tells what this module itself refuses.
  function surrogate_last_error() result(text)
    character(len=:), allocatable :: text

    text = from_c(c_last_error())
  end function surrogate_last_error

  function surrogate_status_name(status) result(text)
    integer, intent(in) :: status
    character(len=:), allocatable :: text

    text = from_c(c_status_name(int(status, c_int)))
  end function surrogate_status_name

  function surrogate_reason_name(reason) result(text)
    integer, intent(in) :: reason
    character(len=:), allocatable :: text

    text = from_c(c_reason_name(int(reason, c_int)))
  end function surrogate_reason_name

  ! Hand the library's status over to stat and errmsg, or stop.
  subroutine report(code, stat, errmsg)
    integer, intent(in) :: code
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    if (code == SURROGATE_OK) then
      if (present(stat)) stat = SURROGATE_OK
    else if (code == SURROGATE_REJECTED) then
      call fail(code, fortran_text(surrogate_last_error()), stat, errmsg)
    else
      call fail(code, surrogate_last_error(), stat, errmsg)
    end if
  end subroutine report

  ! A rejection's text in Fortran's terms: "at cell [4, 2] of component 0" is "at cell (3,5) of component 1".
  pure function fortran_text(text) result(out)
    character(len=*), intent(in) :: text
    character(len=:), allocatable :: out, cell
    character(len=*), parameter :: mark = ' at cell ['
    integer :: k, n, last

    out = counted(counted(text, ' of component '), ' of state ')
    k = index(text, mark) + len(mark)
    if (k == len(mark)) return
    last = k + index(text(k:), ']') - 2  ! text(k:last) is "4, 2"
    cell = ')'
    do while (k <= last)
      n = scan(text(k:last), ',')
      if (n == 0) n = last - k + 2
      cell = merge('(', ',', k + n > last) // one_more(text(k:k + n - 2)) // cell
      k = k + n
    end do
    out = text(:index(text, mark) + len(mark) - 2) // cell // &
      counted(counted(text(last + 2:), ' of component '), ' of state ')
  end function fortran_text

  ! `text` with one added to the number behind `key`.
  pure function counted(text, key) result(out)
    character(len=*), intent(in) :: text, key
    character(len=:), allocatable :: out
    integer :: first, last

    out = text
    if (index(text, key) == 0) return
    first = index(text, key) + len(key)
    last = first + verify(text(first:) // ' ', '0123456789') - 2
    if (last >= first) out = text(:first - 1) // one_more(text(first:last)) // text(last + 1:)
  end function counted

  pure function one_more(digits) result(text)
    character(len=*), intent(in) :: digits
    character(len=:), allocatable :: text
    integer :: number, failed

    read (digits, *, iostat=failed) number
    text = digits
    if (failed == 0) text = decimal(number + 1)
  end function one_more

  subroutine fail(code, text, stat, errmsg)
    integer, intent(in) :: code
    character(len=*), intent(in) :: text
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    if (present(errmsg)) errmsg = text
    if (.not. present(stat)) error stop text
    stat = code
  end subroutine fail

  logical function usable(self, stat, errmsg)
    class(surrogate_model), intent(in), target :: self
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    usable = owns(self)
    if (usable) return
    if (associated(self%shared) .and. .not. shares(self)) then
      call fail(SURROGATE_ERROR_ARGUMENT, 'surrogate predict: this model is a bitwise copy, which owns nothing; assign ' // &
        'the model itself (model = other)', stat, errmsg)
    else
      call fail(SURROGATE_ERROR_ARGUMENT, 'surrogate predict: the model is not open; call model%open first', stat, errmsg)
    end if
  end function usable

  ! For what is not done by many ranks together.
  logical function alone(self, stat, errmsg)
    class(surrogate_model), intent(in), target :: self
    integer, intent(out), optional :: stat
    character(len=*), intent(inout), optional :: errmsg

    alone = usable(self, stat, errmsg)
    if (.not. alone) return
    alone = .not. c_associated(self%shared%ranks)
    if (.not. alone) call fail(SURROGATE_ERROR_UNSUPPORTED, 'surrogate predict: many ranks opened this model, which ' // &
      'call predict of their surrogate_mpi_model together, and nothing else', stat, errmsg)
  end function alone

  pure function to_c(text) result(c)
    character(len=*), intent(in) :: text
    character(kind=c_char), allocatable :: c(:)
    integer :: k

    allocate (c(len_trim(text) + 1))
    do k = 1, len_trim(text)
      c(k) = text(k:k)
    end do
    c(size(c)) = c_null_char
  end function to_c

  ! Address of a C copy of `text`, kept in `holder`; null if absent.
  type(c_ptr) function c_string(holder, text)
    type(c_text), intent(inout), target :: holder
    character(len=*), intent(in), optional :: text

    c_string = c_null_ptr
    if (.not. present(text)) return
    holder%text = to_c(text)
    c_string = c_loc(holder%text)
  end function c_string

  function from_c(pointer) result(text)
    type(c_ptr), intent(in) :: pointer
    character(len=:), allocatable :: text
    character(kind=c_char), pointer :: c(:)
    integer :: k

    if (.not. c_associated(pointer)) then
      text = ''
      return
    end if
    call c_f_pointer(pointer, c, [c_strlen(pointer)])
    allocate (character(len=size(c)) :: text)
    do k = 1, size(c)
      text(k:k) = c(k)
    end do
  end function from_c

  pure logical function same_text(a, b)
    character(kind=c_char), intent(in) :: a(:), b(:)

    same_text = .false.
    if (size(a) == size(b)) same_text = all(a == b)
  end function same_text

  pure function decimal(number) result(text)
    integer, intent(in) :: number
    character(len=:), allocatable :: text
    character(len=20) :: buffer

    write (buffer, '(i0)') number
    text = trim(buffer)
  end function decimal

  ! "(64,32,2)", fastest axis first.
  pure function shape_text(field) result(text)
    type(c_field), intent(in) :: field
    character(len=:), allocatable :: text
    integer :: k

    text = '('
    do k = int(field%rank), 1, -1
      text = text // decimal(int(field%shape(k)))
      if (k > 1) text = text // ','
    end do
    text = text // ')'
  end function shape_text

end module surrogate_private

! What a solver uses.
module surrogate
  use surrogate_private, only: &
    surrogate_model, &
    surrogate_fields, &
    surrogate_rejection, &
    surrogate_recorder, &
    surrogate_version, &
    surrogate_last_error, &
    surrogate_status_name, &
    surrogate_reason_name, &
    SURROGATE_OK, &
    SURROGATE_REJECTED, &
    SURROGATE_ERROR_ARGUMENT, &
    SURROGATE_ERROR_NOT_FOUND, &
    SURROGATE_ERROR_CORRUPT, &
    SURROGATE_ERROR_SCHEMA, &
    SURROGATE_ERROR_SHAPE, &
    SURROGATE_ERROR_DTYPE, &
    SURROGATE_ERROR_FIELD, &
    SURROGATE_ERROR_UNIT, &
    SURROGATE_ERROR_OVERLAP, &
    SURROGATE_ERROR_ENGINE, &
    SURROGATE_ERROR_EXECUTION, &
    SURROGATE_ERROR_MEMORY, &
    SURROGATE_ERROR_UNSUPPORTED, &
    SURROGATE_ERROR_PARAMETER, &
    SURROGATE_ERROR_WRITE, &
    SURROGATE_ERROR_TIMEOUT, &
    SURROGATE_ERROR_MPI, &
    SURROGATE_ERROR_INTERNAL, &
    SURROGATE_REASON_NONE, &
    SURROGATE_REASON_INPUT_NOT_FINITE, &
    SURROGATE_REASON_OUTPUT_NOT_FINITE, &
    SURROGATE_REASON_INPUT_OUT_OF_BOUNDS, &
    SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS, &
    SURROGATE_REASON_INPUT_OUT_OF_RANGE, &
    SURROGATE_REASON_INPUT_UNLIKE_TRAINING, &
    SURROGATE_REASON_NOT_CONSERVED, &
    SURROGATE_REASON_JUMP_OUT_OF_RANGE, &
    SURROGATE_REASON_SPREAD_TOO_LARGE, &
    SURROGATE_BOUNDARY_PERIODIC, &
    SURROGATE_BOUNDARY_WALL, &
    SURROGATE_BOUNDARY_OPEN
  implicit none
  public
end module surrogate
