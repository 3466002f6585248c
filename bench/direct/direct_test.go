package direct_test

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/bench/direct"
	"mpinlab/bench/inputs"
	"mpinlab/protocol"
)

// TestVerdictsAreEarned gives operations that judge their own results inputs
// that do not belong together.
func TestVerdictsAreEarned(t *testing.T) {
	for _, b := range all.Backends() {
		id := b.Info().ID
		if direct.Find(id, "Pair") == nil {
			continue
		}
		in := inputs.NewGroup(b, 1)
		in.LogP[1] = in.LogP[0]
		in.Holds[1] = !in.Holds[1]
		in.Left[2] = in.Left[0]
		for _, name := range []string{"GTExp", "Pair", "FinalExp", "MillerLoop"} {
			build := direct.Find(id, name)
			if build == nil {
				continue
			}
			op, err := build(in, 0)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				op.Run(i)
				if got, want := op.Result(i), direct.Verdict(i == 0); !bytes.Equal(got, want) {
					t.Errorf("%s %s: result %d is %x, not %x", id, name, i, got, want)
				}
			}
		}
		for _, name := range []string{"PairCheck2", "PairCheck2Fixed"} {
			build := direct.Find(id, name)
			if build == nil {
				continue
			}
			op, err := build(in, 0)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []bool{true, true, false} {
				op.Run(i)
				if got := op.Result(i); !bytes.Equal(got, direct.Verdict(want)) {
					t.Errorf("%s %s: result %d is %x", id, name, i, got)
				}
			}
		}
	}
}

// TestServerVerifyRefuses shows each library's ServerVerify logins of which the
// equation holds, and which only the check of one value refuses. Package
// protocol must say the same of them.
func TestServerVerifyRefuses(t *testing.T) {
	for _, b := range all.Backends() {
		build := direct.FindServerVerify(b.Info().ID)
		if build == nil {
			continue
		}
		t.Run(b.Info().ID, func(t *testing.T) {
			s, err := protocol.New(protocol.SuiteID{Dialect: protocol.RFC9380, Curve: b.Info().Curve}, b)
			if err != nil {
				t.Fatal(err)
			}
			in, err := inputs.NewProtocol(s, 1)
			if err != nil {
				t.Fatal(err)
			}
			logins := forge(t, s, in)
			for i, l := range logins {
				in.Users[i] = l.user
			}
			op, err := build(in)
			if err != nil {
				t.Fatal(err)
			}
			secret, err := s.DecodeServerSecret(in.ServerSecret)
			if err != nil {
				t.Fatal(err)
			}
			verifier, err := s.NewVerifier(secret)
			if err != nil {
				t.Fatal(err)
			}
			for i, l := range logins {
				op.Run(i)
				if got := op.Result(i); !bytes.Equal(got, direct.Verdict(l.user.Accept)) {
					t.Errorf("%s: the library alone says %x", l.name, got)
				}
				id, err := s.Identity(l.user.Identity)
				if err != nil {
					t.Fatal(err)
				}
				err = verifier.Verify(id, &protocol.Transcript{U: l.user.U, Y: l.user.Y, V: l.user.V})
				if (err == nil) != l.user.Accept {
					t.Errorf("%s: package protocol says %v", l.name, err)
				}
			}
		})
	}
}

type login struct {
	name string
	user inputs.User
}

