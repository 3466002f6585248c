package h2c

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	bls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377"
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	amcl "github.com/hyperledger/fabric-amcl/amcl/FP256BN"
	core "github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
)

const rounds = 40

// messages calls f with tags and messages of many lengths.
func messages(f func(dst, msg []byte)) {
	for i := range rounds {
		f([]byte(fmt.Sprintf("tag %d %s", i, strings.Repeat("t", 6*i))), []byte(strings.Repeat(fmt.Sprint(i), i)))
	}
}

func TestAgreesWithGnark(t *testing.T) {
	raw := func(c backends.Curve, hash, encode func(msg, dst []byte) ([]byte, error)) {
		t.Run(c.String(), func(t *testing.T) {
			messages(func(dst, msg []byte) {
				ro, err := hash(msg, dst)
				if err != nil {
					t.Fatal(err)
				}
				nu, err := encode(msg, dst)
				if err != nil {
					t.Fatal(err)
				}
				if p, err := HashToG1(c, dst, msg); err != nil || !bytes.Equal(p.Encode(c), ro) {
					t.Fatalf("HashToG1(%q, %q) = %x, error %v; gnark has %x", dst, msg, p.Encode(c), err, ro)
				}
				if p, err := EncodeToG1(c, dst, msg); err != nil || !bytes.Equal(p.Encode(c), nu) {
					t.Fatalf("EncodeToG1(%q, %q) = %x, error %v; gnark has %x", dst, msg, p.Encode(c), err, nu)
				}
			})
		})
	}
	raw(backends.BLS12381,
		func(m, d []byte) ([]byte, error) { p, err := bls12381.HashToG1(m, d); return p.Marshal(), err },
		func(m, d []byte) ([]byte, error) { p, err := bls12381.EncodeToG1(m, d); return p.Marshal(), err })
	raw(backends.BLS12377,
		func(m, d []byte) ([]byte, error) { p, err := bls12377.HashToG1(m, d); return p.Marshal(), err },
		func(m, d []byte) ([]byte, error) { p, err := bls12377.EncodeToG1(m, d); return p.Marshal(), err })
	raw(backends.BN254,
		func(m, d []byte) ([]byte, error) { p, err := bn254.HashToG1(m, d); return p.Marshal(), err },
		func(m, d []byte) ([]byte, error) { p, err := bn254.EncodeToG1(m, d); return p.Marshal(), err })
}

func TestEncodeAgreesWithMIRACLCore(t *testing.T) {
	c := backends.FP256BN
	messages(func(dst, msg []byte) {
		want := make([]byte, c.Params().G1Bytes)
		core.MPIN_ENCODE_TO_CURVE(dst, msg, want)
		if p, err := EncodeToG1(c, dst, msg); err != nil || !bytes.Equal(p.Encode(c), want) {
			t.Fatalf("EncodeToG1(%q, %q) = %x, error %v; MIRACL Core has %x", dst, msg, p.Encode(c), err, want)
		}
	})
}

func TestMapItAgreesWithAMCL(t *testing.T) {
	c := backends.FP256BN
	for i := range rounds {
		h := sha256.Sum256([]byte{byte(i)})
		want := make([]byte, c.Params().G1Bytes)
		amcl.ECP_mapit(h[:]).ToBytes(want, false)
		if p, err := MapIt(c, h[:]); err != nil || !bytes.Equal(p.Encode(c), want) {
			t.Fatalf("MapIt(%x) = %x, error %v; AMCL has %x", h, p.Encode(c), err, want)
		}
	}
}

// The points that milagro-crypto-js 3.3.0 maps the SHA-256 of the single bytes
// 0 to 19 to, as the SHA-256 of their encodings in a row.
func TestMapItAgreesWithMilagroJS(t *testing.T) {
	for c, want := range map[backends.Curve]string{
		backends.BN254N:  "281d2ead42ff961c11244ecf6cb6a3f89068e9057663e31f6038a85e0cf64b3e",
		backends.BN254CX: "77d34dec4a1dcc88af01053e918962753adbc3518fd4c35df0729863d25e43f8",
		backends.FP256BN: "2ba13182e8d81e03355914dc90932373513e7b0e2ff4e0374767ff3f2b9e9a01",
	} {
		all := sha256.New()
		for i := range byte(20) {
			h := sha256.Sum256([]byte{i})
			p, err := MapIt(c, h[:])
			if err != nil {
				t.Fatal(err)
			}
			all.Write(p.Encode(c))
		}
		if got := fmt.Sprintf("%x", all.Sum(nil)); got != want {
			t.Errorf("%s: the points have the hash %s", c, got)
		}
	}
}
