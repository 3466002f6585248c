//go:build cgo && (amd64 || arm64)

package direct

import (
	"crypto/sha256"
	"errors"

	blst "github.com/supranational/blst/bindings/go"

	"mpinlab/bench/inputs"
)

// With more than one thread the binding spreads two Miller loops over two
// goroutines, where they no longer share their squarings. The limit holds for
// the whole process, and the adapter sets the same.
func init() { blst.SetMaxProcs(1) }

// libBLST is supranational/blst by its Go binding, which exports the Miller loop
// and the final exponentiation but no power in GT.
var libBLST = library{
	group: builds(loadBLST, map[string]func(*blstInputs, int) *Op{
		"G1Add": func(d *blstInputs, _ int) *Op {
			return d.keepG1(func(i int) *blst.P1 { return d.p[i].Add(&d.left[i]) })
		},
		"G1Mul": func(d *blstInputs, _ int) *Op {
			return d.keepG1(func(i int) *blst.P1 { return d.p[i].Mult(d.scalars[i]) })
		},
		"G1MulShort": func(d *blstInputs, _ int) *Op {
			return d.keepG1(func(i int) *blst.P1 { return d.p[i].Mult(d.short[i], 128) })
		},
		"G2Mul": func(d *blstInputs, _ int) *Op {
			return keep(func(i int, r **blst.P2) { *r = d.q[i].Mult(d.scalars[i]) },
				func(_ int, r **blst.P2) []byte { return (*r).Serialize() })
		},
		"HashToG1": func(d *blstInputs, _ int) *Op {
			return d.keepG1(func(i int) *blst.P1 { return blst.HashToG1(d.in.Messages[i], d.in.DST) })
		},
		"EncodeToG1": func(d *blstInputs, _ int) *Op {
			return d.keepG1(func(i int) *blst.P1 { return blst.EncodeToG1(d.in.Messages[i], d.in.DST) })
		},
		"G1Decode": func(d *blstInputs, _ int) *Op {
			return d.keepAffine(func(i int) *blst.P1Affine { return new(blst.P1Affine).Deserialize(d.in.P[i]) })
		},
		"G1DecodeCompressed": func(d *blstInputs, _ int) *Op {
			return d.keepAffine(func(i int) *blst.P1Affine { return new(blst.P1Affine).Uncompress(d.in.PCompressed[i]) })
		},
		"G1InSubgroup": func(d *blstInputs, _ int) *Op {
			return keepVerdict(func(i int) bool { return d.pAffine[i].InG1() })
		},
		"Pair": func(d *blstInputs, _ int) *Op {
			return d.keepGT(func(i int) *blst.Fp12 { return blstPair(&d.pAffine[i], &d.qAffine[i]) })
		},
		"MillerLoop": func(d *blstInputs, _ int) *Op {
			return keep(func(i int, r **blst.Fp12) { *r = blst.Fp12MillerLoopN(d.two(i)) },
				func(i int, r **blst.Fp12) []byte {
					m := **r
					return Verdict(blstIsOne(&m) == d.in.Holds[i])
				})
		},
		"FinalExp": func(d *blstInputs, _ int) *Op {
			var m [inputs.Count]*blst.Fp12
			for i := range m {
				m[i] = blst.Fp12MillerLoop(&d.qAffine[i], &d.pAffine[i])
			}
			return d.keepGT(func(i int) *blst.Fp12 {
				z := *m[i]
				z.FinalExp()
				return &z
			})
		},
		"PairCheck2": func(d *blstInputs, _ int) *Op {
			return keepVerdict(func(i int) bool { return blstIsOne(blst.Fp12MillerLoopN(d.two(i))) })
		},
		"MSM": func(d *blstInputs, n int) *Op {
			points, scalars := twice(d.pAffine), twice(d.scalars)
			return d.keepG1(func(i int) *blst.P1 { return blst.P1AffinesMult(points[i:i+n], scalars[i:i+n], 255) })
		},
	}),
	serverVerify: func(in *inputs.Protocol) (*Op, error) {
		secret := new(blst.P2Affine).Deserialize(in.ServerSecret)
		if secret == nil || !secret.KeyValidate() {
			return nil, errBLST
		}
		s := blstServer{identityDST(in.Suite.Curve), []blst.P2Affine{*blst.P2Generator().ToAffine(), *secret}}
		return server(in, s.verify), nil
	},
}

// blstPair returns e(p, q).
func blstPair(p *blst.P1Affine, q *blst.P2Affine) *blst.Fp12 {
	z := blst.Fp12MillerLoop(q, p)
	z.FinalExp()
	return z
}

// blstIsOne raises the value of a Miller loop to the final exponent, in place,
// and reports whether that gives one.
func blstIsOne(m *blst.Fp12) bool {
	one := blst.Fp12One()
	m.FinalExp()
	return m.Equals(&one)
}

