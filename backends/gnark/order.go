package gnark

import "mpinlab/backends"

// jacobian is what the types G1Jac and G2Jac share.
type jacobian[A, J any] interface {
	*J
	DoubleAssign() *J
	AddMixed(*A) *J
}

// fromJacobian is how their affine types read them.
type fromJacobian[A, J any] interface {
	affine[A]
	FromJacobian(*J) *A
}

// plainOrder makes a test whether r·p is the identity, by doubling and adding.
//
// gnark-crypto v0.22.0 tests membership with endomorphisms, and two of its
// tests let points of order 3 through: in G1 of bw6-633, where the identity
// tested for is one of 3r and not of r (G1Jac.IsInSubGroup says so: "3r P ="),
// and in G2 of bw6-761. The points (0, ±2) lie on both curves, have order 3,
// and pass, as does their sum with any point of the subgroup. On these two
// groups this test runs after the library's. The other twelve refuse the
// points of every small order that their curves have; package backendtest
// tries them.
func plainOrder[A, J any, PA fromJacobian[A, J], PJ jacobian[A, J]](c backends.Curve) func(*A) bool {
	r := c.Params().R
	return func(p *A) bool {
		var sum J
		for i := r.BitLen() - 1; i >= 0; i-- {
			PJ(&sum).DoubleAssign()
			if r.Bit(i) == 1 {
				PJ(&sum).AddMixed(p)
			}
		}
		var q A
		PA(&q).FromJacobian(&sum)
		return PA(&q).IsInfinity()
	}
}
