package direct

import (
	"crypto/sha256"
	"errors"

	"github.com/hyperledger/fabric-amcl/core"
	"github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
	adapter "mpinlab/backends/miracl"
	"mpinlab/bench/inputs"
)

// libMIRACL is MIRACL Core on fp256bn, called as its own MPIN.go and BLS.go
// call it. Its subgroup check of G1 is not listed: with cofactor one there is
// nothing to check.
var libMIRACL = library{
	group: builds(loadMIRACL, map[string]func(*miraclInputs, int) *Op{
		"G1Add": func(d *miraclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP {
				p := FP256BN.NewECP()
				p.Copy(d.p[i])
				p.Add(d.left[i])
				return p
			})
		},
		"G1Mul": func(d *miraclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP { return FP256BN.G1mul(d.p[i], d.scalars[i]) })
		},
		// Without the endomorphism the time follows the length of the scalar.
		"G1MulShort": func(d *miraclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP { return d.p[i].Mul(d.short[i]) })
		},
		"G2Mul": func(d *miraclInputs, _ int) *Op {
			return keep(func(i int, r **FP256BN.ECP2) { *r = FP256BN.G2mul(d.q[i], d.scalars[i]) },
				func(_ int, r **FP256BN.ECP2) []byte {
					b := make([]byte, 1+4*FP256BN.MODBYTES)
					(*r).ToBytes(b, false)
					return b
				})
		},
		"GTExp": func(d *miraclInputs, _ int) *Op {
			var g [inputs.Count]*FP256BN.FP12
			for i := range g {
				g[i] = FP256BN.Fexp(FP256BN.Ate(FP256BN.ECP2_generator(), d.p[i]))
			}
			return d.keepGT(func(i int) *FP256BN.FP12 { return FP256BN.GTpow(g[i], d.scalars[i]) }, d.in.LogP, d.in.Scalars)
		},
		"HashToG1": func(d *miraclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP { return miraclHash(d.in.DST, d.in.Messages[i]) })
		},
		"EncodeToG1": func(d *miraclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP {
				p := FP256BN.ECP_map2point(miraclHashToField(d.in.DST, d.in.Messages[i], 1)[0])
				p.Cfp()
				return p
			})
		},
		"G1Decode": func(d *miraclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP { return miraclDecode(d.in.P[i]) })
		},
		"G1DecodeCompressed": func(d *miraclInputs, _ int) *Op {
			return d.keepG1(func(i int) *FP256BN.ECP { return miraclDecode(d.in.PCompressed[i]) })
		},
		"Pair": func(d *miraclInputs, _ int) *Op {
			return d.keepGT(func(i int) *FP256BN.FP12 { return FP256BN.Fexp(FP256BN.Ate(d.q[i], d.p[i])) }, d.in.LogP, d.in.LogQ)
		},
		"MillerLoop": func(d *miraclInputs, _ int) *Op {
			q := FP256BN.ECP2_generator()
			return keep(func(i int, r **FP256BN.FP12) { *r = FP256BN.Ate2(q, d.left[i], d.secret, d.p[i]) },
				func(i int, r **FP256BN.FP12) []byte { return Verdict(FP256BN.Fexp(*r).Isunity() == d.in.Holds[i]) })
		},
		"FinalExp": func(d *miraclInputs, _ int) *Op {
			var m [inputs.Count]*FP256BN.FP12
			for i := range m {
				m[i] = FP256BN.Ate(d.q[i], d.p[i])
			}
			return d.keepGT(func(i int) *FP256BN.FP12 { return FP256BN.Fexp(m[i]) }, d.in.LogP, d.in.LogQ)
		},
		"PairCheck2": func(d *miraclInputs, _ int) *Op {
			q := FP256BN.ECP2_generator()
			return keepVerdict(func(i int) bool {
				return FP256BN.Fexp(FP256BN.Ate2(q, d.left[i], d.secret, d.p[i])).Isunity()
			})
		},
		"PairCheck2Fixed": func(d *miraclInputs, _ int) *Op {
			lines := miraclGeneratorLines()
			return keepVerdict(func(i int) bool { return miraclCheck(lines, d.left[i], d.secret, d.p[i]) })
		},
		"MSM": func(d *miraclInputs, n int) *Op {
			points, scalars := twice(d.p), twice(d.scalars)
			return d.keepG1(func(i int) *FP256BN.ECP { return miraclSum(points[i:i+n], scalars[i:i+n]) })
		},
	}),
	serverVerify: func(in *inputs.Protocol) (*Op, error) {
		secret := FP256BN.ECP2_fromBytes(in.ServerSecret)
		if !FP256BN.G2member(secret) {
			return nil, errMIRACL
		}
		s := miraclServer{identityDST(in.Suite.Curve), miraclGeneratorLines(), secret}
		return server(in, s.verify), nil
	},
}

// miraclSum returns Σ k[i]·p[i]. The library's sum of many multiples only pays
// from about twenty on, and that of two before.
func miraclSum(p []*FP256BN.ECP, k []*FP256BN.BIG) *FP256BN.ECP {
	if len(p) >= 20 {
		return FP256BN.ECP_muln(len(p), p, k)
	}
	sum := FP256BN.NewECP()
	for ; len(p) > 1; p, k = p[2:], k[2:] {
		sum.Add(p[0].Mul2(k[0], p[1], k[1]))
	}
	if len(p) == 1 {
		sum.Add(FP256BN.G1mul(p[0], k[0]))
	}
	return sum
}

