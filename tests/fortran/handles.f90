! Copies of a model: shared, closed once, never freed twice (run under AddressSanitizer).  Argument: BUNDLE.
program handles
  use, intrinsic :: iso_fortran_env, only: real64
  use surrogate
  implicit none
  type :: simulation
    type(surrogate_model) :: model
    integer :: step = 0
  end type simulation
  character(len=400) :: bundle, message
  real(real64), target :: now(8,6,2)
  integer :: stat

  call get_command_argument(1, bundle)
  now = 0.5_real64
  call assigned()
  call copied_in_a_component()
  call copied_bitwise()
  call arrays()
  call reopened()
  print '(a)', 'all held'

contains

  subroutine assigned()
    type(surrogate_model) :: a, b, never

    call a%open(bundle)
    b = a
    b = b
    call a%close()
    call check(.not. a%is_open() .and. b%is_open(), 'a copy stays open when the original is closed')
    call b%predict(now, now)
    call inner(b)
    call check(b%is_open(), 'a copy that goes out of scope closes nothing')
    a = b
    a = never
    call check(.not. a%is_open() .and. b%is_open(), 'a closed model can be assigned')
    call b%close()
    call b%close()
  end subroutine assigned

  subroutine inner(model)
    type(surrogate_model), intent(in) :: model
    type(surrogate_model) :: copy

    copy = model
    call copy%predict(now, now)
  end subroutine inner

  subroutine copied_in_a_component()
    type(simulation) :: a, b

    call a%model%open(bundle)
    b = a  ! a share by the standard; gfortran 12 assigns to a temporary, and what it leaves in b is a bitwise copy
    call b%model%predict(now, now, stat=stat, errmsg=message)
    call check(stat == SURROGATE_OK .neqv. .not. b%model%is_open(), 'a share, or refused')
    b%model = a%model
    call a%model%close()
    call b%model%predict(now, now)
  end subroutine copied_in_a_component

  subroutine copied_bitwise()
    type(surrogate_model) :: a, b
    type(surrogate_model), allocatable :: copy, moved

    call a%open(bundle)
    allocate (copy, source=a)
    call copy%predict(now, now, stat=stat, errmsg=message)
    call check(stat == SURROGATE_ERROR_ARGUMENT .and. .not. copy%is_open(), 'a bitwise copy is refused: ' // message)
    b = copy
    call check(b%is_open(), 'its copy by assignment is a share')
    call copy%close()
    call a%predict(now, now)
    deallocate (copy)
    allocate (copy, source=b)
    deallocate (copy)
    call b%predict(now, now)
    allocate (copy)
    copy = a
    call move_alloc(copy, moved)
    call moved%predict(now, now)
  end subroutine copied_bitwise

  subroutine arrays()
    type(surrogate_model) :: models(3)
    type(surrogate_model), allocatable :: more(:)

    call models(1)%open(bundle)
    models(2:3) = models(1)
    allocate (more(2))
    more = models(1:2)
    call models%close()
    call check(more(2)%is_open(), 'arrays of models')
    call more(2)%predict(now, now)
  end subroutine arrays

  subroutine reopened()
    type(surrogate_model) :: a, b

    call a%open(bundle)
    b = a
    call a%open(bundle)
    call a%predict(now, now)
    call b%predict(now, now)
  end subroutine reopened

  subroutine check(holds, what)
    logical, intent(in) :: holds
    character(len=*), intent(in) :: what

    if (.not. holds) error stop 'does not hold: ' // trim(what)
  end subroutine check

end program handles
