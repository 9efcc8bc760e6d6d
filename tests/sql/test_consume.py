"""Single use: of many who come with one code at once, one gets in."""
import house as houses


def test_a_customer_signs_in(authd):
    person = authd.customer()
    done = authd.sign_in(person)
    assert done["aal"] == 2
