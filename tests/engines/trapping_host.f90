! trapping_host BUNDLE SIZE THREADS: a Fortran solver built with -fopenmp -ffpe-trap=invalid,zero,overflow.
program trapping_host
  use, intrinsic :: iso_fortran_env, only: real32, int64
  use, intrinsic :: ieee_arithmetic
  use, intrinsic :: ieee_exceptions
  use, intrinsic :: iso_c_binding
  use omp_lib
  implicit none

  interface
    integer(c_int) function c_open(model, path, options) bind(c, name="surrogate_open")
      import
      type(c_ptr), intent(out) :: model
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: options
    end function
    integer(c_int) function c_predict(model, output, input, dtype, rank, shape, step) bind(c, name="surrogate_predict_array")
      import
      type(c_ptr), value :: model, step
      real(c_float), intent(inout) :: output(*), input(*)
      integer(c_int), value :: dtype, rank
      integer(c_int64_t), intent(in) :: shape(*)
    end function
    subroutine c_close(model) bind(c, name="surrogate_close")
      import
      type(c_ptr), value :: model
    end subroutine
  end interface

  character(len=1024) :: argument
  integer(int64) :: n, i
  integer :: team
  type(c_ptr) :: model
  real(real32), allocatable :: u(:), v(:)

  call get_command_argument(2, argument)
  read (argument, *) n
  allocate (u(n*n), v(n*n))
  team = omp_get_max_threads()
  call expect(halting_threads(), team, "threads that halt before")
  call get_command_argument(1, argument)
  call expect(int(c_open(model, trim(argument)//c_null_char, c_null_ptr)), 0, "open")
  do i = 1, 3
    u = 1.0
    call expect(int(c_predict(model, v, u, 1, 3, [1_int64, n, n], c_null_ptr)), 0, "predict")
    call expect(nint(v(n*n)), 2, "answer")
    u(4) = transfer(2143289344, u(4)) ! a quiet NaN, made without arithmetic
    call expect(int(c_predict(model, v, u, 1, 3, [1_int64, n, n], c_null_ptr)), 1, "NaN is rejected")
    u(4) = 1.0
    call expect(int(c_predict(model, v, u, 1, 3, [1_int64, 12_int64, 12_int64], c_null_ptr)), -11, "12 is an error")
    call expect(omp_get_max_threads(), team, "omp_get_max_threads")
    call expect(halting_threads(), team, "threads that halt afterwards")
  end do
  call c_close(model)
  print '(a)', "ok"

contains

  integer function halting_threads() result(count)
    logical :: halts(3)
    count = 0
    !$omp parallel private(halts) reduction(+:count)
    call ieee_get_halting_mode([ieee_invalid, ieee_divide_by_zero, ieee_overflow], halts)
    if (all(halts)) count = count + 1
    !$omp end parallel
  end function

  subroutine expect(given, expected, what)
    integer, intent(in) :: given, expected
    character(len=*), intent(in) :: what
    if (given == expected) return
    print '(2a,i0,a,i0)', what, ": ", given, ", expected ", expected
    error stop 1
  end subroutine
end program
