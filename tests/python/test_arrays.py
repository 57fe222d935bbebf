"""Kinds of arrays: the same kind comes back."""

import numpy as np
import pytest
from flow_bundle import flow_state, named

from surrogate import Surrogate
from surrogate.errors import ArgumentError, DtypeError, UnitError, UnsupportedError


@pytest.fixture
def model(flow):
    with Surrogate.open(flow) as model:
        yield model


def test_torch_in_torch_out(model):
    torch = pytest.importorskip("torch", reason="torch (extra: torch)")
    state = torch.from_numpy(flow_state("float32"))
    frame = model.predict(state)
    assert isinstance(frame, torch.Tensor)
    assert (frame.dtype, frame.shape) == (state.dtype, state.shape)
    np.testing.assert_array_equal(frame.numpy(), model.predict(state.numpy()))
    out = torch.zeros_like(state)
    assert model.predict(state, out=out) is out
    np.testing.assert_array_equal(out[:3].numpy(), frame[:3].numpy())


def test_torch_strides_gradients_and_dicts(model):
    torch = pytest.importorskip("torch", reason="torch (extra: torch)")
    state = torch.from_numpy(flow_state())
    turned = state.permute(1, 2, 0).contiguous().permute(2, 0, 1).requires_grad_()
    np.testing.assert_array_equal(model.predict(turned).numpy(), model.predict(state).numpy())
    fields = named(flow_state())
    mixed = model.predict({**fields, "rho": torch.from_numpy(fields["rho"])})
    assert isinstance(mixed["rho"], torch.Tensor)
    assert isinstance(mixed["v"], np.ndarray)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int64"])
def test_torch_of_other_dtypes_is_refused(model, dtype):
    torch = pytest.importorskip("torch", reason="torch (extra: torch)")
    with pytest.raises(DtypeError, match=rf"torch\.{dtype}; expected torch.float32"):
        model.predict(torch.zeros(4, 6, 8, dtype=getattr(torch, dtype)))


def test_torch_on_another_device_is_refused(model):
    torch = pytest.importorskip("torch", reason="torch (extra: torch)")
    with pytest.raises(UnsupportedError, match=r"memory of meta.*copy it to the host"):
        model.predict(torch.zeros(4, 6, 8, device="meta"))


class Foreign:
    """An array of another library, by DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __array_namespace__(self):
        class Namespace:
            @staticmethod
            def from_dlpack(array):
                return Foreign(np.from_dlpack(array))

        return Namespace


def test_dlpack_in_the_same_kind_out(model):
    state = flow_state()
    frame = model.predict(Foreign(state))
    assert isinstance(frame, Foreign)
    np.testing.assert_array_equal(frame.array, model.predict(state))


def test_device_memory_is_refused_by_name(model):
    class Gpu(Foreign):
        device = 10  # kDLROCM

        def __dlpack_device__(self):
            return (self.device, 0)

    with pytest.raises(UnsupportedError, match="DLPack type 10"):
        model.predict(Gpu(flow_state()))
    assert issubclass(UnsupportedError, NotImplementedError)


def test_array_interface_gives_numpy(model):
    class Old:
        def __init__(self, array):
            self.keep = array
            self.__array_interface__ = array.__array_interface__

    state = flow_state()
    np.testing.assert_array_equal(model.predict(Old(state)), model.predict(state))


@pytest.mark.parametrize("value", [[[1.0]], 3.0, "rho", None])
def test_what_is_no_array_is_refused(model, value):
    with pytest.raises(DtypeError, match="expected an array"):
        model.predict(value)


def test_masked_arrays_are_refused(model):
    with pytest.raises(ArgumentError, match="masked"):
        model.predict(np.ma.masked_less(flow_state(), 0))


@pytest.mark.parametrize("dtype", ["int32", "float16", ">f8", "complex128", "longdouble"])
def test_other_dtypes_are_refused_with_the_way_out(model, dtype):
    with pytest.raises(DtypeError, match=r"expected float32 or float64.*astype"):
        model.predict(np.ones((4, 6, 8), dtype))


def test_a_read_only_output_is_refused(model):
    state = flow_state()
    out = np.zeros_like(state)
    out.flags.writeable = False
    with pytest.raises(ArgumentError, match="read-only"):
        model.predict(state, out=out)


class TestQuantities:
    """astropy: units are checked, converted and given back."""

    @pytest.fixture
    def u(self):
        return pytest.importorskip("astropy.units", reason="astropy (extra: fits)")

    def test_units_are_converted_both_ways(self, model, u):
        fields = named(flow_state())
        expected = model.predict(fields)
        given = {
            "rho": (fields["rho"] * u.kg / u.m**3).to(u.g / u.cm**3),
            "v": (fields["v"] * u.m / u.s).to(u.km / u.s),
            "mask": fields["mask"],
        }
        frames = model.predict(given)
        assert frames["rho"].unit == u.g / u.cm**3
        np.testing.assert_allclose(
            frames["rho"].to_value(u.kg / u.m**3), expected["rho"], rtol=1e-6
        )
        np.testing.assert_allclose(
            frames["v"].to_value(u.m / u.s), expected["v"], rtol=1e-6, atol=1e-6
        )

    def test_the_manifests_own_unit_is_read_in_place(self, twice, u):
        values = np.ones((4, 4), "float32") * u.m
        with Surrogate.open(twice) as model:
            copies = model.statistics.input_copies
            frame = model.predict(values)
            assert model.statistics.input_copies == copies
        assert frame.unit == u.m
        assert frame.dtype == "float32"
        assert (frame.value == 2).all()

    def test_a_unit_that_does_not_convert_is_refused(self, model, u):
        fields = named(flow_state())
        with pytest.raises(
            UnitError, match="field 'rho' is given in K, the manifest says 'kg m-3'"
        ):
            model.predict({**fields, "rho": fields["rho"] * u.K})

    def test_one_quantity_for_fields_of_several_units_is_refused(self, model, u):
        with pytest.raises(UnitError, match="several units"):
            model.predict(flow_state() * u.m)

    def test_an_output_is_written_in_the_manifests_unit_only(self, twice, u):
        with Surrogate.open(twice) as model:
            out = np.zeros((4, 4)) * u.m
            assert model.predict(np.ones((4, 4)) * u.m, out=out) is out
            assert (out == 2 * u.m).all()
            with pytest.raises(UnitError, match="another unit"):
                model.predict(np.ones((4, 4)) * u.m, out=np.zeros((4, 4)) * u.km)


def test_units_of_plain_arrays_are_checked(model):
    fields = named(flow_state())
    model.predict(fields, units={"rho": "kg m-3", "v": "m s-1"})
    with pytest.raises(UnitError, match="m s-1"):
        model.predict(fields, units={"v": "km s-1"})
    with pytest.raises(UnitError, match="no field of the state"):
        model.predict(fields, units={"w": "m"})
    with pytest.raises(ArgumentError, match="dict of fields"):
        model.predict(flow_state(), units={"v": "m s-1"})