// forge makes logins of the first user with chosen x and y.
func forge(t *testing.T, s *protocol.Suite, in *inputs.Protocol) []login {
	b := s.Backend()
	curve := b.Info().Curve.Params()
	id, err := s.Identity(in.Users[0].Identity)
	if err != nil {
		t.Fatal(err)
	}
	a := id.Point()
	sa, err := b.DecodeG1(in.Users[0].ClientSecret)
	if err != nil {
		t.Fatal(err)
	}
	// U = x·A and V = −(x + y)·s·A.
	honest := func(x, y backends.Scalar) inputs.User {
		u := in.Users[0]
		u.U, u.Y, u.V, u.Accept = a.Mul(x).Bytes(), y.Bytes(), sa.Mul(x.Add(y)).Neg().Bytes(), true
		return u
	}
	zero, five, six := backends.SmallScalar(b, 0), backends.SmallScalar(b, 5), backends.SmallScalar(b, 6)
	logins := []login{{"honest", honest(five, six)}}
	refused := func(name string, u inputs.User, change func(u *inputs.User)) {
		change(&u)
		u.Accept = false
		logins = append(logins, login{name, u})
	}
	refused("wrong V", honest(five, six), func(u *inputs.User) { u.V = sa.Bytes() })
	refused("wrong identity", honest(five, six), func(u *inputs.User) { u.Identity = []byte("another") })
	refused("U is the identity", honest(zero, six), func(*inputs.User) {})
	refused("V is the identity", honest(five, five.Neg()), func(*inputs.User) {})
	refused("y is zero", honest(five, zero), func(*inputs.User) {})
	refused("y is not reduced", honest(five, six), func(u *inputs.User) {
		y := new(big.Int).Add(curve.R, big.NewInt(6))
		u.Y = y.FillBytes(make([]byte, curve.ScalarBytes))
	})
	refused("y is too long", honest(five, six), func(u *inputs.User) { u.Y = append([]byte{0}, u.Y...) })
	refused("y is followed by a byte", honest(five, six), func(u *inputs.User) { u.Y = append(slices.Clip(u.Y), 0) })
	refused("y is cut short", honest(five, six), func(u *inputs.User) { u.Y = u.Y[1:] })
	refused("U is followed by a byte", honest(five, six), func(u *inputs.User) { u.U = append(slices.Clip(u.U), 0) })
	refused("V is followed by a byte", honest(five, six), func(u *inputs.User) { u.V = append(slices.Clip(u.V), 0) })
	refused("U is compressed in too many bytes", honest(five, six), func(u *inputs.User) {
		u.U = append(a.Mul(five).BytesCompressed(), make([]byte, curve.G1Bytes-curve.G1CompressedBytes)...)
	})
	refused("U is cut short", honest(five, six), func(u *inputs.User) { u.U = u.U[:len(u.U)-1] })
	refused("V is missing", honest(five, six), func(u *inputs.User) { u.V = nil })
	refused("U is not reduced", honest(five, six), func(u *inputs.User) { u.U = addToX(u.U, curve) })
	refused("U is not on the curve", honest(five, six), func(u *inputs.User) {
		u.U = bytes.Clone(u.U)
		u.U[len(u.U)-1] ^= 1
	})
	if curve.ID == "bls12-381" {
		// (0, 2) has order 3, and no pairing sees it.
		refused("U is outside the subgroup", honest(five, six), func(u *inputs.User) { u.U = addOrderThree(t, u.U, curve) })
		refused("V is outside the subgroup", honest(five, six), func(u *inputs.User) { u.V = addOrderThree(t, u.V, curve) })
	}
	return logins
}

// addToX adds p to the x of an uncompressed point of G1, where it still fits.
func addToX(point []byte, c *backends.Params) []byte {
	out := bytes.Clone(point)
	at := len(out) - 2*c.FieldBytes
	x := new(big.Int).SetBytes(out[at : at+c.FieldBytes])
	if x.Add(x, c.P).BitLen() > 8*c.FieldBytes {
		return out[:1] // refused for its length
	}
	x.FillBytes(out[at : at+c.FieldBytes])
	return out
}

// addOrderThree adds (0, 2) to an uncompressed point of bls12-381.
func addOrderThree(t *testing.T, point []byte, c *backends.Params) []byte {
	x, y := new(big.Int).SetBytes(point[:c.FieldBytes]), new(big.Int).SetBytes(point[c.FieldBytes:])
	slope := new(big.Int).ModInverse(x, c.P)
	if slope == nil {
		t.Fatal("x is zero")
	}
	slope.Mul(slope, new(big.Int).Sub(y, big.NewInt(2))).Mod(slope, c.P)
	x3 := new(big.Int).Mul(slope, slope)
	x3.Sub(x3, x).Mod(x3, c.P)
	y3 := new(big.Int).Mul(slope, x3)
	y3.Neg(y3).Sub(y3, big.NewInt(2)).Mod(y3, c.P)
	out := make([]byte, 2*c.FieldBytes)
	x3.FillBytes(out[:c.FieldBytes])
	y3.FillBytes(out[c.FieldBytes:])
	return out
}