// miraclServer is M-Pin's server.
type miraclServer struct {
	dst    []byte
	lines  []*FP256BN.FP4
	secret *FP256BN.ECP2
}

func (s *miraclServer) verify(login *inputs.User) bool {
	// G1member refuses the identity, which also stands for what does not
	// decode.
	u := miraclDecode(login.U)
	if !FP256BN.G1member(u) {
		return false
	}
	v := miraclDecode(login.V)
	if !FP256BN.G1member(v) {
		return false
	}
	if len(login.Y) != int(FP256BN.MODBYTES) {
		return false
	}
	y := FP256BN.FromBytes(login.Y)
	if FP256BN.Comp(y, FP256BN.NewBIG()) == 0 || FP256BN.Comp(y, FP256BN.NewBIGints(FP256BN.CURVE_Order)) >= 0 {
		return false
	}
	h := sha256.Sum256(login.Identity)
	a := miraclHash(s.dst, h[:])
	if a.Is_infinity() {
		return false
	}
	a = FP256BN.G1mul(a, y)
	a.Add(u)
	return miraclCheck(s.lines, v, s.secret, a)
}

// miraclDecode reads 65 or 33 bytes and returns the identity for anything that
// is not a point. ECP_fromBytes does not look at the length itself.
func miraclDecode(b []byte) *FP256BN.ECP {
	const n = int(FP256BN.MODBYTES)
	if len(b) == 1+2*n && b[0] == 4 || len(b) == 1+n && (b[0] == 2 || b[0] == 3) {
		return FP256BN.ECP_fromBytes(b)
	}
	return FP256BN.NewECP()
}

// miraclHash is hash_to_curve as the library's BLS signatures have it, under a
// tag of one's own: the library keeps its functions for that to itself.
func miraclHash(dst, msg []byte) *FP256BN.ECP {
	u := miraclHashToField(dst, msg, 2)
	p := FP256BN.ECP_map2point(u[0])
	p.Add(FP256BN.ECP_map2point(u[1]))
	p.Cfp()
	return p
}

func miraclHashToField(dst, msg []byte, count int) []*FP256BN.FP {
	const length = (256 + 8*FP256BN.AESKEY) / 8
	q := FP256BN.NewBIGints(FP256BN.Modulus)
	uniform := core.XMD_Expand(core.MC_SHA2, FP256BN.HASH_TYPE, length*count, dst, msg)
	u := make([]*FP256BN.FP, count)
	for i := range u {
		u[i] = FP256BN.NewFPbig(FP256BN.DBIG_fromBytes(uniform[i*length : (i+1)*length]).Mod(q))
	}
	return u
}

// miraclGeneratorLines returns the line table of G2's generator, the only one
// that the library makes. Its Init leaves the table in a variable of the
// package and must not run twice at once, so that it is left to the adapter,
// which calls it when it first prepares a generator.
func miraclGeneratorLines() []*FP256BN.FP4 {
	b := adapter.New().Backend
	b.(backends.FixedG2).FixG2(b.G2())
	return FP256BN.G2_TAB
}

// miraclCheck reports whether e(p0, G2)·e(p1, q1) is one.
func miraclCheck(lines []*FP256BN.FP4, p0 *FP256BN.ECP, q1 *FP256BN.ECP2, p1 *FP256BN.ECP) bool {
	r := FP256BN.Initmp()
	FP256BN.Another_pc(r, lines, p0)
	FP256BN.Another(r, q1, p1)
	return FP256BN.Fexp(FP256BN.Miller(r)).Isunity()
}

// miraclInputs are the inputs in the library's types.
type miraclInputs struct {
	in             *inputs.Group
	p, left        []*FP256BN.ECP
	q              []*FP256BN.ECP2
	secret         *FP256BN.ECP2
	scalars, short []*FP256BN.BIG
}

var errMIRACL = errors.New("MIRACL Core refuses an input")

func loadMIRACL(in *inputs.Group) (*miraclInputs, error) {
	d := &miraclInputs{in: in}
	decodeG1 := func(b []byte) (*FP256BN.ECP, error) {
		p := miraclDecode(b)
		if p.Is_infinity() {
			return nil, errMIRACL
		}
		return p, nil
	}
	decodeG2 := func(b []byte) (*FP256BN.ECP2, error) {
		q := FP256BN.ECP2_fromBytes(b)
		if q.Is_infinity() {
			return nil, errMIRACL
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

func (d *miraclInputs) keepG1(run func(i int) *FP256BN.ECP) *Op {
	return keep(func(i int, r **FP256BN.ECP) { *r = run(i) }, func(_ int, r **FP256BN.ECP) []byte {
		b := make([]byte, 1+2*FP256BN.MODBYTES)
		(*r).ToBytes(b, false)
		return b
	})
}

// keepGT makes an Op whose result i must be e(G1, G2)^(a[i]·b[i]).
func (d *miraclInputs) keepGT(run func(i int) *FP256BN.FP12, a, b [][]byte) *Op {
	return keep(func(i int, r **FP256BN.FP12) { *r = run(i) }, func(i int, r **FP256BN.FP12) []byte {
		k := FP256BN.FromBytes(product(d.in.Curve, a[i], b[i]))
		p := FP256BN.G1mul(FP256BN.ECP_generator(), k)
		return Verdict((*r).Equals(FP256BN.Fexp(FP256BN.Ate(FP256BN.ECP2_generator(), p))))
	})
}
