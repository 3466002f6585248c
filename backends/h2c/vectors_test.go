package h2c

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mpinlab/backends"
)

// circlFile reads a gzipped JSON file of the circl module into v. The files
// under ecc/bls12381/testdata and expander/testdata are those of RFC 9380,
// appendices J.9 and K.
func circlFile(t *testing.T, v any, path ...string) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/cloudflare/circl").Output()
	if err != nil {
		t.Skipf("the circl module cannot be found: %v", err)
	}
	name := filepath.Join(append([]string{strings.TrimSpace(string(dir))}, path...)...)
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(v); err != nil {
		t.Fatal(err)
	}
}

type point struct{ X, Y string }

func (p point) is(q Point) bool { return number(p.X).Cmp(q.X) == 0 && number(p.Y).Cmp(q.Y) == 0 }

func number(s string) *big.Int {
	v, ok := new(big.Int).SetString(s, 0)
	if !ok {
		panic("not a number: " + s)
	}
	return v
}

func TestRFC9380Suites(t *testing.T) {
	for _, name := range []string{"BLS12381G1_XMD-SHA-256_SSWU_RO_", "BLS12381G1_XMD-SHA-256_SSWU_NU_"} {
		t.Run(name, func(t *testing.T) {
			var file struct {
				DST          string
				L, Z         string
				RandomOracle bool
				Vectors      []struct {
					Msg          string
					U            []string
					P, Q, Q0, Q1 point
				}
			}
			circlFile(t, &file, "ecc", "bls12381", "testdata", name+".json.gz")
			if len(file.Vectors) == 0 {
				t.Fatal("no vectors")
			}
			s, err := suiteOf(backends.BLS12381)
			if err != nil {
				t.Fatal(err)
			}
			if L := number(file.L); L.Int64() != int64(elementBytes(backends.BLS12381)) {
				t.Errorf("L is %d, the vectors have %d", elementBytes(backends.BLS12381), L)
			}
			for _, v := range file.Vectors {
				hash, mapped := EncodeToG1, []point{v.Q}
				if file.RandomOracle {
					hash, mapped = HashToG1, []point{v.Q0, v.Q1}
				}
				dst, msg := []byte(file.DST), []byte(v.Msg)
				u, err := HashToField(backends.BLS12381, dst, msg, len(mapped))
				if err != nil {
					t.Fatal(err)
				}
				for i := range u {
					if number(v.U[i]).Cmp(u[i]) != 0 {
						t.Errorf("%q: u%d = %x", v.Msg, i, u[i])
					}
					if q := result(s.toCurve(u[i])); !mapped[i].is(q) {
						t.Errorf("%q: Q%d = %x, %x", v.Msg, i, q.X, q.Y)
					}
				}
				p, err := hash(backends.BLS12381, dst, msg)
				if err != nil || !v.P.is(p) {
					t.Errorf("%q: P = %x, %x, error %v", v.Msg, p.X, p.Y, err)
				}
			}
		})
	}
}

// The second file has a tag of 256 bytes.
func TestRFC9380Expanders(t *testing.T) {
	for _, name := range []string{"expand_message_xmd_SHA256_38", "expand_message_xmd_SHA256_256"} {
		t.Run(name, func(t *testing.T) {
			var file struct {
				DST   string
				Tests []struct {
					Msg     string
					Len     string `json:"len_in_bytes"`
					Uniform string `json:"uniform_bytes"`
				}
			}
			circlFile(t, &file, "expander", "testdata", name+".json.gz")
			if len(file.Tests) == 0 {
				t.Fatal("no vectors")
			}
			for _, v := range file.Tests {
				length, err := strconv.ParseInt(v.Len, 0, 0)
				if err != nil {
					t.Fatal(err)
				}
				want, err := hex.DecodeString(v.Uniform)
				if err != nil {
					t.Fatal(err)
				}
				got, err := ExpandMessageXMD([]byte(file.DST), []byte(v.Msg), int(length))
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%q, %d bytes: %x, error %v", v.Msg, length, got, err)
				}
			}
		})
	}
}
