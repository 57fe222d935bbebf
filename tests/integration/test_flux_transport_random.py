"""flux_transport's random numbers against those that the authors of Philox publish."""

import subprocess

from compiling import need_compiler
from integration.flux_transport_tools import SOURCE

PROGRAM = """
program words
  use, intrinsic :: iso_fortran_env, only: int64
  use constants, only: dp
  use random_numbers, only: uniforms
  implicit none
  integer(int64) :: key, counter(4)
  integer :: k
  read (*, *) key, counter
  do k = 1, 4
    if (counter(k) >= 2_int64**31) counter(k) = counter(k) - 2_int64**32
  end do
  print '(4(z8.8,1x))', int(uniforms(key, int(counter(1)), int(counter(2)), int(counter(3)), int(counter(4))) &
    * 2.0_dp**32, int64)
end program words
"""


def test_words_are_those_of_philox4x32_10(tmp_path):
    """Known answers kat_vectors of Random123 (Salmon, Moraes, Dror & Shaw, SC'11)."""
    source, program = tmp_path / "words.f90", tmp_path / "words"
    source.write_text(PROGRAM)
    sources = [SOURCE / "constants.f90", SOURCE / "random_numbers.f90", source]
    command = [need_compiler("gfortran"), "-J", tmp_path, *sources, "-o", program]
    subprocess.run(command, check=True, timeout=60)

    def words(key, *counter):
        given = " ".join(str(number) for number in (key, *counter))
        done = subprocess.run([program], input=given, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert words(0, 0, 0, 0, 0) == ["6627E8D5", "E169C58D", "BC57AC4C", "9B00DBD8"]
    digits_of_pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    assert words(0x299F31D0A4093822, *digits_of_pi) == [
        "D16CFE09", "94FDCCEB", "5001E420", "24126EA1",
    ]  # fmt: skip
