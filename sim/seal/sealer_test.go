package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

const testLabel = "dta 1 of app 7f3a, suite rfc9380/bls12-381"

var testSecret = []byte("thirty-two bytes of a D-TA share")

// given returns a source of one passphrase.
func given(passphrase string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(passphrase), nil }
}

// cheapAge is kind age with almost no work.
func cheapAge(t testing.TB, passphrase string) Sealer {
	t.Helper()
	s, err := Parse("age", Options{Passphrase: given(passphrase), WorkFactor: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func clearSealer(t testing.TB) Sealer {
	t.Helper()
	s, err := Parse("none", Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSeal(t testing.TB, s Sealer, label string, secret []byte) []byte {
	t.Helper()
	sealed, err := s.Seal(context.Background(), label, secret)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// mended returns sealed with the checksum that its other bytes want, or as it
// is if it has no place for one.
func mended(sealed []byte) []byte {
	at := bytes.Index(sealed, []byte("\nsum \""))
	end := bytes.Index(sealed, []byte("\n\n"))
	if at < 0 || end != at+6+64+1 {
		return sealed
	}
	return joinEnvelope(bytes.Clone(sealed[:at+1]), sealed[end+2:])
}

// refusals are what changed bytes may be called; nothing else is a clear answer.
var refusals = []error{
	ErrNotSealed, ErrVersion, ErrKind, ErrLabel, ErrTampered, ErrSize,
	ErrWrongPassphrase, ErrWorkFactor, ErrWrongKey,
}

func refused(err error) bool {
	for _, kind := range refusals {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// testSealer is what every kind has to do. Those without authentication are
// only asked to find damage.
func testSealer(t *testing.T, s Sealer, kind string) {
	ctx := context.Background()

	t.Run("properties", func(t *testing.T) {
		parameters := gopter.DefaultTestParameters()
		parameters.MinSuccessfulTests = 40
		properties := gopter.NewProperties(parameters)
		secrets := gen.SliceOf(gen.UInt8()).SuchThat(func(b []byte) bool { return len(b) > 0 })
		labels := gen.OneGenOf(gen.Identifier(), gen.RegexMatch(`[ -~]{1,60}`), gen.OneConstOf("Ä \"é\\ 漢", strings.Repeat("\"", MaxLabel)))
		properties.Property("Open(l, Seal(l, m)) = m, Inspect tells the label, and the input is left alone", prop.ForAll(
			func(label string, secret []byte) (bool, error) {
				before := bytes.Clone(secret)
				sealed, err := s.Seal(ctx, label, secret)
				if err != nil {
					return false, err
				}
				got, err := s.Open(ctx, label, sealed)
				if err != nil {
					return false, err
				}
				info, err := Inspect(sealed)
				return bytes.Equal(got, secret) && bytes.Equal(secret, before) && info == Info{kind, label}, err
			}, labels, secrets))
		properties.Property("Open(l', Seal(l, m)) is ErrLabel for l' ≠ l", prop.ForAll(
			func(a, b string) bool {
				got, err := s.Open(ctx, b, mustSeal(t, s, a, testSecret))
				return a == b || errors.Is(err, ErrLabel) && got == nil
			}, labels, labels))
		properties.TestingRun(t)
	})

	t.Run("sizes", func(t *testing.T) {
		for _, n := range []int{1, 31, 4096, MaxSecret - 1, MaxSecret} {
			secret := bytes.Repeat([]byte{0xa5}, n)
			got, err := s.Open(ctx, testLabel, mustSeal(t, s, testLabel, secret))
			if err != nil || !bytes.Equal(got, secret) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
		for _, n := range []int{0, MaxSecret + 1} {
			if _, err := s.Seal(ctx, testLabel, make([]byte, n)); !errors.Is(err, ErrSize) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
		for _, label := range []string{"", strings.Repeat("x", MaxLabel+1), "a\nb", "\xff", "a\x00"} {
			if _, err := s.Seal(ctx, label, testSecret); !errors.Is(err, ErrSize) {
				t.Errorf("label %q: %v", label, err)
			}
		}
		if _, err := s.Open(ctx, testLabel, make([]byte, MaxSealed+1)); !errors.Is(err, ErrSize) {
			t.Errorf("sealed bytes over the limit: %v", err)
		}
	})

	t.Run("changes", func(t *testing.T) {
		sealed := mustSeal(t, s, testLabel, testSecret)
		if kind != KindNone && bytes.Contains(sealed, testSecret) {
			t.Fatal("the secret is in clear")
		}
		check := func(what string, b []byte) {
			t.Helper()
			got, err := s.Open(ctx, testLabel, b)
			if !refused(err) || got != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		for i := range sealed {
			for bit := range 8 {
				b := bytes.Clone(sealed)
				b[i] ^= 1 << bit
				check(fmt.Sprintf("bit %d of byte %d flipped", bit, i), b)
			}
			check(fmt.Sprintf("cut to %d bytes", i), sealed[:i])
			check(fmt.Sprintf("without byte %d", i), append(bytes.Clone(sealed[:i]), sealed[i+1:]...))
		}
		check("a byte appended", append(bytes.Clone(sealed), 0))
		check("twice", append(bytes.Clone(sealed), sealed...))
		check("nothing", nil)

		if kind == KindNone {
			return // anyone can write a file in clear
		}
		// By somebody who mends the checksum.
		for i := range sealed {
			b := bytes.Clone(sealed)
			b[i] ^= 1 << rand.IntN(8)
			if b = mended(b); !bytes.Equal(b, sealed) { // the checksum itself was hit
				check(fmt.Sprintf("byte %d flipped, checksum mended", i), b)
			}
		}
		end := bytes.Index(sealed, []byte("\n\n")) + 2
		for i := end; i < len(sealed); i++ {
			check(fmt.Sprintf("cut to %d bytes, checksum mended", i), mended(sealed[:i]))
		}
		check("a byte appended, checksum mended", mended(append(bytes.Clone(sealed), 0)))

		// The label exchanged, body kept: not another D-TA's file but a forgery.
		other := "dta 2" + testLabel[5:]
		forged := mended(bytes.Replace(sealed, []byte(testLabel), []byte(other), 1))
		if _, err := s.Open(ctx, other, forged); !errors.Is(err, ErrTampered) {
			t.Errorf("a forged label: %v", err)
		}
		// Still in order after all of this.
		if _, err := s.Open(ctx, testLabel, sealed); err != nil {
			t.Error(err)
		}
	})

	t.Run("other kinds", func(t *testing.T) {
		for _, other := range []Sealer{clearSealer(t), cheapAge(t, "another")} {
			sealed := mustSeal(t, other, testLabel, testSecret)
			info, err := Inspect(sealed)
			if err != nil {
				t.Fatal(err)
			}
			if info.Kind == kind {
				continue
			}
			if _, err := s.Open(ctx, testLabel, sealed); !errors.Is(err, ErrKind) {
				t.Errorf("%s opened by %s: %v", info.Kind, kind, err)
			}
		}
	})

	t.Run("together", func(t *testing.T) {
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				label, secret := fmt.Sprintf("dta %d", i), bytes.Repeat([]byte{byte(i)}, 40)
				for range 5 {
					sealed, err := s.Seal(ctx, label, secret)
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := s.Open(ctx, label, sealed); err != nil || !bytes.Equal(got, secret) {
						t.Error(err)
					}
					if _, err := s.Open(ctx, "dta x", sealed); !errors.Is(err, ErrLabel) {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
	})

	t.Run("context", func(t *testing.T) {
		over, cancel := context.WithCancel(ctx)
		sealed := mustSeal(t, s, testLabel, testSecret)
		cancel()
		if _, err := s.Seal(over, testLabel, testSecret); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := s.Open(over, testLabel, sealed); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})

	if s.Describe() == "" || !strings.HasPrefix(s.Describe(), kind) {
		t.Errorf("it describes itself as %q", s.Describe())
	}
}

func TestNone(t *testing.T) {
	testSealer(t, clearSealer(t), KindNone)
	sealed := mustSeal(t, clearSealer(t), testLabel, testSecret)
	if !bytes.Contains(sealed, []byte("NOT ENCRYPTED")) {
		t.Error("the header does not say that the secret is in clear")
	}
}

func TestParse(t *testing.T) {
	var warnings []string
	options := Options{Passphrase: given("x"), Warn: func(s string) { warnings = append(warnings, s) }}
	for spec, want := range map[string]error{
		"age": nil, "none": nil,
		"": ErrSpec, "AGE": ErrSpec, "age:18": ErrSpec, "pkcs12:x": ErrSpec, "pkcs11": ErrSpec, "pkcs11:": ErrSpec,
	} {
		s, err := Parse(spec, options)
		if !errors.Is(err, want) || (err == nil) != (s != nil) {
			t.Errorf("%q: %v", spec, err)
		}
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "clear") {
		t.Errorf("warnings: %q", warnings)
	}
	for _, factor := range []int{-1, MaxWorkFactor + 1} {
		if _, err := Parse("age", Options{WorkFactor: factor}); !errors.Is(err, ErrSpec) {
			t.Errorf("work factor %d: %v", factor, err)
		}
	}
	if _, err := Parse("pkcs11:misspelt;pin-value=271828", options); !errors.Is(err, ErrSpec) || strings.Contains(err.Error(), "271828") {
		t.Errorf("a PIN in the error: %v", err)
	}
}

func TestHeaderReading(t *testing.T) {
	sealed := mustSeal(t, clearSealer(t), testLabel, testSecret)
	for _, c := range []struct {
		what, old, new string
		want           error
	}{
		{"another version", "mpin-seal/1 ", "mpin-seal/2 ", ErrVersion},
		{"no version", "mpin-seal/1 ", "mpin-seal/one ", ErrNotSealed},
		{"unknown kind", "none\n", "gpg\n", ErrNotSealed},
		{"unknown line", "label ", "note \"x\"\nlabel ", ErrTampered},
		{"lines in another order", "label \"" + testLabel + "\"\n", "", ErrTampered},
		{"another spelling", "dta 1", "dta \\x31", ErrTampered},
		{"another quote", "label \"" + testLabel + "\"", "label `" + testLabel + "`", ErrTampered},
		{"a key where none belongs", "warning", "key \"00\"\nwarning", ErrTampered},
		{"no warning", "warning \"" + clearWarning + "\"\n", "", ErrTampered},
	} {
		b := mended(bytes.Replace(sealed, []byte(c.old), []byte(c.new), 1))
		if _, err := Inspect(b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	for _, b := range [][]byte{nil, []byte("mpin"), []byte("age-encryption.org/v1\n"), bytes.Repeat([]byte("\n"), 100)} {
		if _, err := Inspect(b); !errors.Is(err, ErrNotSealed) {
			t.Errorf("%q: %v", b, err)
		}
	}
}
