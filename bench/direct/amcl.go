package direct

import (
	"errors"

	"github.com/hyperledger/fabric-amcl/amcl/FP256BN"

	"mpinlab/bench/inputs"
)

// libAMCL is AMCL 3 on fp256bn, called as its own MPIN.go calls it. It knows no
// hash of RFC 9380, and so no ServerVerify of that dialect.
var libAMCL = library{
	group: builds(loadAMCL, map[string]func(*amclInputs, int) *Op{
		"G1Add": func(d *amclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP {
				p := FP256BN.NewECP()
				p.Copy(d.p[i])
				p.Add(d.left[i])
				return p
			})
		},
		"G1Mul": func(d *amclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP { return FP256BN.G1mul(d.p[i], d.scalars[i]) })
		},
		// Without the endomorphism the time follows the length of the scalar.
		"G1MulShort": func(d *amclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP { return d.p[i].Mul(d.short[i]) })
		},
		"G2Mul": func(d *amclInputs, _ int) *Op {
			return keep(func(i int, r **FP256BN.ECP2) { *r = FP256BN.G2mul(d.q[i], d.scalars[i]) },
				func(_ int, r **FP256BN.ECP2) []byte {
					b := make([]byte, 4*FP256BN.MODBYTES)
					(*r).ToBytes(b)
					return append([]byte{4}, amclSwap(b)...)
				})
		},
		"GTExp": func(d *amclInputs, _ int) *Op {
			var g [inputs.Count]*FP256BN.FP12
			for i := range g {
				g[i] = FP256BN.Fexp(FP256BN.Ate(FP256BN.ECP2_generator(), d.p[i]))
			}
			return d.keepGT(func(i int) *FP256BN.FP12 { return FP256BN.GTpow(g[i], d.scalars[i]) }, d.in.LogP, d.in.Scalars)
		},
		"G1Decode": func(d *amclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP { return amclDecode(d.in.P[i]) })
		},
		"G1DecodeCompressed": func(d *amclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP { return amclDecode(d.in.PCompressed[i]) })
		},
		"Pair": func(d *amclInputs, _ int) *Op {
			return d.keepGT(func(i int) *FP256BN.FP12 { return FP256BN.Fexp(FP256BN.Ate(d.q[i], d.p[i])) }, d.in.LogP, d.in.LogQ)
		},
		"MillerLoop": func(d *amclInputs, _ int) *Op {
			q := FP256BN.ECP2_generator()
			return keep(func(i int, r **FP256BN.FP12) { *r = FP256BN.Ate2(q, d.left[i], d.secret, d.p[i]) },
				func(i int, r **FP256BN.FP12) []byte { return Verdict(FP256BN.Fexp(*r).Isunity() == d.in.Holds[i]) })
		},
		"FinalExp": func(d *amclInputs, _ int) *Op {
			var m [inputs.Count]*FP256BN.FP12
			for i := range m {
				m[i] = FP256BN.Ate(d.q[i], d.p[i])
			}
			return d.keepGT(func(i int) *FP256BN.FP12 { return FP256BN.Fexp(m[i]) }, d.in.LogP, d.in.LogQ)
		},
		"PairCheck2": func(d *amclInputs, _ int) *Op {
			q := FP256BN.ECP2_generator()
			return keepVerdict(func(i int) bool {
				return FP256BN.Fexp(FP256BN.Ate2(q, d.left[i], d.secret, d.p[i])).Isunity()
			})
		},
		"MSM": func(d *amclInputs, n int) *Op {
			points, scalars := twice(d.p), twice(d.scalars)
			return d.keepG1(func(i int) *FP256BN.ECP { return amclSum(points[i:i+n], scalars[i:i+n]) })
		},
	}),
}

// amclSum returns Σ k[i]·p[i] by the library's sum of two multiples.
func amclSum(p []*FP256BN.ECP, k []*FP256BN.BIG) *FP256BN.ECP {
	sum := FP256BN.NewECP()
	for ; len(p) > 1; p, k = p[2:], k[2:] {
		sum.Add(p[0].Mul2(k[0], p[1], k[1]))
	}
	if len(p) == 1 {
		sum.Add(FP256BN.G1mul(p[0], k[0]))
	}
	return sum
}

// amclDecode reads 65 or 33 bytes and returns the identity for anything that
// is not a point. ECP_fromBytes does not look at the length itself.
func amclDecode(b []byte) *FP256BN.ECP {
	const n = int(FP256BN.MODBYTES)
	if len(b) == 1+2*n && b[0] == 4 || len(b) == 1+n && (b[0] == 2 || b[0] == 3) {
		return FP256BN.ECP_fromBytes(b)
	}
	return FP256BN.NewECP()
}

// amclSwap exchanges the halves of each element a + b·i of F_p²: the inputs
// have b first and AMCL has a.
func amclSwap(b []byte) []byte {
	const n = int(FP256BN.MODBYTES)
	s := make([]byte, 0, len(b))
	for ; len(b) > 0; b = b[2*n:] {
		s = append(append(s, b[n:2*n]...), b[:n]...)
	}
	return s
}

// amclInputs are the inputs in the library's types. The library brings the
// points that it is given into reduced form in place, which one goroutine at a
// time may let it do.
type amclInputs struct {
	in             *inputs.Group
	p, left        []*FP256BN.ECP
	q              []*FP256BN.ECP2
	secret         *FP256BN.ECP2
	scalars, short []*FP256BN.BIG
}

var errAMCL = errors.New("AMCL refuses an input")

func loadAMCL(in *inputs.Group) (*amclInputs, error) {
	d := &amclInputs{in: in}
	decodeG1 := func(b []byte) (*FP256BN.ECP, error) {
		p := amclDecode(b)
		if p.Is_infinity() {
			return nil, errAMCL
		}
		return p, nil
	}
	decodeG2 := func(b []byte) (*FP256BN.ECP2, error) {
		q := FP256BN.ECP2_fromBytes(amclSwap(b[1:]))
		if q.Is_infinity() {
			return nil, errAMCL
		}
		return q, nil
	}
	scalar := func(b []byte) (*FP256BN.BIG, error) { return FP256BN.FromBytes(b), nil }
	var errs [6]error
	d.p, errs[0] = each(in.P, decodeG1)
	d.left, errs[1] = each(in.Left, decodeG1)
	d.q, errs[2] = each(in.Q, decodeG2)
	d.secret, errs[3] = decodeG2(in.Secret)
	d.scalars, errs[4] = each(in.Scalars, scalar)
	d.short, errs[5] = each(in.Short, scalar)
	return d, errors.Join(errs[:]...)
}

func (d *amclInputs) keepG1(run func(i int) *FP256BN.ECP) *Op {
	return keep(func(i int, r **FP256BN.ECP) { *r = run(i) }, func(_ int, r **FP256BN.ECP) []byte {
		b := make([]byte, 1+2*FP256BN.MODBYTES)
		(*r).ToBytes(b, false)
		return b
	})
}

// keepGT makes an Op whose result i must be e(G1, G2)^(a[i]·b[i]).
func (d *amclInputs) keepGT(run func(i int) *FP256BN.FP12, a, b [][]byte) *Op {
	return keep(func(i int, r **FP256BN.FP12) { *r = run(i) }, func(i int, r **FP256BN.FP12) []byte {
		k := FP256BN.FromBytes(product(d.in.Curve, a[i], b[i]))
		p := FP256BN.G1mul(FP256BN.ECP_generator(), k)
		return Verdict((*r).Equals(FP256BN.Fexp(FP256BN.Ate(FP256BN.ECP2_generator(), p))))
	})
}
