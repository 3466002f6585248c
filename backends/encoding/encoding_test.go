package encoding

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"

	"mpinlab/backends"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// TestZCashExamples takes its points from the serialisation notes of the
// bls12-381 curve: the generator, the identity, and what may not be.
func TestZCashExamples(t *testing.T) {
	x := "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
	y := "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1"
	zeros := func(n int) string { return hex.EncodeToString(make([]byte, n)) }
	p := backends.BLS12381.Params().P.Text(16)
	g := G1(backends.BLS12381)
	for _, c := range []struct {
		what, data string
		form       Form
		err        error
	}{
		{"uncompressed", x + y, Uncompressed, nil},
		{"compressed", "97" + x[2:], Compressed, nil},
		{"compressed, larger y", "b7" + x[2:], Compressed, nil},
		{"identity", "40" + zeros(95), Identity, nil},
		{"compressed identity", "c0" + zeros(47), Identity, nil},
		{"identity without its flag is a pair of coordinates", zeros(96), Uncompressed, nil},
		{"identity with the sort flag", "e0" + zeros(47), 0, backends.ErrFlags},
		{"identity with more", "c0" + zeros(46) + "01", 0, backends.ErrFlags},
		{"sort flag on uncompressed", "37" + x[2:] + y, 0, backends.ErrFlags},
		{"compressed flag on 96 bytes", "97" + x[2:] + y, 0, backends.ErrFlags},
		{"no flag on 48 bytes", x, 0, backends.ErrFlags},
		{"empty", "", 0, backends.ErrLength},
		{"49 bytes", "97" + x[2:] + "00", 0, backends.ErrLength},
		{"x is p", p + y, 0, backends.ErrNotCanonical},
		{"compressed x is p", "9a" + p[2:], 0, backends.ErrNotCanonical},
		{"y is p", x + p, 0, backends.ErrNotCanonical},
	} {
		form, err := g.Check(unhex(c.data))
		if !errors.Is(err, c.err) || err == nil && form != c.form {
			t.Errorf("%s: form %d, error %v", c.what, form, err)
		}
	}
}

// TestPrefixedExamples is about the form of MIRACL.
func TestPrefixedExamples(t *testing.T) {
	g := G1(backends.FP256BN)
	point := g.Encode([]*big.Int{big.NewInt(1)}, []*big.Int{big.NewInt(2)})
	for _, c := range []struct {
		what string
		data []byte
		form Form
		err  error
	}{
		{"generator", point, Uncompressed, nil},
		{"compressed, even", append([]byte{2}, point[1:33]...), Compressed, nil},
		{"compressed, odd", append([]byte{3}, point[1:33]...), Compressed, nil},
		{"MIRACL's identity", g.IdentityBytes(), Identity, nil},
		{"identity, all coordinates zero", append([]byte{4}, make([]byte, 64)...), Identity, nil},
		{"compressed identity", make([]byte, 33), Identity, nil},
		{"no prefix", point[1:], 0, backends.ErrLength},
		{"prefix 06", append([]byte{6}, point[1:]...), 0, backends.ErrFlags},
		{"prefix 04 on the short form", append([]byte{4}, point[1:33]...), 0, backends.ErrFlags},
		{"x over p", append([]byte{4}, bytes.Repeat([]byte{0xff}, 64)...), 0, backends.ErrNotCanonical},
	} {
		form, err := g.Check(c.data)
		if !errors.Is(err, c.err) || err == nil && form != c.form {
			t.Errorf("%s: form %d, error %v", c.what, form, err)
		}
	}
	if _, err := g.CheckUncompressed(append([]byte{2}, point[1:33]...)); !errors.Is(err, backends.ErrLength) {
		t.Errorf("a compressed point where none may be: %v", err)
	}
	// (0, 1) is a point of order 3 where b is 1, and not the identity.
	if form, err := PrefixedG1(backends.BLS12377).Check(append([]byte{4}, append(make([]byte, 95), 1)...)); err != nil || form != Uncompressed {
		t.Errorf("(0, 1) on bls12-377: form %d, %v", form, err)
	}
}

// TestCodecsRoundTrip writes and reads coordinates, and the identity, in every
// style on every curve.
func TestCodecsRoundTrip(t *testing.T) {
	for _, c := range backends.Curves() {
		p := c.Params()
		for _, codec := range []*Codec{G1(c), G2(c), PrefixedG1(c), PrefixedG2(c)} {
			x, y := make([]*big.Int, codec.degree), make([]*big.Int, codec.degree)
			for i := range x {
				x[i] = new(big.Int).Sub(p.P, big.NewInt(int64(i+1)))
				y[i] = big.NewInt(int64(7 + i))
			}
			b := codec.Encode(x, y)
			form, err := codec.Check(b)
			if err != nil || form != Uncompressed || len(b) != codec.uncompressed {
				t.Errorf("%s %s: %d bytes of form %d, %v", c, codec.group, len(b), form, err)
				continue
			}
			gotX, gotY := codec.Coordinates(b)
			for i := range x {
				if gotX[i].Cmp(x[i]) != 0 || gotY[i].Cmp(y[i]) != 0 {
					t.Errorf("%s %s: coefficient %d changed", c, codec.group, i)
				}
			}
			for _, identity := range [][]byte{codec.IdentityBytes(), codec.IdentityCompressed()} {
				if form, err := codec.Check(identity); err != nil || form != Identity {
					t.Errorf("%s %s: identity %x is of form %d, %v", c, codec.group, identity, form, err)
				}
			}
		}
	}
}

func TestCheckScalar(t *testing.T) {
	p := backends.BN254.Params()
	r := p.R.FillBytes(make([]byte, 32))
	for _, c := range []struct {
		what string
		data []byte
		err  error
	}{
		{"zero", make([]byte, 32), nil},
		{"r − 1", new(big.Int).Sub(p.R, big.NewInt(1)).FillBytes(make([]byte, 32)), nil},
		{"r", r, backends.ErrNotCanonical},
		{"short", r[1:], backends.ErrLength},
	} {
		if err := CheckScalar(backends.BN254, c.data); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestShortenDST(t *testing.T) {
	if got := ShortenDST(bytes.Repeat([]byte("t"), 255)); len(got) != 255 {
		t.Errorf("255 bytes became %d", len(got))
	}
	long := ShortenDST(bytes.Repeat([]byte("t"), 256))
	if len(long) != 32 || bytes.Equal(long, ShortenDST(bytes.Repeat([]byte("t"), 257))) {
		t.Errorf("256 bytes became %x", long)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(uint8(0), []byte{0xc0})
	f.Add(uint8(9), bytes.Repeat([]byte{4}, 65))
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		cs := backends.Curves()
		c := cs[int(which)%len(cs)]
		for _, codec := range []*Codec{G1(c), G2(c), PrefixedG1(c), PrefixedG2(c)} {
			form, err := codec.Check(data)
			if err != nil || form != Uncompressed {
				continue
			}
			if x, y := codec.Coordinates(data); !bytes.Equal(codec.Encode(x, y), data) {
				t.Errorf("%s %s: %x does not round trip", c, codec.group, data)
			}
		}
	})
}
