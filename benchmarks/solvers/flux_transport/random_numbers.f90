! Random numbers that belong to a thing and not to an order of calls, so that ranks, blocks and cells do not matter:
! Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC'11), key = seed, counter = (what, three numbers of it).
module random_numbers
  use, intrinsic :: iso_fortran_env, only: int64
  use constants, only: dp, pi
  implicit none
  private

  public :: uniforms, normal

  integer(int64), parameter :: low_half = 65535_int64, low_word = 4294967295_int64
  integer(int64), parameter :: multiplier(2) = [3528531795_int64, 3449720151_int64]  ! D2511F53, CD9E8D57
  integer(int64), parameter :: weyl(2) = [2654435769_int64, 3144134277_int64]        ! 9E3779B9, BB67AE85
  integer, parameter :: rounds = 10

contains

  ! Four numbers, uniform in (0, 1), of thing (a, b, c) of the kind `what`.
  pure function uniforms(seed, what, a, b, c) result(u)
    integer(int64), intent(in) :: seed
    integer, intent(in) :: what, a, b, c
    real(dp) :: u(4)
    integer(int64) :: word(4), key(2), high(2), low(2)
    integer :: k

    word = iand(int([what, a, b, c], int64), low_word)
    key = [iand(seed, low_word), ishft(seed, -32)]
    do k = 1, rounds
      call multiply(multiplier(1), word(1), high(1), low(1))
      call multiply(multiplier(2), word(3), high(2), low(2))
      word = [ieor(ieor(high(2), word(2)), key(1)), low(2), ieor(ieor(high(1), word(4)), key(2)), low(1)]
      key = iand(key + weyl, low_word)
    end do
    u = (real(word, dp) + 0.5_dp) / 4294967296.0_dp
  end function uniforms

  ! The two words of a product of two words; signed 64-bit integers hold it in halves only.
  pure subroutine multiply(a, b, high, low)
    integer(int64), intent(in) :: a, b
    integer(int64), intent(out) :: high, low
    integer(int64) :: upper, lower

    lower = a * iand(b, low_half)
    upper = a * ishft(b, -16) + ishft(lower, -16)
    high = ishft(upper, -16)
    low = ior(ishft(iand(upper, low_half), 16), iand(lower, low_half))
  end subroutine multiply

  ! A standard normal number of two uniform ones (Box & Muller 1958).
  pure real(dp) function normal(u, v)
    real(dp), intent(in) :: u, v

    normal = sqrt(-2 * log(u)) * cos(2 * pi * v)
  end function normal

end module random_numbers
