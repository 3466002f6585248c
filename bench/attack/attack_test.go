package attack

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/bench/rawjson"
	"mpinlab/protocol"
)

func get(t *testing.T, ids ...string) (bs []backends.Backend) {
	t.Helper()
	for _, id := range ids {
		b, err := all.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		bs = append(bs, b)
	}
	return bs
}

// TestRun carries everything out in small.
func TestRun(t *testing.T) {
	ids := []string{"gnark/bn254", "gnark/bls12-381"}
	if !testing.Short() {
		ids = append(ids, "circl/bls12-381", "miracl/fp256bn")
	}
	r, err := Run(context.Background(), get(t, ids...), Options{Seed: 1, Quick: true})
	if err != nil || len(r.Warnings) > 0 {
		t.Fatalf("%v, %q", err, r.Warnings)
	}
	rows := map[string]int{}
	for _, row := range r.Search {
		rows[row.Backend]++
		if !(row.Seconds > 0) {
			t.Errorf("%+v", row)
		}
		if row.Method == BySquareRoot && row.Digits == 4 && !row.Measured {
			t.Errorf("computed: %+v", row)
		}
	}
	for _, id := range ids {
		if rows[id] != 12 {
			t.Errorf("%s: %d rows", id, rows[id])
		}
	}
	if a := r.Alone; a == nil || a.PINs < 200 || a.Fit != a.PINs || a.Logins < 3 || a.Accepted != a.Logins || a.Elsewhere != 1 {
		t.Errorf("the token alone: %+v", a)
	}
	for _, row := range r.Threshold {
		below := row.Compromised < row.Threshold
		if below && row.Fit != row.Candidates || !below && row.Fit != 1 || row.Forged == below {
			t.Errorf("%+v", row)
		}
	}
	if len(r.Threshold) != 2+2+3+5 || len(r.PINError) != 5 {
		t.Errorf("%d and %d rows", len(r.Threshold), len(r.PINError))
	}
	for i, row := range r.PINError {
		if row.Fit != row.Users || row.Left <= 0 || row.Left > float64(row.PINs) || i > 0 && row.Bits < r.PINError[i-1].Bits {
			t.Errorf("%+v", row)
		}
	}
}

// TestEveryPINFitsTheToken is what makes an offline search with the token alone
// impossible: for every PIN there is a server that accepts what the token's
// owner would send with it.
func TestEveryPINFitsTheToken(t *testing.T) {
	if testing.Short() {
		t.Skip("ten thousand PINs")
	}
	s := mainSuite(get(t, "gnark/bls12-381"))
	a, err := alone(context.Background(), s, Options{Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Alone{PINs: 10_000, Fit: 10_000, Logins: 101, Accepted: 101, Elsewhere: 1}); *a != want {
		t.Errorf("%+v, not %+v", *a, want)
	}
}

// TestSearchesFind looks for PINs all over small ranges, and for one that is
// not there.
func TestSearchesFind(t *testing.T) {
	v, err := newVictim(mainSuite(get(t, "gnark/bls12-381")), 3)
	if err != nil {
		t.Fatal(err)
	}
	for name, walk := range map[string]func(*victim, *protocol.Token, int) (uint64, error){ByPairing: byPairing, ByPowers: byPowers} {
		for _, pin := range []uint64{0, 1, 29} {
			token, err := v.token(pin, 4)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := walk(v, token, 30); err != nil || got != pin {
				t.Errorf("%s: %d for %d, %v", name, got, pin, err)
			}
		}
		token, err := v.token(30, 4)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := walk(v, token, 30); !errors.Is(err, errNotFound) {
			t.Errorf("%s finds what is not there: %v", name, err)
		}
	}
}

func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, get(t, "gnark/bn254"), Options{Quick: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestFiles(t *testing.T) {
	r := &Results{Environment: rawjson.Settings{{Key: "cpu", Value: "A 1"}}, Alone: &Alone{PINs: 3},
		Search: []SearchRow{{Backend: "gnark/bn254", Suite: "rfc9380/bn254", Method: ByPowers, Digits: 4, Seconds: 0.1, Guesses: 7}}}
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "attack.json")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	back, err := ReadFile(path)
	if err != nil || back.Search[0] != r.Search[0] || *back.Alone != *r.Alone || back.Environment.Get("cpu") != "A 1" {
		t.Errorf("%+v, %v", back, err)
	}
	for _, bad := range []string{"", "[]", `{"search":[{}]}`, `{"search":[{"backend":"x","method":"luck","digits":4,"seconds":1}]}`, `{"unknown":1}`} {
		if _, err := Read([]byte(bad)); !errors.Is(err, rawjson.ErrFile) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"search":[{"backend":"x","method":"powers","digits":4,"seconds":1e-9}],"token_alone":{"pins":1}}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Read(b); err != nil && !errors.Is(err, rawjson.ErrFile) {
			t.Errorf("error %v", err)
		}
	})
}
