package vectors_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/protocol"
	"mpinlab/vectors"
)

func isReference(b backends.Backend) bool { return strings.HasPrefix(b.Info().ID, "reference/") }

// fastest returns the first backend of a curve: the one that is not the
// reference where there is another.
func fastest(t *testing.T, c backends.Curve) backends.Backend {
	t.Helper()
	for _, b := range all.Backends() {
		if b.Info().Curve == c {
			return b
		}
	}
	t.Fatalf("no backend of %s", c)
	return nil
}

// TestOwnVectors runs the committed vectors on every backend, and every eighth
// case on the reference; `mpin vectors verify` runs them all.
func TestOwnVectors(t *testing.T) {
	sets, err := vectors.Own()
	if err != nil {
		t.Fatal(err)
	}
	if len(sets) != len(protocol.SuiteIDs()) {
		t.Errorf("%d files for %d suites", len(sets), len(protocol.SuiteIDs()))
	}
	r, err := vectors.Run(context.Background(), sets, vectors.Options{Backends: all.Backends(), Sample: 8, Slow: isReference})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Sets {
		if s.Failed != 0 || s.Passed == 0 || s.Passed+s.Skipped != s.Cases {
			t.Errorf("%s on %s: %d cases, %d passed, %d failed, %d skipped: %+v", s.File, s.Backend, s.Cases, s.Passed, s.Failed, s.Skipped, s.Failures)
		}
	}
}

// TestOwnVectorsAreGenerated makes the committed files again from their seed.
func TestOwnVectorsAreGenerated(t *testing.T) {
	for _, id := range protocol.SuiteIDs() {
		t.Run(id.String(), func(t *testing.T) {
			t.Parallel()
			s, err := protocol.New(id, fastest(t, id.Curve))
			if err != nil {
				t.Fatal(err)
			}
			f, err := vectors.Generate(s, vectors.Generated, vectors.Cases, vectors.Seed)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join("data", strings.ReplaceAll(id.String(), "/", "-")+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Error("the committed file is not what its seed gives; run make vectors and look at the difference")
			}
		})
	}
}

// TestChangedDigitIsFound changes one digit or word of each field of out that
// any committed file has, and demands a failure that names case and field.
func TestChangedDigitIsFound(t *testing.T) {
	rng := rand.New(rand.NewSource(rand.Int63()))
	files, err := filepath.Glob("data/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			for _, change := range changes(t, text, rand.New(rand.NewSource(rng.Int63()))) {
				set, err := vectors.Read("changed.json", bytes.NewReader(change.text), "")
				if err != nil {
					t.Errorf("%s of %s: cannot be read: %v", change.field, change.id, err)
					continue
				}
				r, err := vectors.Run(context.Background(), []*vectors.Set{set}, vectors.Options{
					Backends: []backends.Backend{fastest(t, set.Suite.Curve)}})
				if err != nil {
					t.Fatal(err)
				}
				f := r.Sets[0].Failures
				if r.Failed != 1 || len(f) != 1 || f[0].Case != change.id || f[0].Field != change.field {
					t.Errorf("%s of %s changed: %d failed, %+v", change.field, change.id, r.Failed, f)
				}
			}
		})
	}
}

type change struct {
	id, field string
	text      []byte
}

// changes returns, for each field of out, a document of one random case that
// has the field, with the field changed.
func changes(t *testing.T, text []byte, rng *rand.Rand) []change {
	var doc map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	having := map[string][]map[string]any{}
	for _, c := range doc["cases"].([]any) {
		c := c.(map[string]any)
		for field := range c["out"].(map[string]any) {
			having[field] = append(having[field], c)
		}
	}
	var list []change
	for field, cases := range having {
		c := cases[rng.Intn(len(cases))]
		out := c["out"].(map[string]any)
		was := out[field]
		out[field] = altered(was, rng)
		doc["cases"] = []any{c}
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		out[field] = was
		list = append(list, change{c["id"].(string), field, b})
	}
	return list
}

// altered changes one hexadecimal digit, an integer by one, a truth, or an
// error's name.
func altered(v any, rng *rand.Rand) any {
	switch v := v.(type) {
	case bool:
		return !v
	case json.Number:
		return json.Number(v.String() + "1")
	case []any:
		w := append([]any(nil), v...)
		i := rng.Intn(len(w))
		w[i] = altered(w[i], rng)
		return w
	case string:
		if strings.ContainsAny(v, "ghijklmnopqrstuvwxyz") { // the name of an error
			if v == "length" {
				return "flags"
			}
			return "length"
		}
		b := []byte(v)
		i := rng.Intn(len(b))
		digit := strings.IndexByte("0123456789abcdef", b[i])
		b[i] = "0123456789abcdef"[(digit+1+rng.Intn(15))%16]
		return string(b)
	}
	panic(fmt.Sprintf("no way to change a %T", v))
}
