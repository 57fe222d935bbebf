! Fluxes of Br through the faces of a block: what the flow carries, upwind, of states reconstructed with
! monotonised-central slopes (van Leer 1977), and what diffuses, by central differences.
module fluxes
  use constants, only: dp
  use flow, only: face_flow
  use grid, only: grid_type, ghosts
  implicit none
  private

  public :: face_fluxes

contains

  ! x(0:nx, ny) eastward and y(nx, 0:ny) northward, in G m2/s, from br with its ghosts filled.
  subroutine face_fluxes(g, eta, br, faces, x, y)
    type(grid_type), intent(in) :: g
    real(dp), intent(in) :: eta, br(1 - ghosts:, 1 - ghosts:)
    type(face_flow), intent(in) :: faces
    real(dp), intent(out) :: x(0:, :), y(:, 0:)
    integer :: i, j

    do j = 1, g%ny
      associate (height => g%column_length, width => g%row_length(j))
        do i = 0, g%nx
          x(i, j) = height * (carried(faces%u(i, j), br(i - 1, j), br(i, j), br(i + 1, j), br(i + 2, j)) &
            - eta / width * (br(i + 1, j) - br(i, j)))
        end do
      end associate
    end do
    do j = 0, g%ny
      associate (height => g%column_length, width => g%face_length(j))
        do i = 1, g%nx
          y(i, j) = width * (carried(faces%v(i, j), br(i, j - 1), br(i, j), br(i, j + 1), br(i, j + 2)) &
            - eta / height * (br(i, j + 1) - br(i, j)))
        end do
      end associate
    end do
  end subroutine face_fluxes

  ! Flux by speed w through the face between cells b and c of a, b, c, d.
  pure real(dp) function carried(w, a, b, c, d)
    real(dp), intent(in) :: w, a, b, c, d

    carried = w * merge(b + slope(b - a, c - b) / 2, c - slope(c - b, d - c) / 2, w > 0)
  end function carried

  ! Of a cell, from the differences to its neighbours: the mean one, no more than twice either, 0 at extrema.
  pure real(dp) function slope(behind, ahead)
    real(dp), intent(in) :: behind, ahead

    slope = merge(sign(min(2 * abs(behind), 2 * abs(ahead), abs(behind + ahead) / 2), ahead), 0.0_dp, behind * ahead > 0)
  end function slope

end module fluxes
