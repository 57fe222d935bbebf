! Arrays and numbers of an HDF5 file, on the rank that calls. Errors are texts: '' is none.
module hdf5_reader
  use, intrinsic :: iso_fortran_env, only: int64
  use, intrinsic :: iso_c_binding, only: c_loc, c_ptr
  use hdf5
  use constants, only: dp
  implicit none
  private

  public :: open_file, close_file, array_shape, read_slab, read_attribute

contains

  subroutine open_file(path, file, error)
    character(len=*), intent(in) :: path
    integer(hid_t), intent(out) :: file
    character(len=*), intent(out) :: error
    integer :: stat
    logical :: there

    error = ''
    file = -1
    inquire (file=path, exist=there)
    if (.not. there) then
      error = 'there is no file ' // path
      return
    end if
    call h5open_f(stat)
    call h5eset_auto_f(0, stat)   ! errors are ours to tell
    call h5fopen_f(path, H5F_ACC_RDONLY_F, file, stat)
    if (stat < 0) error = path // ' is no complete HDF5 file'
  end subroutine open_file

  subroutine close_file(file)
    integer(hid_t), intent(in) :: file
    integer :: stat

    if (file >= 0) call h5fclose_f(file, stat)
  end subroutine close_file

  ! Sizes of an array, fastest axis first; none for a single number; [-1] if there is no such array.
  function array_shape(file, name) result(sizes)
    integer(hid_t), intent(in) :: file
    character(len=*), intent(in) :: name
    integer, allocatable :: sizes(:)
    integer(hsize_t), allocatable :: dims(:), most(:)
    integer(hid_t) :: dataset, space
    integer :: stat, axes

    sizes = [-1]
    call h5dopen_f(file, name, dataset, stat)
    if (stat < 0) return
    call h5dget_space_f(dataset, space, stat)
    call h5sget_simple_extent_ndims_f(space, axes, stat)
    allocate (dims(max(axes, 0)), most(max(axes, 0)))
    if (axes > 0) call h5sget_simple_extent_dims_f(space, dims, most, stat)
    sizes = int(dims)
    call h5sclose_f(space, stat)
    call h5dclose_f(dataset, stat)
  end function array_shape

  ! Cells [start, start + count) of an array, from 0 and fastest axis first; nothing is known of `values` if it fails.
  subroutine read_slab(file, name, start, count, values, failed)
    integer(hid_t), intent(in) :: file
    character(len=*), intent(in) :: name
    integer, intent(in) :: start(:), count(:)
    real(dp), intent(out) :: values(*)
    logical, intent(out) :: failed
    integer(hid_t) :: dataset, space, memory
    integer(hsize_t) :: sizes(size(count))
    integer :: stat, closed

    sizes = int(count, hsize_t)
    call h5dopen_f(file, name, dataset, stat)
    failed = stat < 0
    if (failed) return
    call h5dget_space_f(dataset, space, stat)
    if (size(count) > 0) then
      call h5sselect_hyperslab_f(space, H5S_SELECT_SET_F, int(start, hsize_t), sizes, stat)
      call h5screate_simple_f(size(count), sizes, memory, stat)
    else
      call h5screate_f(H5S_SCALAR_F, memory, stat)
    end if
    call h5dread_f(dataset, H5T_NATIVE_DOUBLE, values, sizes, stat, memory, space)
    failed = stat < 0
    call h5sclose_f(memory, closed)
    call h5sclose_f(space, closed)
    call h5dclose_f(dataset, closed)
  end subroutine read_slab

  ! A whole number that is an attribute of the file.
  subroutine read_attribute(file, name, value, failed)
    integer(hid_t), intent(in) :: file
    character(len=*), intent(in) :: name
    integer(int64), intent(out), target :: value
    logical, intent(out) :: failed
    integer(hid_t) :: attribute
    type(c_ptr), target :: address
    integer :: stat

    value = 0
    call h5aopen_f(file, name, attribute, stat)
    failed = stat < 0
    if (failed) return
    address = c_loc(value)
    call h5aread_f(attribute, H5T_STD_I64LE, address, stat)
    failed = stat < 0
    call h5aclose_f(attribute, stat)
  end subroutine read_attribute

end module hdf5_reader