// blstServer is M-Pin's server.
type blstServer struct {
	dst []byte
	q   []blst.P2Affine // Q and s·Q
}

func (s *blstServer) verify(login *inputs.User) bool {
	var u, v blst.P1Affine
	// KeyValidate checks the subgroup and refuses the identity.
	if len(login.U) != blst.BLST_P1_SERIALIZE_BYTES || login.U[0]&0x80 != 0 || u.Deserialize(login.U) == nil || !u.KeyValidate() {
		return false
	}
	if len(login.V) != blst.BLST_P1_SERIALIZE_BYTES || login.V[0]&0x80 != 0 || v.Deserialize(login.V) == nil || !v.KeyValidate() {
		return false
	}
	// Deserialize refuses 0 and r and beyond.
	var y blst.Scalar
	if y.Deserialize(login.Y) == nil {
		return false
	}
	h := sha256.Sum256(login.Identity)
	a := blst.HashToG1(h[:], s.dst)
	if a.Equals(new(blst.P1)) {
		return false
	}
	w := a.MultAssign(&y).AddAssign(&u).ToAffine()
	return blstIsOne(blst.Fp12MillerLoopN(s.q, []blst.P1Affine{v, *w}))
}

// blstInputs are the inputs in the library's types.
type blstInputs struct {
	in             *inputs.Group
	p, left        []blst.P1
	q              []blst.P2
	pAffine        []blst.P1Affine
	leftAffine     []blst.P1Affine
	qAffine        []blst.P2Affine
	g2, secret     blst.P2Affine
	scalars, short []*blst.Scalar
}

var errBLST = errors.New("blst refuses an input")

func loadBLST(in *inputs.Group) (*blstInputs, error) {
	d := &blstInputs{in: in, g2: *blst.P2Generator().ToAffine()}
	decodeG1 := func(b []byte) (p blst.P1Affine, err error) {
		if p.Deserialize(b) == nil {
			err = errBLST
		}
		return
	}
	decodeG2 := func(b []byte) (q blst.P2Affine, err error) {
		if q.Deserialize(b) == nil {
			err = errBLST
		}
		return
	}
	scalar := func(b []byte) (*blst.Scalar, error) {
		k := new(blst.Scalar).Deserialize(b)
		if k == nil {
			return nil, errBLST
		}
		return k, nil
	}
	var errs [6]error
	d.pAffine, errs[0] = each(in.P, decodeG1)
	d.leftAffine, errs[1] = each(in.Left, decodeG1)
	d.qAffine, errs[2] = each(in.Q, decodeG2)
	d.secret, errs[3] = decodeG2(in.Secret)
	d.scalars, errs[4] = each(in.Scalars, scalar)
	d.short, errs[5] = each(in.Short, scalar)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	d.p, d.left = make([]blst.P1, inputs.Count), make([]blst.P1, inputs.Count)
	d.q = make([]blst.P2, inputs.Count)
	for i := range inputs.Count {
		d.p[i].FromAffine(&d.pAffine[i])
		d.left[i].FromAffine(&d.leftAffine[i])
		d.q[i].FromAffine(&d.qAffine[i])
	}
	return d, nil
}

// two returns the pairs of M-Pin's equation for input i.
func (d *blstInputs) two(i int) ([]blst.P2Affine, []blst.P1Affine) {
	return []blst.P2Affine{d.g2, d.secret}, []blst.P1Affine{d.leftAffine[i], d.pAffine[i]}
}

func (d *blstInputs) keepG1(run func(i int) *blst.P1) *Op {
	return keep(func(i int, r **blst.P1) { *r = run(i) }, func(_ int, r **blst.P1) []byte { return (*r).Serialize() })
}

// keepAffine makes an Op that decodes points and checks that they are in the
// subgroup.
func (d *blstInputs) keepAffine(decode func(i int) *blst.P1Affine) *Op {
	return keep(func(i int, r **blst.P1Affine) {
		if *r = decode(i); *r != nil && !(*r).InG1() {
			*r = nil
		}
	}, func(_ int, r **blst.P1Affine) []byte {
		if *r == nil {
			return nil
		}
		return (*r).Serialize()
	})
}

// keepGT makes an Op whose result i must be e(P[i], Q[i]), which is
// e(LogP[i]·LogQ[i]·G1, G2).
func (d *blstInputs) keepGT(run func(i int) *blst.Fp12) *Op {
	return keep(func(i int, r **blst.Fp12) { *r = run(i) }, func(i int, r **blst.Fp12) []byte {
		k := new(blst.Scalar).FromBEndian(product(d.in.Curve, d.in.LogP[i], d.in.LogQ[i]))
		return Verdict((*r).Equals(blstPair(blst.P1Generator().Mult(k).ToAffine(), &d.g2)))
	})
}
